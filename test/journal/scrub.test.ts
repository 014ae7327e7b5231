/**
 * Bits flipped anywhere in a database's files, in what is live and in what was replaced or belongs to a checkpoint: a
 * verify with a scrub says so every time; what a power cut tears at the end of a log is no damage.
 */

import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { Prng } from '../../src/core/prng.ts'
import { openToRead, openToWrite } from '../../src/engine/open-folder.ts'
import { scrub } from '../../src/journal/scrub.ts'
import { findingsOfStore, verify } from '../../src/replay/verify.ts'
import { temporaryFolder } from '../support/folder.ts'

const test = suite('scrub')
const folder = temporaryFolder()
test.after(() => folder.remove())

const block = 4096
/** A journal with checkpoints, older ones of them replaced: its frames in a log, and after an opening in a table. */
const made = { log: '', ldb: '' }

test.before(async () => {
  made.log = folder.fresh()
  const { engine } = await openToWrite(made.log, { create: true, checkpointEvery: 12 })
  await engine.submit({ kind: 'volume.create', detail: { name: 'disk', size: 64 * block, block } })
  await engine.submit({ kind: 'session.open', detail: { name: 'host' } })
  for (let k = 0; k < 80; k++) {
    const data = new Uint8Array(block).fill(k + 1)
    await engine.submit({ kind: 'io.write', session: 1, volume: 1, offset: (k % 64) * block, data })
  }
  await engine.close()
  made.ldb = folder.copy(made.log)
  const { journal } = await openToRead(made.ldb)
  await journal.close()
})

/** The file of a database with the most bytes. */
function biggest(path: string): string {
  const files = readdirSync(join(path, 'db')).map((name) => join(path, 'db', name))
  return files.sort((a, b) => readFileSync(b).length - readFileSync(a).length)[0]!
}

/** The rules that a verify with a scrub names. */
async function named(path: string): Promise<string[]> {
  try {
    const found: string[] = []
    const onFound = async (at: string) => {
      const faults = await scrub(at)
      found.push(...findingsOfStore(faults).map(({ rule }) => rule))
      return faults
    }
    const { journal, payload } = await openToRead(path, { onFound })
    const { findings } = await verify(journal, payload)
    await journal.close()
    return [...found, ...findings.map(({ rule }) => rule)]
  } catch (error) {
    if (!(error instanceof BlockboxError)) throw error
    return [error.code]
  }
}

test('what is whole is sound, in a log and in a table', async () => {
  assert.match(biggest(made.log), /\.log$/)
  assert.match(biggest(made.ldb), /\.ldb$/)
  for (const path of [made.log, made.ldb]) assert.equal(await named(folder.copy(path)), [])
})

for (const form of ['log', 'ldb'] as const) {
  test(`a bit flipped anywhere is found (${form})`, async () => {
    const random = new Prng(form === 'log' ? 5 : 6)
    let beside = 0
    for (let k = 0; k < 60; k++) {
      const path = folder.copy(made[form])
      const file = biggest(path)
      const bytes = readFileSync(file)
      const at = random.below(bytes.length)
      bytes[at]! ^= 1 << random.below(8)
      writeFileSync(file, bytes)
      const rules = await named(path)
      assert.ok(rules.length > 0, `bit at ${at} of ${bytes.length}`)
      if (rules.every((rule) => rule === 'STORE_CORRUPT' || rule === 'CHECKPOINT_CORRUPT')) beside++
    }
    assert.ok(beside > 0, 'some of it is beside history and payload, where only the scrub looks')
  })
}

test('each byte of footer and index of a table counts', async () => {
  const path = folder.copy(made.ldb)
  const file = biggest(path)
  const sound = readFileSync(file)
  for (let at = sound.length - 120; at < sound.length; at++) {
    const bytes = Buffer.from(sound)
    bytes[at]! ^= 1 << (at % 8)
    writeFileSync(file, bytes)
    const faults = await scrub(join(path, 'db'))
    assert.is(faults.length, 1, `byte ${at} of ${sound.length}`)
  }
})

test('a table that was cut short is damaged, down to its last byte', async () => {
  const path = folder.copy(made.ldb)
  const file = biggest(path)
  const sound = readFileSync(file)
  for (const left of [sound.length - 1, sound.length - 48, 4096, 48, 47, 1, 0]) {
    writeFileSync(file, sound.subarray(0, left))
    assert.is((await scrub(join(path, 'db'))).length, 1, `${left} bytes are left`)
  }
})

test('a table that was being written when the process ended is no damage', async () => {
  const path = folder.copy(made.ldb)
  const sound = readFileSync(biggest(path))
  const unnamed = join(path, 'db', '000099.ldb')
  for (const left of [0, 47, 4096, sound.length - 1]) {
    writeFileSync(unnamed, sound.subarray(0, left))
    assert.equal(await scrub(join(path, 'db')), [], `${left} bytes were written`)
  }
  assert.equal(await named(path), [])
  assert.not.ok(existsSync(unnamed), 'LevelDB deletes it')
})

test('where the manifest cannot be read, every table counts', async () => {
  const path = folder.copy(made.ldb)
  writeFileSync(join(path, 'db', '000099.ldb'), 'half a table')
  const manifest = readdirSync(join(path, 'db')).find((name) => name.startsWith('MANIFEST'))!
  writeFileSync(join(path, 'db', 'CURRENT'), 'MANIFEST-999999\n')
  assert.equal(
    (await scrub(join(path, 'db'))).map(({ file }) => file),
    ['000099.ldb'],
  )
  writeFileSync(join(path, 'db', 'CURRENT'), `${manifest}\n`)
  writeFileSync(join(path, 'db', manifest), Buffer.alloc(100, 1))
  assert.ok((await scrub(join(path, 'db'))).some(({ file }) => file === '000099.ldb'))
})

test('a log torn or littered at its end is not damaged, one with a hole is', async () => {
  const path = folder.copy(made.log)
  const file = biggest(path)
  const sound = readFileSync(file)
  const look = async (bytes: Uint8Array) => {
    writeFileSync(file, bytes)
    return (await scrub(join(path, 'db'))).length
  }
  for (const cut of [1, 8, 100, 5000, 40_000])
    assert.is(await look(sound.subarray(0, -cut)), 0, `cut by ${cut}`)
  assert.is(await look(Buffer.concat([sound, Buffer.alloc(70_000)])), 0, 'zeros')
  assert.is(await look(Buffer.concat([sound, Buffer.alloc(9000, 0xa5)])), 0, 'garbage')
  assert.is(await look(Buffer.from(sound).fill(0, 100_000, 104_096)), 1, 'a hole')
  truncateSync(file, 0)
  assert.is((await scrub(join(path, 'db'))).length, 0)
})

test.run()
