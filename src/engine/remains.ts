/**
 * What is left of an engine that failed: the state after the last durable event, folded from the journal, and only to
 * be read. What was decided after that event is void, whether somebody saw it or not.
 *
 *     recording ── an append fails, a decision does ──▶ failed ── the journal folded ──▶ read, and nothing else
 *                                                         └── the journal cannot be read ──▶ reads fail likewise
 *
 * A journal that failed once is in doubt for good: nothing is tried again, and opening it anew settles what was written
 * (succession.ts). Where that does not succeed, reads go on from the journal opened only to be read.
 */

import type { Clock } from '../core/clock.ts'
import type { BlockboxError } from '../core/errors.ts'
import { readContent } from '../images/content.ts'
import type { Journal } from '../journal/journal.ts'
import { volumeOf, type World } from '../layers/layer.ts'
import { reached } from '../layers/preserve-state.ts'
import type { PayloadStore } from '../payload/payload.ts'
import { judgeNext } from '../volume/entry.ts'
import type { Answer, IoAsk } from './ask.ts'
import { ioRow } from './io-row.ts'

/** Folds a journal up to its last durable event. */
export type Recover = (journal: Journal) => Promise<World>

export interface RemainsOf {
  readonly journal: Journal
  readonly payload: PayloadStore
  readonly clock: Clock
}

/** How it ended. */
export interface Ending {
  readonly reason: BlockboxError
  /** Settles when the frame that was in flight is durable, or is not. */
  readonly written: Promise<unknown> | undefined
  /** True when hosts may have been answered what is void now: only where writes are answered before they are durable. */
  readonly broken: boolean
}

export class Remains {
  /** When it failed, nanoseconds since the Unix epoch. */
  readonly sinceNs: bigint
  /** See `Ending`. */
  readonly broken: boolean
  readonly #recover: Recover
  #reason: BlockboxError
  #payload: PayloadStore
  #fold: () => Promise<World>
  #world: Promise<World> | undefined
  #known: World | undefined

  constructor({ reason, written, broken }: Ending, { journal, payload, clock }: RemainsOf, recover: Recover) {
    this.sinceNs = clock.nowNs()
    this.broken = broken
    this.#recover = recover
    this.#reason = reason
    this.#payload = payload
    this.#fold = async () => {
      await written
      return recover(journal)
    }
  }

  /** Why nothing is recorded any more. */
  get reason(): BlockboxError {
    return this.#reason
  }

  /**
   * The journal was closed, and could not be opened to be written, for this reason. Reads go on from it as it was opened
   * to be read; they fail with the reason where it could not be opened at all.
   */
  readOn(reason: BlockboxError, from: Pick<RemainsOf, 'journal' | 'payload'> | undefined): void {
    this.#reason = reason
    this.#fold = () => (from === undefined ? Promise.reject(reason) : this.#recover(from.journal))
    this.#payload = from?.payload ?? this.#payload
    this.#world = undefined
    this.#known = undefined
  }

  /** Resolves when no read that was asked for so far is under way. */
  async still(): Promise<void> {
    await this.#world?.catch(() => undefined)
    await new Promise((resolve) => setImmediate(resolve))
  }

  /**
   * The state, which does not change any more; folded when it is first asked for. Rejects with what damage says when
   * the journal cannot be read.
   */
  world(): Promise<World> {
    this.#world ??= this.#folded()
    return this.#world
  }

  /** The same; undefined until it was asked for and is folded. */
  get known(): World | undefined {
    return this.#known
  }

  /**
   * What a read returns in this state, judged by the layers as ever and on no record. A read that would have waited
   * for a copy returns what it would have brought. Rejects with PAYLOAD_CORRUPT, with NO_SUCH_POINT for what had
   * still to come from a clone outside, and as `world`.
   */
  async read(ask: IoAsk): Promise<Answer> {
    const world = await this.world()
    const io = ioRow(ask, 0)
    io.volume = reached(world, io.session, io.volume)
    const { fate, code } = judgeNext(world, io)
    if (fate === 'refused') return { code, seq: 0, made: 0 }
    const volume = volumeOf(world, io.volume)!
    return { code, seq: 0, made: 0, data: readContent(world, volume, this.#payload, io.offset, io.length) }
  }
  async #folded(): Promise<World> {
    const fold = this.#fold
    const world = await fold()
    if (fold === this.#fold) this.#known = world
    return world
  }
}
