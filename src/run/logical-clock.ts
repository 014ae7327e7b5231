/**
 * Logical time: a clock that moves only when the driver of a run says so, a fixed step each round. Deadlines fall due
 * by it, waits pass at once, and so the same scenario gives the same recording, byte for byte, on every machine.
 */

import type { Clock } from '../core/clock.ts'
import type { Timekeeper } from './pace.ts'

/** 2000-01-01T00:00:00Z, when every logical run begins. */
const beginNs = 946_684_800_000_000_000n
/** What a round takes. */
export const roundMs = 1

interface Timer {
  readonly dueNs: bigint
  readonly call: () => void
}

export class LogicalClock implements Clock {
  #ns = beginNs
  #timers: Timer[] = []

  nowNs(): bigint {
    return this.#ns
  }

  after(ms: number, call: () => void): () => void {
    const timer = { dueNs: this.#ns + nanoseconds(ms), call }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer)
    }
  }

  /** Moves on, and calls back what falls due on the way, the earliest first. */
  advance(ms: number): void {
    const untilNs = this.#ns + nanoseconds(ms)
    for (let next = this.#next(untilNs); next !== undefined; next = this.#next(untilNs)) {
      const timer = next
      this.#timers = this.#timers.filter((one) => one !== timer)
      if (timer.dueNs > this.#ns) this.#ns = timer.dueNs
      timer.call()
    }
    this.#ns = untilNs
  }

  /** The same time for a run: a wait moves it. */
  timekeeper(): Timekeeper {
    return {
      nowNs: () => Number(this.#ns - beginNs),
      sleep: async (ms) => this.advance(Math.max(0, ms)),
    }
  }

  #next(untilNs: bigint): Timer | undefined {
    let earliest: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.dueNs > untilNs) continue
      if (earliest === undefined || timer.dueNs < earliest.dueNs) earliest = timer
    }
    return earliest
  }
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1e6))
}
