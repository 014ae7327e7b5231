/**
 * Settling the tail when a journal is opened: what the database holds against what the head says.
 *
 *     head durable ──▶ frames beyond it that verify: kept, the append was in doubt and did happen
 *                      the last one does not verify: torn, cut back, and said
 *     a last frame before the durable head: events are lost      anything else that does not verify: damage
 */

import { hex, sameBytes } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import type { Base } from './base.ts'
import { damage, decodeFrame, type Frame } from './frame.ts'
import type { Head } from './head.ts'
import { from, key, numberOf, tables } from './keys.ts'
import { type KvStore, readError } from './store.ts'

/** How a broken chain is said. */
export const unchained = 'does not hang on the one before it: one of the two was replaced'

export interface Tail {
  /** The last frame that counts; undefined when there is none. */
  readonly last: Frame | undefined
  /** Keys of frames that are to be cut. */
  readonly cut: readonly number[]
  readonly remarks: readonly string[]
}

/**
 * Compares frames and head. Throws JOURNAL_LOST_TAIL, JOURNAL_GAP or JOURNAL_CORRUPT with the first bad sequence
 * number. One append is in flight at a time, so that only the very last frame can be torn: anything wrong in front
 * of it is damage, wherever the head stands.
 */
export async function settleTail(store: KvStore, head: Head, base: Base): Promise<Tail> {
  const { seq: durable } = head.durable
  const beyond = await keysFrom(store, Math.max(durable + 1, base.first))
  const anchor = await anchored(store, head, base, beyond.length > 0)
  let last = anchor
  for (const [k, first] of beyond.entries()) {
    const next = await following(store, first, last, base, k === beyond.length - 1)
    if (next === undefined) return { last, cut: [first], remarks: [tornRemark(first)] }
    last = next
  }
  return { last, cut: [], remarks: remarksOf(head, last) }
}

/** The frame the head says was the last durable one; undefined when the frames left begin behind it. */
async function anchored(store: KvStore, head: Head, base: Base, goesOn: boolean): Promise<Frame | undefined> {
  const { seq: durable, hash } = head.durable
  if (durable < base.first) {
    if (durable < base.first - 1 || sameBytes(hash, base.previous)) return undefined
    throw damage('JOURNAL_CORRUPT', base.first, `the head and the beginning at event ${base.first} disagree`)
  }
  const anchor = await frameAt(store, durable)
  if (anchor === undefined || anchor.last < durable) {
    const lost = Math.max(base.first, (anchor?.last ?? 0) + 1)
    const what = `events ${lost} to ${durable} are lost: the head says that they were durable`
    if (goesOn) throw damage('JOURNAL_GAP', lost, `${what}, the database has a gap there`)
    throw damage('JOURNAL_LOST_TAIL', lost, `${what}, the database ends before them`)
  }
  if (anchor.last === durable && sameBytes(anchor.hash, hash)) return anchor
  const shown = hex(anchor.hash).slice(0, 16)
  throw damage(
    'JOURNAL_CORRUPT',
    anchor.first,
    `the frame of event ${durable} has the hash ${shown}..., not the one the head remembers: it was replaced`,
  )
}

/** The frame at key `first` behind `last`; undefined when it is torn, which only the final one can be. */
async function following(
  store: KvStore,
  first: number,
  last: Frame | undefined,
  base: Base,
  final: boolean,
): Promise<Frame | undefined> {
  const next = (last?.last ?? base.first - 1) + 1
  if (first > next) throw damage('JOURNAL_GAP', next, `events ${next} to ${first - 1} are missing`)
  if (first < next) throw damage('JOURNAL_CORRUPT', first, `event ${first} stands in two frames`)
  const frame = decoded(await store.get(key(tables.frame, first)), first, final)
  if (frame === undefined || sameBytes(frame.previous, last?.hash ?? base.previous)) return frame
  throw damage('JOURNAL_CORRUPT', first, `the frame of event ${first} ${unchained}`)
}

function decoded(value: Uint8Array | undefined, first: number, final: boolean): Frame | undefined {
  try {
    return decodeFrame(value ?? new Uint8Array(0), first)
  } catch (error) {
    const torn = final && error instanceof BlockboxError && error.code === 'JOURNAL_CORRUPT'
    if (torn) return undefined
    throw error
  }
}

function tornRemark(first: number): string {
  return `cut back a torn frame at event ${first}: its append never ended`
}

function remarksOf(head: Head, last: Frame | undefined): string[] {
  const { durable, attempted } = head
  const end = last?.last ?? durable.seq
  if (end > durable.seq && durable.seq > 0) {
    const kept = `events ${durable.seq + 1} to ${end}`
    return [`${kept} were found beyond the head and kept: their append was in doubt`]
  }
  if (attempted.seq <= end) return []
  return [`events ${end + 1} to ${attempted.seq} were being written at the end and did not get there`]
}

/** The frame that holds event `seq`, verified by its own hash; undefined when there is none at or before it. */
export async function frameAt(store: KvStore, seq: number): Promise<Frame | undefined> {
  if (seq < 1) return undefined
  const bounds = { gte: key(tables.frame, 1), lt: key(tables.frame, seq + 1), reverse: true, limit: 1 }
  const cursor = store.iterator(bounds)
  try {
    const [entry] = await cursor.nextv(1)
    return entry === undefined ? undefined : decodeFrame(entry[1], numberOf(entry[0]))
  } catch (error) {
    throw readError(error, seq)
  } finally {
    await cursor.close()
  }
}

async function keysFrom(store: KvStore, seq: number): Promise<number[]> {
  const cursor = store.keys(from(tables.frame, seq))
  try {
    const firsts: number[] = []
    for (let keys = await cursor.nextv(1000); keys.length > 0; keys = await cursor.nextv(1000)) {
      firsts.push(...keys.map(numberOf))
    }
    return firsts
  } finally {
    await cursor.close()
  }
}
