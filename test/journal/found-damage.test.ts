/**
 * The database's files are looked at before LevelDB opens them: where LevelDB would end the process, a journal can still
 * be looked at, verified and salvaged; it is not opened to write; and nobody judges files that somebody has open.
 */

// limit: 120 s

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openToRead, openToWrite } from '../../src/engine/open-folder.ts'
import { key, tables } from '../../src/journal/keys.ts'
import { outlineFaults, scrub } from '../../src/journal/scrub.ts'
import { levelStore } from '../../src/journal/store.ts'
import { salvage } from '../../src/replay/salvage.ts'
import { verify } from '../../src/replay/verify.ts'
import { temporaryFolder } from '../support/folder.ts'
import { fails } from '../support/frames.ts'
import { biggest, corrupt, filesOf, fill } from '../support/leveldb.ts'
import { blockbox } from '../tools/commands/blockbox.ts'

const test = suite('damage found')
const folder = temporaryFolder()
test.after(() => folder.remove())

const writes = 30
const footerBytes = 48
let whole = ''
let events = 0

test.before(async () => {
  whole = folder.fresh()
  const { engine } = await fill(whole, writes)
  await engine.close()
  const { journal } = await openToRead(whole)
  events = journal.bounds().last
  await journal.close()
})

/** A copy whose table says of its index that it has 2^41 bytes, for which LevelDB asks memory. */
function fatal(): string {
  const path = folder.copy(whole)
  const table = biggest(path, 'table')
  const bytes = readFileSync(table)
  const footer = bytes.length - footerBytes
  bytes.fill(0, footer, bytes.length - 8)
  bytes.set([0, 8, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], footer)
  writeFileSync(table, bytes)
  return path
}

const stored = (path: string) =>
  readdirSync(join(path, 'db')).map((name) => [name, readFileSync(join(path, 'db', name)).toString('base64')])

test('where LevelDB ends the process, verify says what is damaged', async () => {
  const path = fatal()
  const script = `
    const { Level } = await import(${JSON.stringify(import.meta.resolve('level'))})
    const level = new Level(${JSON.stringify(join(folder.copy(path), 'db'))}, { keyEncoding: 'view', valueEncoding: 'view' })
    await level.open()
    await level.get(new Uint8Array([0x66, 0, 0, 0, 0, 0, 0, 0, 1]))`
  const raw = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  assert.is(raw.signal, 'SIGABRT', `${raw.stdout}${raw.stderr}`)
  const { code, out } = await blockbox(['verify', '-j', path])
  assert.is(code, 12)
  assert.match(out, 'history and payloads are sound, the database is damaged')
  assert.match(out, /database: STORE_CORRUPT: the footer at byte \d+ of the file \d+\.ldb/)
  const { findings, events: seen } = JSON.parse((await blockbox(['verify', '-j', path, '--json'])).out)
  assert.equal([findings.length, seen], [1, events])
  assert.is((await blockbox(['info', '-j', path])).code, 0)
})

test('it is read without LevelDB, salvaged whole, and not one byte of the database changes', async () => {
  const path = fatal()
  const before = stored(path).filter(([name]) => !/^LO/.test(name!))
  const { journal, payload } = await openToRead(path)
  assert.match(journal.remarks.join(), /the database is damaged \(the footer at byte .* read without LevelDB/)
  assert.equal((await verify(journal, payload)).findings, [])
  await journal.close()
  const error = await fails('JOURNAL_CORRUPT', () => openToWrite(path), 1)
  assert.match(
    error.message,
    /the footer at byte .* `blockbox verify`, keep the rest with `blockbox salvage`/,
  )
  const to = folder.fresh()
  const { last, fault, unlisted } = await salvage(path, to)
  assert.equal({ last, fault, unlisted }, { last: events, fault: undefined, unlisted: false })
  const { engine } = await openToWrite(to)
  await engine.close()
  assert.equal(
    stored(path).filter(([name]) => !/^LO/.test(name!)),
    before,
  )
})

test('damage that LevelDB can open over is left to it by who writes; who looks reads without it', async () => {
  const path = folder.copy(whole)
  corrupt(biggest(path, 'table'), 20_000, 1)
  assert.equal(outlineFaults(join(path, 'db')), [])
  assert.is(outlineFaults(join(path, 'db'), { few: true }).length, 1)
  const writing = await openToWrite(folder.copy(path))
  assert.equal(writing.journal.remarks, [])
  await writing.engine.close()
  const plain = await openToRead(folder.copy(path))
  assert.match(plain.journal.remarks.join(), /a block at byte .* read without LevelDB/)
  await plain.journal.close()
  const before = stored(path).filter(([name]) => !/^LO/.test(name!))
  const scrubbed = await openToRead(path, { onFound: scrub })
  assert.match(scrubbed.journal.remarks.join(), /a block at byte .* read without LevelDB/)
  assert.is((await verify(scrubbed.journal, scrubbed.payload)).findings.length, 1)
  await scrubbed.journal.close()
  assert.equal(
    stored(path).filter(([name]) => !/^LO/.test(name!)),
    before,
  )
})

test('of tables with many bytes only what LevelDB finds its way by is looked at', async () => {
  const path = folder.fresh()
  const { engine } = await fill(path, 3)
  await engine.close()
  const store = levelStore(join(path, 'db'))
  await store.open()
  const beyond = 2 ** 30
  for (let k = 0; k < 40; k++)
    await store.put(key(tables.payload, beyond + k), new Uint8Array(2 ** 20).fill(k), { sync: false })
  await store.close()
  await (await openToRead(path)).journal.close()
  const large = filesOf(path, 'table').filter((file) => statSync(file).size > 2 ** 21)
  for (const file of large) corrupt(file, 2 ** 20, 1)
  assert.equal(outlineFaults(join(path, 'db'), { few: true }), [])
  assert.ok((await scrub(join(path, 'db'))).length > 0)
  const { journal } = await openToRead(path)
  assert.equal(journal.remarks, [])
  await journal.close()
})

test('what another process has open is not judged: it is in use, however its files look', async () => {
  const path = folder.copy(whole)
  const script = `
    const { openToWrite } = await import(${JSON.stringify(new URL('../../src/engine/open-folder.js', import.meta.url).href)})
    const { engine } = await openToWrite(${JSON.stringify(path)})
    console.log('open')
    process.stdin.once('data', () => engine.close())`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  await once(child.stdout, 'data')
  try {
    corrupt(biggest(path, 'table'), -20, 1)
    let looked = 0
    const onFound = async () => {
      looked++
      return []
    }
    await fails('JOURNAL_LOCKED', () => openToRead(path, { onFound }))
    await fails('JOURNAL_LOCKED', () => openToRead(path))
    assert.is(looked, 0)
    const { code, out } = await blockbox(['verify', '-j', path])
    assert.equal({ code, out }, { code: 11, out: '' })
  } finally {
    child.stdin.end('close\n')
    await ended
  }
  assert.is((await blockbox(['verify', '-j', path])).code, 12)
})

test('files that change while they are looked at are in use', async () => {
  const path = folder.copy(whole)
  const onFound = async (db: string) => {
    writeFileSync(join(db, '000099.log'), 'somebody came')
    return scrub(db)
  }
  await fails('JOURNAL_LOCKED', () => openToRead(path, { onFound }))
})

test('an error of the look is passed on, and the journal opens afterwards', async () => {
  const path = folder.copy(whole)
  const onFound = async () => {
    throw new Error('interrupted')
  }
  let said = ''
  await openToRead(path, { onFound }).catch((error: Error) => {
    said = error.message
  })
  assert.is(said, 'interrupted')
  const { engine } = await openToWrite(path)
  await engine.close()
})

test.run()
