/**
 * Somebody else's tests: the example of src/sim/README.md as it is printed there, and what else the public API has to
 * break storage code with, used from the public API alone.
 */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  BlockboxError,
  type Deed,
  deeds,
  enumerateCrashes,
  FaultyHead,
  keepRun,
  type Operation,
  openOnDisk,
  openToRead,
  simulate,
  verify,
  watchVolume,
} from '../../src/index.ts'

const test = suite('other code')
const built = fileURLToPath(new URL('../..', import.meta.url))
const readme = readFileSync(join(built, '../src/sim/README.md'), 'utf8')

async function inFolder<Value>(use: (folder: string) => Value | Promise<Value>): Promise<Value> {
  const folder = mkdtempSync(join(built, 'other-code-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What a program prints that imports the package by its name. */
function printed(program: string): Promise<string> {
  return inFolder((folder) => {
    const file = join(folder, 'example.mjs')
    writeFileSync(file, program)
    return execFileSync(process.execPath, [file], { encoding: 'utf8' })
  })
}

const block = (language: string) => new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(readme)![1]!

test('the example prints what it is said to print', async () => {
  assert.is(await printed(block('js')), block('console'))
})

test('with the flush in its place it finds nothing', async () => {
  const mended = block('js').replace(/\/\/ The bug.*/, 'await disk.flush()')
  const [, said] = /With the flush in its place: `(.*)`/.exec(readme)!
  assert.is(await printed(mended), `${said}\n`)
})

test('a recorder whose disk fails loses nothing that it acknowledged', async () => {
  let writes = 0
  const fault = ({ kind }: Operation) => {
    if (kind !== 'batch' && kind !== 'put') return undefined
    return ++writes === 9 ? 'refused' : undefined
  }
  const { engine, disk, head, cut } = await openOnDisk({ conditions: { fault } })
  assert.ok(head instanceof FaultyHead)
  const volume = await watchVolume(engine, { size: 65536 })
  let acknowledged = 0
  const failure = await (async () => {
    for (let k = 0; k < 100; k++) {
      await volume.write(k * 512, new Uint8Array(512).fill(k + 1))
      acknowledged++
    }
  })().catch((error: unknown) => error)
  assert.instance(failure, BlockboxError)
  assert.ok(acknowledged > 0 && acknowledged < 100)
  cut()
  disk.powerLoss(0)
  head.powerLoss(0)
  const again = await openOnDisk({ disk, head })
  const other = await watchVolume(again.engine, { size: 512, name: 'other' })
  for (let k = 0; k < acknowledged; k++) {
    const ask = {
      kind: 'io.read',
      session: other.session,
      volume: volume.volume,
      offset: k * 512,
      length: 512,
    } as const
    assert.equal((await again.engine.submit(ask)).data, new Uint8Array(512).fill(k + 1))
  }
  await again.engine.close()
})

test('deeds are chosen, and crashed at every disk write', async () => {
  const among: Deed[] = deeds.filter(({ name }) => name === 'pair.sync' || name === 'preserve.create')
  assert.is(among.length, 2)
  const { sequences, crashes, findings } = await enumerateCrashes({ most: 1, among })
  assert.is(sequences, 2)
  assert.ok(crashes > 0)
  assert.equal(findings, [])
})

test('a run is kept as a journal', async () => {
  const run = await simulate({ seed: 3, steps: 200, twice: false })
  await inFolder(async (folder) => {
    const path = join(folder, 'kept')
    await keepRun(path, run)
    const { journal, payload } = await openToRead(path)
    assert.is(journal.bounds().last, run.head.seq)
    assert.equal((await verify(journal, payload)).findings, [])
    await journal.close()
  })
})

test.run()
