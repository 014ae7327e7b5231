/**
 * The golden runs of this repository come out as recorded; each is recorded to the byte twice, and each notices a
 * defect in the system that it is about.
 */

// limit: 240 s

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hex, sha256 } from '../../src/core/digest.ts'
import { goldenFiles, goldenRun, goldenRuns } from '../../src/golden/golden-run.ts'
import { recordScenario } from '../../src/golden/scenario-recording.ts'
import type { Mutant } from '../../tools/claims/claim.ts'
import { Nursery } from '../../tools/claims/mutation.ts'
import { exported } from '../support/recordings.ts'
import { ofRepository } from '../tools/commands/blockbox.ts'

const test = suite('golden runs')

const folder = ofRepository('traces', 'golden')
const runs = goldenRuns(folder)

interface Planned {
  readonly golden: string
  readonly seed: string
  /** Name of a defect in test/claims/mutants. */
  readonly defect: string
}

const planned = JSON.parse(readFileSync(ofRepository('test', 'golden', 'mutants.json'), 'utf8')) as Planned[]

test('there is one for each system and each composition', () => {
  const names = runs.map((path) => goldenFiles(path).name)
  const compositions = ['fenced-restore', 'hold-beside-restore', 'near-zero-hold', 'preserve-mid-restore']
  for (const seed of ['s0', 's1', 's2', 's3', 's4'])
    assert.ok(
      names.some((name) => name.startsWith(`${seed}-`)),
      seed,
    )
  for (const name of compositions) assert.ok(names.includes(name), name)
  assert.equal(planned.map(({ golden }) => golden).sort(), [...names].sort())
})

for (const path of runs) {
  const { name, scenario } = goldenFiles(path)
  test(`${name} comes out as recorded`, async () => {
    const { ok, text, events } = await goldenRun(path)
    assert.ok(ok, text)
    assert.ok(events > 100)
  })
  test(`${name} is the same to the byte each time`, async () => {
    const [one, two] = [await recordScenario(scenario!), await recordScenario(scenario!)]
    const bytes = await exported(one, 'lines')
    assert.is(hex(sha256(await exported(two, 'lines'))), hex(sha256(bytes)))
  })
}

test('each golden run notices a defect in its system', async () => {
  const built = fileURLToPath(new URL('../../', import.meta.url))
  const nursery = new Nursery(built, ofRepository(), 1000 + (process.pid % 1000))
  try {
    for (const { golden, seed, defect } of planned) {
      const file = ofRepository('test', 'claims', 'mutants', `${seed}.json`)
      const mutants = JSON.parse(readFileSync(file, 'utf8')) as Mutant[]
      const mutant = mutants.find(({ name }) => name === defect)
      assert.ok(mutant !== undefined, `${seed} has no defect "${defect}"`)
      const said = await nursery.withDefect(mutant!, async (build) => {
        const args = [join(build, 'tools', 'blockbox.js'), 'test', join(folder, golden), '--json']
        return spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 })
      })
      if (typeof said === 'string') assert.unreachable(said)
      else {
        assert.is(said.status, 12, `${golden} lives with: ${defect}\n${said.stdout}${said.stderr}`)
        const { ok, findings, divergence } = JSON.parse(said.stdout)
        assert.is(ok, false)
        assert.ok(findings.length > 0 || divergence !== null, `${golden}: ${said.stdout}`)
      }
    }
  } finally {
    nursery.remove()
  }
})

test.run()
