/**
 * Survey: how far a journal can be trusted that may not open. The database's files are read without LevelDB, and not a
 * byte of them changes.
 *
 *     frames in order, chained, dense, their payloads right ─▶ the first that is not ─▶ what lies behind is only counted
 */

import { join } from 'node:path'
import type { Finding } from '../check/check.ts'
import { sameBytes } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import { Columns } from '../events/columns.ts'
import { type Base, readBase } from '../journal/base.ts'
import { fileStore } from '../journal/file-store.ts'
import { stampOf } from '../journal/found-damage.ts'
import { checkRows, decodeFrame, type Frame } from '../journal/frame.ts'
import { newestHead } from '../journal/head.ts'
import { headFile } from '../journal/head-file.ts'
import { from, key, tables } from '../journal/keys.ts'
import { segmentFolder } from '../journal/segment-folder.ts'
import { segmentedStore } from '../journal/segmented-store.ts'
import { inUseMessage, type KvStore, readError } from '../journal/store.ts'
import { isWholeValue } from '../journal/whole-value.ts'
import { chunkOf } from '../payload/chunk.ts'
import { LevelPayload } from '../payload/level-payload.ts'
import { PayloadCheck } from './payload-check.ts'

/** No chunk has this number: nothing is put into the payload store that is read here. */
const noChunk = Number.MAX_SAFE_INTEGER

export interface Survey {
  /** The database, read from its files; to be closed. */
  readonly store: KvStore
  readonly base: Base
  /** The frames that verify, in order. */
  readonly frames: readonly { readonly first: number; readonly last: number }[]
  /** The last of them. */
  readonly end: Frame | undefined
  /** Payload chunks that the frames refer to. */
  readonly chunks: ReadonlySet<number>
  /**
   * Why nothing behind them can be trusted; undefined when the journal ends there, or with the append that was torn: all
   * that was durable is there, and nothing whole lies behind.
   */
  readonly fault: Finding | undefined
  /** The last event that the head says was durable; undefined when its file is gone or damaged. */
  readonly durable: number | undefined
  /** Frames behind the fault that look like frames. */
  readonly behind: number
}

/**
 * Goes through the frames of the journal folder `path` up to the first that cannot be trusted.
 * Throws JOURNAL_CORRUPT when not even the beginning can be told, JOURNAL_LOCKED when it was written to meanwhile.
 */
export async function survey(path: string): Promise<Survey> {
  const db = join(path, 'db')
  const before = stampOf(db)
  const store = segmentedStore(
    await fileStore(db, isWholeValue, { torn: true }),
    segmentFolder(join(path, 'payload')),
  )
  try {
    const found = await verified(store, await readBase(store))
    const durable = await durableOf(join(path, 'head'))
    if (stampOf(db) !== before) throw new BlockboxError('JOURNAL_LOCKED', inUseMessage)
    const reached = found.end?.last ?? found.base.first - 1
    const isTorn = durable !== undefined && reached >= durable && found.behind === 0
    return { ...found, durable, fault: isTorn ? undefined : found.fault }
  } catch (error) {
    await store.close()
    throw error
  }
}

async function verified(store: KvStore, base: Base): Promise<Omit<Survey, 'durable'>> {
  const payloads = new PayloadCheck(new LevelPayload(store, noChunk))
  const columns = new Columns()
  const frames: { first: number; last: number }[] = []
  const chunks = new Set<number>()
  let end: Frame | undefined
  let fault: Finding | undefined
  const follow = (first: number, value: Uint8Array) => {
    const frame = decodeFrame(value, first)
    if (!sameBytes(frame.previous, end?.hash ?? base.previous)) {
      const message = `the frame of event ${first} does not hang on the one before it`
      throw new BlockboxError('JOURNAL_CORRUPT', message, { seq: first })
    }
    const row = frame.open(columns)
    checkRows(frame, row)
    const [wrong] = payloads.faults(frame, row)
    if (wrong !== undefined) {
      throw new BlockboxError('PAYLOAD_CORRUPT', wrong.detail, { seq: wrong.seq })
    }
    for (row.index = 0; row.index < frame.count; row.index++) {
      if (row.payload > 0) for (const chunk of chunksOf(row.payload, row.length)) chunks.add(chunk)
    }
    frames.push({ first, last: frame.last })
    end = frame
  }
  const next = () => (end?.last ?? base.first - 1) + 1
  for (; fault === undefined; ) {
    const seq = next()
    try {
      const value = await store.get(key(tables.frame, seq))
      if (value === undefined) break
      follow(seq, value)
    } catch (error) {
      const { code, seq: bad = seq, message } = readError(error, seq)
      fault = { seq: bad, rule: code, detail: message }
    }
  }
  const left = await framesFrom(store, next() + (fault === undefined ? 0 : 1))
  if (fault === undefined && left.entries > 0) {
    fault = { seq: next(), rule: 'JOURNAL_GAP', detail: `event ${next()} is missing` }
  }
  return { store, base, frames, end, chunks, fault, behind: left.frames }
}

/** What lies from `seq` on, and how many of it look like whole frames. */
async function framesFrom(store: KvStore, seq: number): Promise<{ entries: number; frames: number }> {
  const found = { entries: 0, frames: 0 }
  const cursor = store.iterator(from(tables.frame, seq))
  for (let some = await cursor.nextv(100); some.length > 0; some = await cursor.nextv(100)) {
    found.entries += some.length
    found.frames += some.filter(([at, value]) => isWholeValue(at, value)).length
  }
  return found
}

function chunksOf(place: number, length: number): number[] {
  const [first, last] = [chunkOf(place), chunkOf(place + Math.max(0, Math.ceil(length / 512) - 1))]
  return Array.from({ length: last - first + 1 }, (_, k) => first + k)
}

async function durableOf(path: string): Promise<number | undefined> {
  const head = headFile(path, true)
  try {
    return newestHead(await head.read())?.durable.seq
  } finally {
    await head.close()
  }
}
