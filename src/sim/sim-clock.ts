/** A clock that moves only when the simulator moves it: forwards, or by a jump either way, as a machine's may. */

import type { Clock } from '../core/clock.ts'

interface Timer {
  readonly dueMs: number
  readonly call: () => void
}

export class SimClock implements Clock {
  #wallNs: bigint
  #passedMs = 0
  /** Few at a time: deadlines, and the pace of copies. */
  #timers: Timer[] = []

  /** @param startNs what it shows at first, nanoseconds since the Unix epoch. */
  constructor(startNs = 1_767_225_600_000_000_000n) {
    this.#wallNs = startNs
  }

  /** Milliseconds of monotonic time that passed. */
  get passedMs(): number {
    return this.#passedMs
  }

  nowNs(): bigint {
    return this.#wallNs
  }

  after(ms: number, call: () => void): () => void {
    const timer = { dueMs: this.#passedMs + ms, call }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer)
    }
  }

  /** Time passes; what falls due on the way is called, in order. */
  pass(ns: number): void {
    this.#passedMs += ns / 1e6
    this.#wallNs += BigInt(ns)
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#timers.splice(this.#timers.indexOf(next), 1)
      next.call()
    }
  }

  /** Somebody sets the machine's clock: nobody who waits waits shorter or longer for it. */
  jump(ns: bigint): void {
    this.#wallNs += ns
  }

  /** The process is gone, and with it whoever waited. */
  forget(): void {
    this.#timers = []
  }

  /** The earliest that is due; of several, the one that was asked for first. */
  #next(): Timer | undefined {
    let found: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.dueMs <= this.#passedMs && (found === undefined || timer.dueMs < found.dueMs)) found = timer
    }
    return found
  }
}
