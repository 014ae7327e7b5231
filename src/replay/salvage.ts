/**
 * Salvage: a new journal of the part of a damaged one that verifies, and what was lost. The damaged one is not touched:
 * all work is done on a copy of its database; its payload files are only read.
 *
 *     db ── copied ──▶ opened, or repaired and opened ──▶ frames in order, chained, dense, their payloads right
 *                                                             └─ the first that is not: what lies behind is not kept
 *
 * What lies behind the first fault is counted but never shown as verified: nothing ties it to the part in front.
 */

import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Finding } from '../check/check.ts'
import { hex, sameBytes } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import { Columns } from '../events/columns.ts'
import { type Base, readBase, writeBase } from '../journal/base.ts'
import { readCheckpoint, writeCheckpoint } from '../journal/checkpoints.ts'
import { openJournalFolder } from '../journal/folder.ts'
import { checkRows, decodeFrame, type Frame } from '../journal/frame.ts'
import { emptyHead, encodeHead, newestHead, slotBytes, slotSpacing } from '../journal/head.ts'
import { headFile } from '../journal/head-file.ts'
import type { Checkpoint } from '../journal/journal.ts'
import { from, key, numberOf, tables } from '../journal/keys.ts'
import { segmentedStore } from '../journal/segmented-store.ts'
import { isDamage, type KvStore, levelStore, readError, repairStore } from '../journal/store.ts'
import { chunkHeaderBytes, chunkOf, decodeChunk, encodeChunk, pieceKey } from '../payload/chunk.ts'
import { LevelPayload } from '../payload/level-payload.ts'
import { PayloadCheck } from './payload-check.ts'

/** No chunk has this number: nothing is put into the payload store that salvage reads. */
const noChunk = Number.MAX_SAFE_INTEGER

export interface Salvaged {
  /** Events that are kept; `last` is `first - 1` when there are none. */
  readonly first: number
  readonly last: number
  readonly frames: number
  readonly head: { readonly seq: number; readonly hash: string }
  /** Why nothing is kept behind `last`; undefined when the journal ends there. */
  readonly fault: Finding | undefined
  /** The last event that the old head says was durable; undefined when its head file is gone or damaged. */
  readonly durable: number | undefined
  /** Frames behind the fault that look like frames: not verified, not kept. */
  readonly behind: number
  /** True when LevelDB did not open the copy until it was repaired. */
  readonly repaired: boolean
}

/**
 * Makes the journal folder `to`, which must not exist, of what verifies in the journal folder `path`.
 * Throws JOURNAL_MISSING, USAGE when `to` exists, JOURNAL_CORRUPT when not even the beginning can be told.
 */
export async function salvage(path: string, to: string): Promise<Salvaged> {
  if (!existsSync(join(path, 'db'))) {
    throw new BlockboxError(
      'JOURNAL_MISSING',
      `there is no database at ${join(path, 'db')}: name a journal folder`,
    )
  }
  if (existsSync(to)) throw new BlockboxError('USAGE', `${to} exists: name a folder that does not`)
  const work = mkdtempSync(join(existsSync(dirname(to)) ? dirname(to) : tmpdir(), '.salvage-'))
  try {
    const copy = join(work, 'db')
    cpSync(join(path, 'db'), copy, { recursive: true })
    rmSync(join(copy, 'LOCK'), { force: true })
    const { store, repaired } = await opened(copy, join(path, 'payload'))
    try {
      const base = await readBase(store)
      const found = await verified(store, base)
      const { last, frames, head } = await keep(store, base, found, to)
      const durable = durableOf(join(path, 'head'))
      return {
        first: base.first,
        last,
        frames,
        head,
        fault: found.fault,
        durable,
        behind: found.behind,
        repaired,
      }
    } finally {
      await store.close()
    }
  } catch (error) {
    throw isDamage(error) ? readError(error, 1) : error
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function opened(copy: string, payload: string): Promise<{ store: KvStore; repaired: boolean }> {
  const store = segmentedStore(levelStore(copy), payload)
  try {
    await store.open()
    return { store, repaired: false }
  } catch {
    await store.close().catch(() => undefined)
  }
  await repairStore(copy)
  const mended = segmentedStore(levelStore(copy), payload)
  await mended.open()
  return { store: mended, repaired: true }
}

interface Verified {
  readonly frames: readonly { readonly first: number; readonly last: number }[]
  readonly end: Frame | undefined
  /** Payload chunks that the frames refer to. */
  readonly chunks: ReadonlySet<number>
  readonly fault: Finding | undefined
  readonly behind: number
}

/** Goes through the frames up to the first that cannot be trusted, one by one: an iterator stops at any damage ahead. */
async function verified(store: KvStore, base: Base): Promise<Verified> {
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
  if (fault === undefined && left.error !== undefined) {
    const { code, message } = readError(left.error, next())
    fault = { seq: next(), rule: code, detail: message }
  }
  return { frames, end, chunks, fault, behind: left.frames }
}

/** What lies from `seq` on, as far as the database can read it, and how many of it look like whole frames. */
async function framesFrom(
  store: KvStore,
  seq: number,
): Promise<{ entries: number; frames: number; error?: unknown }> {
  const found = { entries: 0, frames: 0 }
  try {
    for await (const [at, value] of entries(store, tables.frame, seq)) {
      found.entries++
      if (looksLikeAFrame(at, value)) found.frames++
    }
  } catch (error) {
    if (!isDamage(error)) throw error
    return { ...found, error }
  }
  return found
}

function looksLikeAFrame(at: Uint8Array, value: Uint8Array): boolean {
  try {
    decodeFrame(value, numberOf(at))
    return true
  } catch {
    return false
  }
}

function chunksOf(place: number, length: number): number[] {
  const [first, last] = [chunkOf(place), chunkOf(place + Math.max(0, Math.ceil(length / 512) - 1))]
  return Array.from({ length: last - first + 1 }, (_, k) => first + k)
}

/** Writes what is kept into a new journal folder. */
async function keep(store: KvStore, base: Base, { frames, end, chunks }: Verified, to: string) {
  await (await openJournalFolder(to, { create: true })).close()
  const target = levelStore(join(to, 'db'))
  await target.open()
  try {
    for (const chunk of chunks) await putChunk(store, target, chunk)
    for (const { first } of frames) {
      await target.put(key(tables.frame, first), (await store.get(key(tables.frame, first)))!, {
        sync: false,
      })
    }
    const last = end?.last ?? base.first - 1
    await keepCheckpoints(store, target, last)
    if (base.first > 1) await writeBase(target, base)
    const batch = target.batch()
    await batch.write({ sync: true })
    const head = { seq: last, hash: end?.hash ?? base.previous }
    await writeHead(to, head, end?.epoch ?? base.epoch)
    return { last, frames: frames.length, head: { seq: last, hash: hex(head.hash) } }
  } finally {
    await target.close()
  }
}

/** Checkpoints of what is kept go over when they verify; without one, the state is folded from the frames. */
async function keepCheckpoints(store: KvStore, target: KvStore, last: number): Promise<void> {
  const kept: Checkpoint[] = []
  for (let at = last; at > 0; at = kept.at(-1)!.seq - 1) {
    const found = await readCheckpoint(store, at, async () => true)
    if (found === undefined) break
    kept.push(found)
  }
  for (const checkpoint of kept.reverse()) await writeCheckpoint(target, checkpoint)
}

/** A chunk whose payloads were found right goes over as it is, or, when only its frame is damaged, made anew. */
async function putChunk(store: KvStore, target: KvStore, chunk: number): Promise<void> {
  for (let piece = 0; ; piece++) {
    const at = pieceKey(chunk, piece)
    const stored = await store.get(at)
    if (stored === undefined) return
    let value = stored
    try {
      decodeChunk(stored, chunk)
    } catch {
      value = encodeChunk(stored.subarray(chunkHeaderBytes))
    }
    await target.put(at, value, { sync: true })
  }
}

async function writeHead(to: string, at: { seq: number; hash: Uint8Array }, epoch: number): Promise<void> {
  const file = headFile(join(to, 'head'), false)
  try {
    for (const slot of [0, 1] as const) {
      const generation = emptyHead.generation + 1 + slot
      file.write(slot, encodeHead({ generation, durable: at, attempted: at, epoch }))
    }
    await file.sync()
  } finally {
    await file.close()
  }
}

function durableOf(path: string): number | undefined {
  if (!existsSync(path)) return undefined
  const bytes = new Uint8Array(readFileSync(path))
  const slots = [0, 1].map((k) => bytes.slice(k * slotSpacing, k * slotSpacing + slotBytes))
  return newestHead(slots)?.durable.seq
}

async function* entries(
  store: KvStore,
  table: number,
  first: number,
): AsyncGenerator<[Uint8Array, Uint8Array]> {
  const cursor = store.iterator(from(table, first))
  try {
    for (let some = await cursor.nextv(100); some.length > 0; some = await cursor.nextv(100)) yield* some
  } finally {
    await cursor.close()
  }
}
