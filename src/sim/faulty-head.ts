/**
 * The head of a journal beside a disk under test: two slots, written in place, durable once they are synced. A process
 * writes through a hand of its own, which is cut off when the process dies.
 */

import { emptyHead, encodeHead, type HeadStore } from '../journal/head.ts'
import { flipped } from './disk.ts'

type Slots = [Uint8Array, Uint8Array]

export class FaultyHead implements HeadStore {
  /** As a folder's head file is from the beginning. */
  #slots: Slots = [encodeHead(emptyHead), new Uint8Array(0)]
  #durable: Slots = [...this.#slots]
  /** Says whether a sync lies: none does unless told otherwise. */
  lies: () => boolean = () => false

  /** The slots as they are at this moment, on their own from now on. */
  fork(): FaultyHead {
    const fork = new FaultyHead()
    fork.#slots = [...this.#slots]
    fork.#durable = [...this.#durable]
    return fork
  }

  /** The slots as they are. */
  get slots(): readonly Uint8Array[] {
    return this.#slots
  }

  async read(): Promise<readonly Uint8Array[]> {
    return this.#slots
  }

  write(slot: 0 | 1, bytes: Uint8Array): void {
    this.#slots[slot] = bytes.slice()
  }

  async sync(): Promise<void> {
    if (!this.lies()) this.#durable = [...this.#slots]
  }

  async close(): Promise<void> {}

  /** The head as one process has it, until `cut` is called. */
  hand(): { readonly store: HeadStore; readonly cut: () => void } {
    let alive = true
    const store: HeadStore = {
      read: () => this.read(),
      write: (slot, bytes) => {
        if (alive) this.write(slot, bytes)
      },
      sync: async () => {
        if (alive) await this.sync()
      },
      close: () => this.close(),
    }
    const cut = () => {
      alive = false
    }
    return { store, cut }
  }

  /** Power fails: each slot is what was synced, or, where bit k of `kept` is set, what was written last. */
  powerLoss(kept: number): void {
    this.#slots = this.#durable.map((durable, k) => ((kept >> k) & 1 ? this.#slots[k] : durable)) as Slots
    this.#durable = [...this.#slots]
  }

  /** A bit of one slot flips. */
  rot(slot: 0 | 1, bit: number): void {
    const bytes = this.#slots[slot]
    if (bytes.length === 0) return
    this.#slots[slot] = flipped(bytes, bit % (bytes.length * 8))
    this.#durable = [...this.#slots]
  }
}
