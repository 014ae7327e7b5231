/**
 * LevelDB's fault_injection_test.cc and recovery_test.cc by the names of their cases, on real LevelDB folders. A power
 * cut leaves of a log all that was synced and any part of what came after; every append of a journal is synced, so what
 * was acknowledged is there and what was not is there whole or not at all. Node's LevelDB never writes on in an old log:
 * the cases about reuse show that a journal which is opened often, or whose log is cut anywhere, loses nothing.
 */

// limit: 240 s

import { appendFileSync, cpSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { crc32c } from '../../src/core/crc32c.ts'
import { Prng } from '../../src/core/prng.ts'
import { openToRead, openToWrite } from '../../src/engine/open-folder.ts'
import { segmentedBytes } from '../../src/journal/segmented-store.ts'
import { verify } from '../../src/replay/verify.ts'
import { judge } from '../../tools/sweep/judge.ts'
import { wholeOf } from '../../tools/sweep/whole.ts'
import { temporaryFolder } from '../support/folder.ts'
import { fails } from '../support/frames.ts'
import { biggest, block, filesOf, fill, write } from '../support/leveldb.ts'

const test = suite('LevelDB fault injection and recovery cases')
const folder = temporaryFolder()
test.after(() => folder.remove())

/** Opens, verifies and closes; how many events there are. */
async function soundEvents(path: string): Promise<number> {
  const { journal, payload } = await openToRead(path)
  try {
    const { findings, events } = await verify(journal, payload)
    assert.equal(findings, [])
    return events
  } finally {
    await journal.close()
  }
}

interface Moment {
  /** Bytes of the log that were synced, the head's bytes, and the last event that was durable then. */
  readonly log: number
  readonly head: Buffer
  readonly last: number
}

/** Writes `count` blocks to an open journal and notes what a power cut after each would have to leave. */
async function recorded(path: string, count: number): Promise<Moment[]> {
  const { engine, journal } = await openToWrite(path, { create: true })
  const moments: Moment[] = []
  const { made: session } = await engine.submit({ kind: 'session.open', detail: { name: 'host' } })
  for (let k = 0; k < count; k++) {
    await write(engine, session!, k % 8, 1 + k)
    const log = statSync(biggest(path, 'log')).size
    moments.push({ log, head: readFileSync(join(path, 'head')), last: journal.bounds().last })
  }
  cpSync(path, `${path}.cut`, { recursive: true })
  await engine.close()
  rmSync(path, { recursive: true })
  cpSync(`${path}.cut`, path, { recursive: true })
  rmSync(`${path}.cut`, { recursive: true })
  return moments
}

/** The folder as a power cut between two moments leaves it. */
function cutBetween(path: string, from: Moment, log: number): string {
  const cut = folder.copy(path)
  truncateSync(biggest(cut, 'log'), log)
  writeFileSync(join(cut, 'head'), from.head)
  return cut
}

async function volumeAt(path: string): Promise<void> {
  const { engine } = await fill(path, 8)
  await engine.close()
}

test('FaultTestNoLogReuse', async () => {
  const random = new Prng(7)
  let path = folder.fresh()
  await volumeAt(path)
  for (let round = 0; round < 4; round++) {
    const moments = await recorded(path, 6)
    const k = random.below(moments.length - 1)
    const [here, next] = [moments[k]!, moments[k + 1]!]
    const cut = cutBetween(path, here, here.log + random.below(next.log - here.log))
    assert.is(await soundEvents(cut), here.last, `round ${round}: acknowledged up to event ${here.last}`)
    path = cut
  }
})

test('FaultTestWithLogReuse', async () => {
  const path = folder.fresh()
  await volumeAt(path)
  const moments = await recorded(path, 8)
  for (const [k, here] of moments.entries()) {
    const next = moments[k + 1]
    for (const log of next === undefined ? [here.log] : [here.log, (here.log + next.log) >> 1, next.log]) {
      const events = await soundEvents(cutBetween(path, here, log))
      assert.is(events, log === next?.log ? next.last : here.last, `cut at ${log} after event ${here.last}`)
    }
    if (k > 0) {
      const lost = cutBetween(path, here, moments[k - 1]!.log)
      await fails('JOURNAL_LOST_TAIL', () => openToRead(lost), moments[k - 1]!.last + 1)
    }
  }
})

test('ManifestReused', async () => {
  const path = folder.fresh()
  await volumeAt(path)
  const events = await soundEvents(path)
  const manifests = new Set<string>()
  for (let k = 0; k < 10; k++) {
    assert.is(await soundEvents(path), events)
    manifests.add(biggest(path, 'manifest'))
  }
  assert.is(manifests.size, 10, 'a manifest is never written on: each opening makes its own')
  assert.is(filesOf(path, 'manifest').length, 1)
})

test('LargeManifestCompacted', async () => {
  const path = folder.fresh()
  await volumeAt(path)
  const events = await soundEvents(path)
  appendFileSync(biggest(path, 'manifest'), new Uint8Array(3 * 2 ** 20))
  assert.is(await soundEvents(path), events)
  assert.ok(statSync(biggest(path, 'manifest')).size < 65_536)
})

test('NoLogFiles', async () => {
  const path = folder.fresh()
  const { engine } = await fill(path, 8)
  const copy = folder.copy(path)
  await engine.close()
  for (const log of filesOf(copy, 'log')) rmSync(log)
  await fails('JOURNAL_LOST_TAIL', () => openToRead(copy), 1)
})

test('LogFileReuse', async () => {
  const path = folder.fresh()
  const { engine } = await fill(path, 8)
  const copy = folder.copy(path)
  await engine.close()
  const log = biggest(copy, 'log')
  const events = await soundEvents(copy)
  assert.not.ok(filesOf(copy, 'log').includes(log), 'an old log becomes a table')
  assert.is(filesOf(copy, 'table').length, 1)
  for (let k = 0; k < 3; k++) assert.is(await soundEvents(copy), events)
})

test('MultipleMemTables', async () => {
  const path = folder.fresh()
  const { engine } = await fill(path, 2)
  const data = new Uint8Array(segmentedBytes - block).fill(3)
  const all = { kind: 'volume.create', detail: { name: 'big', size: 64 * block, block } } as const
  const { made: volume } = await engine.submit(all)
  const count = Math.ceil((2.6 * 16 * 2 ** 20) / data.length)
  for (let k = 0; k < count; k++) {
    await engine.submit({ kind: 'io.write', session: 1, volume: volume!, offset: 0, data })
  }
  await engine.close()
  const copy = folder.copy(path)
  const whole = await wholeOf(copy, folder.fresh('work'))
  assert.ok(filesOf(copy, 'table').length > 0)
  assert.equal(await judge(copy, whole), { verdict: 'harmless' })
  const bytes = filesOf(copy, 'table').reduce((sum, name) => sum + statSync(name).size, 0)
  assert.ok(bytes > 2 * 16 * 2 ** 20, 'more than two write buffers, in however many tables')
})

test('MultipleLogFiles', async () => {
  const path = folder.fresh()
  const { engine } = await fill(path, 12)
  const copy = folder.copy(path)
  await engine.close()
  const whole = await wholeOf(copy, folder.fresh('work'))
  const log = biggest(copy, 'log')
  const records = recordsOf(readFileSync(log))
  assert.ok(records.length > 12)
  const name = (k: number) => join(copy, 'db', `${String(100 + k).padStart(6, '0')}.log`)
  rmSync(log)
  for (const [k, part] of [records.slice(0, 5), records.slice(5, 9), records.slice(9)].entries()) {
    writeFileSync(name(k), logOf(part))
  }
  const middle = folder.copy(copy)
  const last = folder.copy(copy)
  assert.equal(await judge(copy, whole), { verdict: 'harmless' })
  rmSync(join(middle, 'db', '000101.log'))
  const gap = await judge(middle, whole)
  assert.is(gap.code, 'JOURNAL_GAP')
  rmSync(join(last, 'db', '000102.log'))
  const { seq } = await fails('JOURNAL_LOST_TAIL', () => openToRead(last))
  assert.ok(seq! > gap.seq!)
  const old = folder.copy(path)
  const before = await soundEvents(old)
  writeFileSync(join(old, 'db', '000001.log'), logOf(records.slice(0, 5)))
  assert.is(await soundEvents(old), before, 'a log that the manifest has left behind is not read')
})

const logBlock = 32_768

/** The records of a log, put together from their fragments (doc/log_format.md of LevelDB). */
function recordsOf(log: Buffer): Buffer[] {
  const records: Buffer[] = []
  let parts: Buffer[] = []
  for (let at = 0; at + 7 <= log.length; ) {
    const left = logBlock - (at % logBlock)
    if (left < 7) {
      at += left
      continue
    }
    const length = log.readUInt16LE(at + 4)
    const type = log[at + 6]!
    parts.push(log.subarray(at + 7, at + 7 + length))
    if (type === 1 || type === 4) {
      records.push(Buffer.concat(parts))
      parts = []
    }
    at += 7 + length
  }
  return records
}

/** A log of these records. */
function logOf(records: readonly Buffer[]): Buffer {
  const pieces: Buffer[] = []
  let at = 0
  const add = (bytes: Buffer) => {
    pieces.push(bytes)
    at += bytes.length
  }
  for (const record of records) {
    for (let from = 0, first = true; first || from < record.length; first = false) {
      if (logBlock - (at % logBlock) < 7) add(Buffer.alloc(logBlock - (at % logBlock)))
      const part = record.subarray(from, from + logBlock - (at % logBlock) - 7)
      from += part.length
      const type = first ? (from === record.length ? 1 : 2) : from === record.length ? 4 : 3
      const body = Buffer.concat([Buffer.from([type]), part])
      const head = Buffer.alloc(6)
      const crc = crc32c(body)
      head.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0, 0)
      head.writeUInt16LE(part.length, 4)
      add(Buffer.concat([head, body]))
    }
  }
  return Buffer.concat(pieces)
}

test.run()
