/** The head of a journal beside a disk under test: two slots, written in place, durable once they are synced. */

import type { HeadStore } from '../journal/head.ts'

type Slots = [Uint8Array, Uint8Array]

export class FaultyHead implements HeadStore {
  #slots: Slots = [new Uint8Array(0), new Uint8Array(0)]
  #durable: Slots = [...this.#slots]

  /** The slots as they are at this moment, on their own from now on. */
  fork(): FaultyHead {
    const fork = new FaultyHead()
    fork.#slots = [...this.#slots]
    fork.#durable = [...this.#durable]
    return fork
  }

  async read(): Promise<readonly Uint8Array[]> {
    return this.#slots
  }

  write(slot: 0 | 1, bytes: Uint8Array): void {
    this.#slots[slot] = bytes.slice()
  }

  async sync(): Promise<void> {
    this.#durable = [...this.#slots]
  }

  async close(): Promise<void> {}

  /** Power fails: each slot is what was synced, or, where bit k of `kept` is set, what was written last. */
  powerLoss(kept: number): void {
    this.#slots = this.#durable.map((durable, k) => ((kept >> k) & 1 ? this.#slots[k] : durable)) as Slots
    this.#durable = [...this.#slots]
  }
}
