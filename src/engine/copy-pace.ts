/**
 * The pace of background copies: each pair that has a rate starts so many a second, by the engine's clock. A copy that
 * waits for its turn begins at once when a host comes to need it.
 *
 *     background copy ─▶ turn (last turn + 1 s / rate) ─▶ begins
 *                          └─ a host is queued on its extent ─▶ begins
 */

import type { Clock } from '../core/clock.ts'
import { overlap, type Range } from '../core/range.ts'

interface Turn extends Range {
  readonly tag: number
  readonly begin: () => void
  cancel: () => void
}

/** Turns are never given further ahead than this many intervals: a clock that was set back delays nothing. */
const ahead = 16

export class CopyPace {
  readonly #clock: Clock
  /** By pair, when the next copy may begin, in nanoseconds. */
  readonly #next = new Map<number, bigint>()
  readonly #turns = new Set<Turn>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Begins a copy of pair `tag` when its turn comes. @param rate copies a second, above 0. */
  take(tag: number, rate: number, { offset, length }: Range, begin: () => void): void {
    const interval = BigInt(Math.ceil(1e9 / rate))
    const now = this.#clock.nowNs()
    const next = this.#next.get(tag) ?? now
    const at = next < now ? now : next > now + interval * BigInt(ahead) ? now + interval : next
    this.#next.set(tag, at + interval)
    if (at === now) return begin()
    const turn: Turn = { tag, offset, length, begin, cancel: () => undefined }
    this.#turns.add(turn)
    turn.cancel = this.#clock.after(Number(at - now) / 1e6, () => this.#begin(turn))
  }

  /** A host needs a range of one of the pairs: copies of it that wait for their turn begin. */
  hurry(tags: readonly number[], range: Range): void {
    for (const turn of [...this.#turns]) {
      if (tags.includes(turn.tag) && overlap(turn, range)) this.#begin(turn)
    }
  }

  /** Nothing begins any more. */
  stop(): void {
    for (const turn of this.#turns) turn.cancel()
    this.#turns.clear()
  }

  #begin(turn: Turn): void {
    turn.cancel()
    if (this.#turns.delete(turn)) turn.begin()
  }
}
