/**
 * A journal put together from frames as another one stored them, byte for byte, so that chain, head and state hashes
 * stay what they were. The frames go into an empty store before a journal is opened on it; opening settles and
 * verifies them as it does after any start.
 *
 *     [base and checkpoint] ─▶ frame, its payload chunks ─▶ frame ... ─▶ the head of the last one
 */

import { BlockboxError } from '../core/errors.ts'
import { type Base, writeBase } from './base.ts'
import { writeCheckpoint } from './checkpoints.ts'
import type { Frame } from './frame.ts'
import { encodeHead } from './head.ts'
import type { Checkpoint } from './journal.ts'
import { key, tables } from './keys.ts'
import type { Batch, KvStore } from './store.ts'

/** Bytes that are gathered into one synced batch. */
const batchBytes = 4 * 2 ** 20

export class Deposit {
  readonly #store: KvStore
  #batch: Batch
  #waiting = 0
  #last: Frame | undefined

  /** @param store open and empty. */
  constructor(store: KvStore) {
    this.#store = store
    this.#batch = store.batch()
  }

  /** Where the frames begin when it is not event 1: what came before, and the state to stand on. */
  async begin(base: Base, checkpoint: Checkpoint): Promise<void> {
    await writeCheckpoint(this.#store, checkpoint)
    await writeBase(this.#store, base)
  }

  /** Takes the next frame. Throws JOURNAL_GAP when it does not begin where the one before it ended. */
  async frame(frame: Frame): Promise<void> {
    const last = this.#last
    if (last !== undefined && frame.first !== last.last + 1) {
      const message = `a frame begins with event ${frame.first}, the one before it ended with ${last.last}`
      throw new BlockboxError('JOURNAL_GAP', message, { seq: last.last + 1 })
    }
    this.#last = frame
    await this.#put(key(tables.frame, frame.first), frame.bytes)
  }

  /** Takes a chunk of payload in its stored form; to be given before the frame that refers to it. */
  async chunk(number: number, bytes: Uint8Array): Promise<void> {
    await this.#put(key(tables.payload, number), bytes)
  }

  /** Stores what waits, and gives the slot of the head that names the last frame; undefined when there was none. */
  async end(): Promise<Uint8Array | undefined> {
    await this.#flush()
    const last = this.#last
    if (last === undefined) return undefined
    const at = { seq: last.last, hash: last.hash }
    return encodeHead({ generation: 1, durable: at, attempted: at, epoch: last.epoch })
  }

  async #put(at: Uint8Array, bytes: Uint8Array): Promise<void> {
    this.#batch.put(at, bytes)
    this.#waiting += bytes.length
    if (this.#waiting >= batchBytes) await this.#flush()
  }

  async #flush(): Promise<void> {
    if (this.#waiting === 0) return
    const batch = this.#batch
    this.#batch = this.#store.batch()
    this.#waiting = 0
    await batch.write({ sync: true })
  }
}
