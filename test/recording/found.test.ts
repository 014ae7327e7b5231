/**
 * Runs in which the simulator found something, kept as recordings in traces/found: each is sound today, and would be
 * found again if the defect came back.
 */

// limit: 120 s

import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { goldenRun } from '../../src/golden/golden-run.ts'
import { Nursery } from '../../tools/claims/mutation.ts'
import { ofRepository } from '../tools/commands/blockbox.ts'

interface Found {
  /** The file in traces/found, without its ending. */
  readonly recording: string
  /** Rules that the defect made the run break; one of them has to be reported. */
  readonly rules: readonly string[]
  /** The defect, and how it is put back into the compiled file. */
  readonly name: string
  readonly file: string
  readonly find: string
  readonly replace: string
}

const test = suite('found by the simulator')

const folder = ofRepository('traces', 'found')
const files = readdirSync(folder).sort()
const found = JSON.parse(readFileSync(ofRepository('test', 'recording', 'found.json'), 'utf8')) as Found[]

test('every recording has its defect, and every defect its recording', () => {
  assert.equal(files, found.map(({ recording }) => `${recording}.trace.jsonl`).sort())
})

for (const file of files) {
  test(`${file} is sound today`, async () => {
    assert.ok(statSync(join(folder, file)).size < 100_000, 'it is small')
    const { ok, text, events } = await goldenRun(join(folder, file))
    assert.ok(ok, text)
    assert.ok(events > 20)
  })
}

test('each would be found again', () => {
  const nursery = new Nursery(
    fileURLToPath(new URL('../../', import.meta.url)),
    ofRepository(),
    2000 + (process.pid % 1000),
  )
  return findAgain(nursery).finally(() => nursery.remove())
})

async function findAgain(nursery: Nursery): Promise<void> {
  for (const { recording, rules, name, ...defect } of found) {
    const said = await nursery.withDefect(defect, async (build) => {
      const args = [
        join(build, 'tools', 'blockbox.js'),
        'replay',
        join(folder, `${recording}.trace.jsonl`),
        '--json',
      ]
      return spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 })
    })
    if (typeof said === 'string') return assert.unreachable(`${name}: ${said}`)
    assert.is(said.status, 12, `${recording} lives with: ${name}\n${said.stdout}${said.stderr}`)
    const broken = (JSON.parse(said.stdout).findings as { rule: string }[]).map(({ rule }) => rule)
    assert.ok(
      broken.some((rule) => rules.includes(rule)),
      `${recording} breaks ${broken}`,
    )
  }
}

test.run()
