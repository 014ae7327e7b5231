/**
 * Damage to LevelDB's own files, of which LevelDB itself says nothing: a journal never comes back shorter or altered
 * without an error that names the first sequence number that cannot be trusted, and opening destroys no evidence.
 */

import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { Prng } from '../../src/core/prng.ts'
import { openToRead, openToWrite } from '../../src/engine/open-folder.ts'
import { verify } from '../../src/replay/verify.ts'
import { temporaryFolder } from '../support/folder.ts'
import { fails } from '../support/frames.ts'

const test = suite('database damage')
const folder = temporaryFolder()

const block = 4096
/** Folders with 60 writes: as a killed process leaves them (frames in the .log), and opened again (in an .ldb). */
const made = { log: '', ldb: '' }
let events = 0

test.before(async () => {
  const path = folder.fresh()
  const { engine, journal } = await openToWrite(path, { create: true })
  await engine.submit({ kind: 'volume.create', detail: { name: 'disk', size: 64 * block, block } })
  await engine.submit({ kind: 'session.open', detail: { name: 'host' } })
  for (let k = 0; k < 60; k++) {
    const data = new Uint8Array(block).fill(k + 1)
    await engine.submit({ kind: 'io.write', session: 1, volume: 1, offset: k * block, data })
  }
  events = journal.bounds().last
  made.log = folder.copy(path)
  await engine.close()
  made.ldb = folder.copy(made.log)
  const look = await openToRead(made.ldb)
  await look.journal.close()
  assert.ok(filesOf(made.log, '.log').some((file) => statSync(file).size > 60 * block))
  assert.ok(filesOf(made.ldb, '.ldb').some((file) => statSync(file).size > 60 * block))
})

function filesOf(path: string, ends: string): string[] {
  return readdirSync(join(path, 'db'))
    .filter((name) => name.endsWith(ends) || name.startsWith(ends))
    .map((name) => join(path, 'db', name))
}

function only(files: readonly string[]): string {
  const big = files.filter((file) => statSync(file).size > 0)
  assert.is(big.length, 1, files.join())
  return big[0]!
}

function change(file: string, edit: (bytes: Buffer) => void): void {
  const bytes = readFileSync(file)
  edit(bytes)
  writeFileSync(file, bytes)
}

/** What opening and verifying says: undefined when every event and payload is there and right. */
async function verdictOf(path: string): Promise<{ code: string; seq: number } | undefined> {
  try {
    const { journal, payload } = await openToRead(path)
    try {
      const { findings, events: seen } = await verify(journal, payload)
      const [first] = findings
      if (first !== undefined) return { code: first.rule, seq: first.seq }
      assert.is(seen, events, 'a shorter journal was taken for a whole one')
      return undefined
    } finally {
      await journal.close()
    }
  } catch (error) {
    if (!(error instanceof BlockboxError) || error.seq === undefined) throw error
    return { code: error.code, seq: error.seq }
  }
}

const damageCodes = ['JOURNAL_LOST_TAIL', 'JOURNAL_GAP', 'JOURNAL_CORRUPT', 'PAYLOAD_CORRUPT']

/** Demands that damage is said, in front of all that was lost. */
async function isSaid(path: string, what: string): Promise<{ code: string; seq: number }> {
  const verdict = await verdictOf(path)
  assert.ok(verdict !== undefined, `${what}: nothing was said`)
  assert.ok(damageCodes.includes(verdict!.code), `${what}: ${verdict!.code}`)
  assert.ok(verdict!.seq >= 1 && verdict!.seq <= events, `${what}: event ${verdict!.seq}`)
  return verdict!
}

test('undamaged, both verify', async () => {
  assert.is(await verdictOf(folder.copy(made.log)), undefined)
  assert.is(await verdictOf(folder.copy(made.ldb)), undefined)
})

test('the log cut in half, deleted, a page of it zeroed', async () => {
  const half = folder.copy(made.log)
  const log = only(filesOf(half, '.log'))
  truncateSync(log, statSync(log).size / 2)
  const { code, seq } = await isSaid(half, 'log cut in half')
  assert.is(code, 'JOURNAL_LOST_TAIL')
  assert.ok(seq > 20 && seq < events - 20, `event ${seq}`)

  const gone = folder.copy(made.log)
  rmSync(only(filesOf(gone, '.log')))
  assert.equal(await isSaid(gone, 'log deleted'), { code: 'JOURNAL_LOST_TAIL', seq: 1 })

  for (const part of [0.1, 0.5, 0.9]) {
    const page = folder.copy(made.log)
    const file = only(filesOf(page, '.log'))
    const at = Math.floor(statSync(file).size * part)
    change(file, (bytes) => bytes.fill(0, at, at + 4096))
    await isSaid(page, `4 KiB of the log zeroed at ${part}`)
  }
})

test('one bit of the log, wherever it is', async () => {
  const random = new Prng(42)
  const size = statSync(only(filesOf(made.log, '.log'))).size
  for (let k = 0; k < 25; k++) {
    const path = folder.copy(made.log)
    const at = random.below(size)
    change(only(filesOf(path, '.log')), (bytes) => {
      bytes[at]! ^= 1 << random.below(8)
    })
    await isSaid(path, `bit of byte ${at} of the log`)
    rmSync(path, { recursive: true })
  }
})

/** Verdicts of a process of its own, which LevelDB must not get to end. */
function verdictsApart(paths: readonly string[]): string[] {
  const module = (name: string) => JSON.stringify(new URL(`../../src/${name}.js`, import.meta.url).href)
  const script = (left: readonly string[]) => `
    const { openToRead } = await import(${module('engine/open-folder')})
    const { verify } = await import(${module('replay/verify')})
    for (const path of ${JSON.stringify(left)}) {
      try {
        const { journal, payload } = await openToRead(path)
        const { findings, events } = await verify(journal, payload)
        await journal.close()
        console.log(findings.length > 0 ? findings[0].rule : 'whole ' + events)
      } catch (error) {
        console.log(error.seq === undefined ? String(error) : error.code)
      }
    }`
  const verdicts: string[] = []
  while (verdicts.length < paths.length) {
    const args = ['--input-type=module', '-e', script(paths.slice(verdicts.length))]
    const { stdout, signal } = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: 'pipe' })
    verdicts.push(...stdout.split('\n').filter((line) => line !== ''))
    if (signal !== null) verdicts.push(signal)
  }
  return verdicts
}

test('one bit of a table, wherever it is: said, or nothing is missing and nothing is changed', () => {
  const random = new Prng(43)
  const size = statSync(only(filesOf(made.ldb, '.ldb'))).size
  const places = Array.from({ length: 30 }, (_, k) =>
    k < 20 ? random.below(size) : size - 1 - random.below(600),
  )
  const paths = places.map((at) => {
    const path = folder.copy(made.ldb)
    change(only(filesOf(path, '.ldb')), (bytes) => {
      bytes[at]! ^= 1 << random.below(8)
    })
    return path
  })
  const whole = `whole ${events}`
  const verdicts = verdictsApart(paths)
  for (const [k, verdict] of verdicts.entries()) {
    const known = k < 20 ? [...damageCodes, whole] : [whole]
    assert.ok(known.includes(verdict), `byte ${places[k]} of ${size}: ${verdict}`)
  }
  assert.ok(verdicts.slice(0, 20).filter((verdict) => verdict === whole).length <= 4, verdicts.join())
})

test('a manifest cut in half, a bit of it, or none', async () => {
  const half = folder.copy(made.ldb)
  const manifest = only(filesOf(half, 'MANIFEST'))
  truncateSync(manifest, statSync(manifest).size / 2)
  await isSaid(half, 'manifest cut in half')
  const bit = folder.copy(made.ldb)
  change(only(filesOf(bit, 'MANIFEST')), (bytes) => {
    bytes[bytes.length - 20]! ^= 4
  })
  await isSaid(bit, 'bit of the manifest')
  const none = folder.copy(made.ldb)
  rmSync(only(filesOf(none, 'MANIFEST')))
  assert.equal(await isSaid(none, 'no manifest'), { code: 'JOURNAL_CORRUPT', seq: 1 })
  const table = folder.copy(made.ldb)
  rmSync(only(filesOf(table, '.ldb')))
  await isSaid(table, 'no table')
})

test('CURRENT emptied or deleted, or the whole database: refused, and not one file of it is touched', async () => {
  for (const source of [made.log, made.ldb]) {
    for (const how of ['emptied', 'deleted'] as const) {
      const path = folder.copy(source)
      const current = join(path, 'db', 'CURRENT')
      if (how === 'emptied') truncateSync(current, 0)
      else rmSync(current)
      const data = () =>
        readdirSync(join(path, 'db'))
          .filter((name) => /\.(log|ldb)$|^MANIFEST|^CURRENT/.test(name))
          .map((name) => [name, statSync(join(path, 'db', name)).size].join())
          .sort()
      const before = data()
      for (const create of [true, false]) {
        await fails('JOURNAL_CORRUPT', () => openToWrite(path, { create }), 1)
        await fails('JOURNAL_CORRUPT', () => openToRead(path), 1)
      }
      assert.equal(data(), before, how)
      rmSync(join(path, 'head'))
      await fails('JOURNAL_CORRUPT', () => openToWrite(path, { create: true }), 1)
      assert.equal(data(), before, how)
      assert.is(existsSync(join(path, 'head')), false)
    }
  }
  const path = folder.copy(made.log)
  rmSync(join(path, 'db'), { recursive: true })
  await fails('JOURNAL_CORRUPT', () => openToWrite(path, { create: true }), 1)
})

test('a head that is missing, zeroed or cut: not believed, and not made anew', async () => {
  for (const spoil of [
    (file: string) => rmSync(file),
    (file: string) => writeFileSync(file, new Uint8Array(8192)),
    (file: string) => truncateSync(file, 100),
    (file: string) => change(file, (bytes) => bytes.fill(1, 20, 21).fill(1, 4116, 4117)),
  ]) {
    const path = folder.copy(made.log)
    const head = join(path, 'head')
    spoil(head)
    const left = existsSync(head) ? readFileSync(head).toString('hex') : 'none'
    await fails('JOURNAL_CORRUPT', () => openToWrite(path), 1)
    await fails('JOURNAL_CORRUPT', () => openToRead(path), 1)
    assert.is(existsSync(head) ? readFileSync(head).toString('hex') : 'none', left)
  }
})

test('opening a damaged database keeps its files as they were found', async () => {
  const bit = folder.copy(made.log)
  const log = only(filesOf(bit, '.log'))
  change(log, (bytes) => {
    bytes[Math.floor(bytes.length / 2)]! ^= 1
  })
  const half = folder.copy(made.ldb)
  const manifest = only(filesOf(half, 'MANIFEST'))
  truncateSync(manifest, statSync(manifest).size / 2)
  for (const [path, file] of [
    [bit, log],
    [half, only(filesOf(half, '.ldb'))],
  ] as const) {
    const before = readFileSync(file)
    const name = file.slice(join(path, 'db').length + 1)
    const { code } = await isSaid(path, name)
    for (let k = 0; k < 2; k++) await isSaid(path, name)
    assert.ok(readFileSync(join(path, 'found', name)).equals(before), `${name} after ${code}`)
    assert.equal(
      readdirSync(path).filter((one) => one.startsWith('found')),
      ['found'],
    )
  }
  const whole = folder.copy(made.log)
  assert.is(await verdictOf(whole), undefined)
  assert.equal(
    readdirSync(whole).filter((one) => one.startsWith('found')),
    [],
  )
  const spoilt = folder.copy(made.log)
  change(only(filesOf(spoilt, '.log')), (bytes) => bytes.fill(0, 100_000, 104_096))
  const { journal } = await openToRead(spoilt)
  assert.match(journal.remarks.join(), /the database dropped records: .*dropping \d+ bytes.*kept in .*found/)
  await journal.close()
})

test('an old copy of the database under a newer head is a lost tail', async () => {
  const path = folder.copy(made.log)
  const { engine } = await openToWrite(path)
  await engine.close()
  rmSync(join(path, 'db'), { recursive: true })
  cpSync(join(made.log, 'db'), join(path, 'db'), { recursive: true })
  await fails('JOURNAL_LOST_TAIL', () => openToRead(path), events + 1)
})

test.after(folder.remove)
test.run()
