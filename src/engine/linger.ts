/**
 * Whether a frame that holds nothing but what came in the background is appended at once. Beside hosts that are at work
 * it waits a moment for the next write of one of them to ride with: appended alone, it would be in that write's way.
 *
 *     the frame before held writes of hosts ─▶ lingers ── a write comes │ 0.3 ms pass │ 256 turns pass ──▶ appended
 */

import type { Clock } from '../core/clock.ts'
import type { Draft } from './draft.ts'

/** A host that has one request at a time under way comes back sooner, */
const lingerNs = 300_000n
/** and a clock that stands still holds nothing up for longer than so many turns of the event loop. */
const lingerTurns = 256

export class Linger {
  readonly #clock: Clock
  #writes = 0
  #lately = false
  #turns = 0
  #sinceNs = 0n
  #scheduled = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many changes by hosts the frames that were sealed hold. */
  get writes(): number {
    return this.#writes
  }

  /** A frame is sealed. */
  sealed({ writes }: Draft): void {
    this.#writes += writes
    this.#lately = writes > 0
    this.#turns = 0
  }

  /** True when a frame is to be appended now; if not and it holds anything, `again` is called in the next turn. */
  isOver({ dirty, urgent, isFull }: Draft, again: () => void): boolean {
    return urgent || isFull || (dirty && !this.#waits(again))
  }

  #waits(again: () => void): boolean {
    if (!this.#lately) return false
    const nowNs = this.#clock.nowNs()
    if (this.#turns === 0) this.#sinceNs = nowNs
    if (this.#turns >= lingerTurns || nowNs - this.#sinceNs > lingerNs) return false
    if (this.#scheduled) return true
    this.#turns++
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      again()
    })
    return true
  }
}
