/** Salvage keeps exactly the part that verifies, leaves the damaged journal alone, and says what was lost. */

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openToRead, openToWrite } from '../../src/engine/open-folder.ts'
import { replay } from '../../src/replay/replay.ts'
import { salvage } from '../../src/replay/salvage.ts'
import { verify } from '../../src/replay/verify.ts'
import { temporaryFolder } from '../support/folder.ts'
import { fails } from '../support/frames.ts'

const test = suite('salvage')
const folder = temporaryFolder()
const block = 4096
const writes = 40

const whole = { path: '', last: 0 }

test.before(async () => {
  whole.path = folder.fresh()
  const { engine, journal } = await openToWrite(whole.path, { create: true })
  await engine.submit({ kind: 'volume.create', detail: { name: 'disk', size: 64 * block, block } })
  await engine.submit({ kind: 'session.open', detail: { name: 'host' } })
  for (let k = 0; k < writes; k++) {
    const data = new Uint8Array(block).fill(k + 1)
    await engine.submit({ kind: 'io.write', session: 1, volume: 1, offset: k * block, data })
  }
  await engine.close()
  whole.last = journal.bounds().last
})

test.after(() => folder.remove())

function logOf(path: string): string {
  const db = join(path, 'db')
  const name = readdirSync(db).find((one) => one.endsWith('.log') && statSync(join(db, one)).size > 0)
  return join(db, name!)
}

function digestOf(path: string): string {
  const digest = createHash('sha256')
  for (const name of readdirSync(path, { recursive: true }).map(String).sort()) {
    const file = join(path, name)
    if (statSync(file).isFile()) digest.update(name).update(readFileSync(file))
  }
  return digest.digest('hex')
}

async function isSound(path: string, last: number): Promise<void> {
  const { journal, payload } = await openToRead(path)
  try {
    assert.is(journal.bounds().last, last)
    assert.equal((await verify(journal, payload)).findings, [])
    assert.equal((await replay(journal)).findings, [])
  } finally {
    await journal.close()
  }
}

test('a whole journal is kept whole, with its head', async () => {
  const to = folder.fresh()
  const { last, fault, durable, behind, head } = await salvage(whole.path, to)
  assert.equal(
    { last, fault, durable, behind },
    { last: whole.last, fault: undefined, durable: whole.last, behind: 0 },
  )
  assert.is(head.seq, whole.last)
  await isSound(to, whole.last)
})

test('what was kept can be written on', async () => {
  const to = folder.fresh()
  await salvage(whole.path, to)
  const { engine } = await openToWrite(to)
  const { made: session } = await engine.submit({ kind: 'session.open', detail: { name: 'again' } })
  const { code, data } = await engine.submit({
    kind: 'io.read',
    session,
    volume: 1,
    offset: 0,
    length: block,
  })
  assert.is(code, 'ok')
  assert.equal(data, new Uint8Array(block).fill(1))
  await engine.close()
})

test('a flipped bit in the middle: what is in front is kept, the damaged journal is not touched', async () => {
  const damaged = folder.copy(whole.path)
  const log = logOf(damaged)
  const bytes = readFileSync(log)
  bytes[bytes.length >> 1]! ^= 1
  writeFileSync(log, bytes)
  const before = digestOf(damaged)
  const to = folder.fresh()
  const { last, fault, durable, behind } = await salvage(damaged, to)
  assert.is(digestOf(damaged), before)
  assert.ok(last > 3 && last < whole.last, `kept up to event ${last}`)
  assert.is(fault?.seq, last + 1)
  assert.is(durable, whole.last)
  assert.ok(behind > 0)
  await isSound(to, last)
})

test('a log cut in half, and a database that does not open', async () => {
  const cut = folder.copy(whole.path)
  truncateSync(logOf(cut), statSync(logOf(cut)).size >> 1)
  const half = folder.fresh()
  const found = await salvage(cut, half)
  assert.ok(found.last > 3 && found.last < whole.last)
  assert.is(found.durable, whole.last)
  await isSound(half, found.last)

  const headless = folder.copy(whole.path)
  rmSync(join(headless, 'db', 'CURRENT'))
  const to = folder.fresh()
  const { last, unlisted } = await salvage(headless, to)
  assert.equal({ last, unlisted }, { last: whole.last, unlisted: true })
  await isSound(to, whole.last)
})

test('only a checksum in front of the last frame is damaged: the journal does not open, all of it is kept', async () => {
  const damaged = folder.copy(whole.path)
  const log = logOf(damaged)
  const bytes = readFileSync(log)
  const recordHeader = 7 + 12 + 1 + 10 + 2
  bytes[bytes.lastIndexOf('BBF1') - recordHeader]! ^= 1
  writeFileSync(log, bytes)
  const refused = folder.copy(damaged)
  const { seq } = await fails('JOURNAL_LOST_TAIL', () => openToRead(refused))
  const to = folder.fresh()
  const { last, fault } = await salvage(damaged, to)
  assert.equal({ last, fault }, { last: whole.last, fault: undefined })
  assert.ok(seq! <= whole.last)
  await isSound(to, whole.last)
})

test('an append that was torn behind the head is no fault', async () => {
  const torn = folder.copy(whole.path)
  const log = logOf(torn)
  const bytes = readFileSync(log)
  writeFileSync(log, Buffer.concat([bytes, bytes.subarray(0, 500)]))
  const { last, fault, behind } = await salvage(torn, folder.fresh())
  assert.equal({ last, fault, behind }, { last: whole.last, fault: undefined, behind: 0 })
})

test('a folder that exists is not written over, one without a database is refused', async () => {
  const there = folder.copy(whole.path)
  await fails('USAGE', () => salvage(whole.path, there))
  await fails('JOURNAL_MISSING', () => salvage(folder.fresh(), folder.fresh()))
})

test.run()
