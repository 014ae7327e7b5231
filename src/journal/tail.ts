/**
 * Settling the tail when a journal is opened: what the database holds against what the head says.
 *
 *     head durable ──▶ frames beyond it that verify: kept, the append was in doubt and did happen
 *                      the first that does not verify, and what follows: cut back, and said
 *     a last frame before the durable head: events are lost      a frame up to it that does not verify: damage
 */

import { hex, sameBytes } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import type { Base } from './base.ts'
import { damage, decodeFrame, type Frame } from './frame.ts'
import type { Head } from './head.ts'
import { from, key, numberOf, tables } from './keys.ts'
import type { KvStore } from './store.ts'

export interface Tail {
  /** The last frame that counts; undefined when there is none. */
  readonly last: Frame | undefined
  /** Keys of frames that are to be cut. */
  readonly cut: readonly number[]
  readonly remarks: readonly string[]
}

/** Compares frames and head; throws JOURNAL_LOST_TAIL or JOURNAL_CORRUPT with the first bad sequence number. */
export async function settleTail(store: KvStore, head: Head, base: Base): Promise<Tail> {
  const { seq: durable, hash } = head.durable
  const anchor = await frameAt(store, durable)
  if (durable >= base.first) {
    if (anchor === undefined || anchor.last < durable) {
      const lost = (anchor?.last ?? base.first - 1) + 1
      throw damage(
        'JOURNAL_LOST_TAIL',
        lost,
        `events ${lost} to ${durable} are lost: the head says that they were durable, the database ends before them`,
      )
    }
    if (anchor.last !== durable || !sameBytes(anchor.hash, hash)) {
      const shown = hex(anchor.hash).slice(0, 16)
      throw damage(
        'JOURNAL_CORRUPT',
        anchor.first,
        `the frame of event ${durable} has the hash ${shown}..., not the one the head remembers: it was replaced`,
      )
    }
  }
  let last = durable >= base.first ? anchor : undefined
  const beyond = await keysFrom(store, durable + 1)
  for (const [k, first] of beyond.entries()) {
    const next = await verified(store, first, last, base)
    if (next === undefined) {
      const cut = beyond.slice(k)
      const remark = `cut back ${cut.length} torn frame(s) from event ${first} on: they were never acknowledged`
      return { last, cut, remarks: [remark] }
    }
    last = next
  }
  const kept = last !== undefined && last.last > durable && durable > 0
  const remark = `events ${durable + 1} to ${last?.last} were found beyond the head and kept: their append was in doubt`
  return { last, cut: [], remarks: kept ? [remark] : [] }
}

/** The frame that holds event `seq`, verified by its own hash; undefined when there is none at or before it. */
export async function frameAt(store: KvStore, seq: number): Promise<Frame | undefined> {
  if (seq < 1) return undefined
  const bounds = { gte: key(tables.frame, 0), lt: key(tables.frame, seq + 1), reverse: true, limit: 1 }
  const cursor = store.iterator(bounds)
  try {
    const [entry] = await cursor.nextv(1)
    return entry === undefined ? undefined : decodeFrame(entry[1], numberOf(entry[0]))
  } finally {
    await cursor.close()
  }
}

/** The next frame when it verifies and fits behind `last`; undefined when it does not. */
async function verified(
  store: KvStore,
  first: number,
  last: Frame | undefined,
  base: Base,
): Promise<Frame | undefined> {
  const value = await store.get(key(tables.frame, first))
  if (value === undefined) return undefined
  try {
    const frame = decodeFrame(value, first)
    const follows = first === (last?.last ?? base.first - 1) + 1
    const chained = sameBytes(frame.previous, last?.hash ?? base.previous)
    return follows && chained ? frame : undefined
  } catch (error) {
    if (error instanceof BlockboxError && error.code === 'JOURNAL_CORRUPT') return undefined
    throw error
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
