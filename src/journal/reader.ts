/**
 * Reading a stretch of the journal: frames in order, each verified by its own hash and against the one before it,
 * dense, with epochs that never fall. What verified before the first fault is given before the fault is thrown.
 */

import { sameBytes } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import type { Base } from './base.ts'
import { damage, decodeFrame, type Frame } from './frame.ts'
import type { Bounds } from './journal.ts'
import { key, tables } from './keys.ts'
import { type KvStore, readAheadBytes, readAheadFrames, readError } from './store.ts'
import { frameAt, unchained } from './tail.ts'

/**
 * The frames that hold events `first` to `to`, in batches as the store brings them.
 * Throws JOURNAL_TRUNCATED; JOURNAL_GAP, JOURNAL_CORRUPT or JOURNAL_VERSION with the first sequence number that
 * cannot be trusted.
 */
export async function* readBatches(
  store: KvStore,
  base: Base,
  bounds: Bounds,
  first: number,
  to: number,
): AsyncGenerator<Frame[]> {
  const last = Math.min(to, bounds.last)
  if (first < base.first) {
    const why = `event ${first} was given up: the journal begins with event ${base.first}`
    throw new BlockboxError('JOURNAL_TRUNCATED', why)
  }
  if (first > last) return
  const began = await startOf(store, base, first)
  const start = began.first
  if (began.last >= last && start > base.first) return yield [began]
  const chain = new Chain(start, start === base.first ? base.previous : undefined)
  const range = { gte: key(tables.frame, start), lt: key(tables.frame, last + 1) }
  const cursor = store.values({ ...range, highWaterMarkBytes: readAheadBytes })
  let coming = cursor.nextv(readAheadFrames)
  try {
    for (;;) {
      const values = await coming
      if (values.length === 0) break
      coming = cursor.nextv(readAheadFrames)
      const frames: Frame[] = []
      const fault = chain.take(values, frames)
      if (frames.length > 0) yield frames
      if (fault !== undefined) throw fault
    }
  } catch (error) {
    throw readError(error, chain.next)
  } finally {
    coming.catch(() => undefined)
    await cursor.close()
  }
  if (chain.next <= last) {
    throw damage('JOURNAL_GAP', chain.next, `events ${chain.next} to ${last} are missing`)
  }
}

/** The frame that holds `seq`, verified by its own hash. */
async function startOf(store: KvStore, base: Base, seq: number): Promise<Frame> {
  const found = await frameAt(store, seq)
  if (found !== undefined && found.last >= seq && found.first >= base.first) return found
  const missing = Math.max(base.first, (found?.last ?? 0) + 1)
  throw damage('JOURNAL_GAP', missing, `event ${missing} is missing`)
}

class Chain {
  next: number
  #previous: Uint8Array | undefined
  #epoch = 0

  constructor(next: number, previous: Uint8Array | undefined) {
    this.next = next
    this.#previous = previous
  }

  /** Decodes values into `frames` as far as they verify; returns the first fault. */
  take(values: readonly Uint8Array[], frames: Frame[]): unknown {
    for (const value of values) {
      try {
        frames.push(this.#follow(decodeFrame(value, this.next)))
      } catch (fault) {
        return fault
      }
    }
    return undefined
  }

  #follow(frame: Frame): Frame {
    if (this.#previous !== undefined && !sameBytes(frame.previous, this.#previous)) {
      throw damage('JOURNAL_CORRUPT', this.next, `the frame of event ${this.next} ${unchained}`)
    }
    if (frame.epoch < this.#epoch) {
      const why = `the frame of event ${this.next} is of epoch ${frame.epoch}, after epoch ${this.#epoch}`
      throw damage('JOURNAL_CORRUPT', this.next, why)
    }
    this.next = frame.last + 1
    this.#previous = frame.hash
    this.#epoch = frame.epoch
    return frame
  }
}
