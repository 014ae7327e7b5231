/** The inbox: asks that wait to be decided, in the order in which they came. */

import type { Ask, Asker, Waiting } from './ask.ts'
import type { Decider } from './decider.ts'

export class Inbox {
  #waiting: Waiting[] = []

  get length(): number {
    return this.#waiting.length
  }

  add(ask: Ask, asker: Asker, arrivedNs: bigint): void {
    this.#waiting.push({ ask, asker, arrivedNs })
  }

  /**
   * Has them decided until all are or the frame being filled is full; then answers those who wait for nothing else,
   * who may ask again. Throws what ends the engine, once whoever asked for it was told.
   */
  decide(decider: Decider): void {
    const waiting = this.#waiting
    let taken = 0
    try {
      while (taken < waiting.length && !decider.filling.isFull) decider.decide(waiting[taken++]!)
    } catch (error) {
      waiting[taken - 1]?.asker.reject(error as Error)
      throw error
    } finally {
      this.#waiting = waiting.slice(taken)
      decider.replies.flush()
    }
  }

  /** Nobody who waits will be answered. */
  end(error: Error): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const { asker } of waiting) asker.reject(error)
  }
}
