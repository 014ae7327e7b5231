/**
 * Answers of an engine that answers writes when it accepts them (`ack: 'buffered'`), and what must hold all the same.
 *
 *     accepted ─▶ answered ─▶ its frame durable: it took effect
 *        │            └─ power loss: gone, and with it all that was accepted behind it (the journal is one chain)
 *        └─ flush, FUA ─▶ answered: everything accepted before it is durable
 */

import { type Ask, isIo, isSynced } from '../engine/ask.ts'

export class BufferedAnswers {
  /** Inputs of writes that were answered and are not durable yet. */
  readonly #accepted = new Set<number>()

  /** Somebody was answered ok, when `durable` was the last durable event. Gives what is wrong with that. */
  wrong(ask: Ask, seq: number, durable: number): string | undefined {
    if (!isIo(ask) || !isSynced(ask)) return undefined
    const before = [...this.#accepted].find((write) => write < seq)
    if (before === undefined) return undefined
    return `${ask.kind} ${seq} is answered, write ${before} before it is not durable: ${durable} is the last that is`
  }

  /** True for an answer that need not wait for its frame; it is noted until that comes. */
  mayCome(ask: Ask, seq: number, durable: number): boolean {
    if (seq <= durable || !isIo(ask) || isSynced(ask)) return false
    if (ask.kind !== 'io.read') this.#accepted.add(seq)
    return true
  }

  /** All up to `last` is durable. Gives the writes among it that were answered. */
  durable(last: number): number[] {
    const due = [...this.#accepted].filter((seq) => seq <= last)
    for (const seq of due) this.#accepted.delete(seq)
    return due
  }

  /** The process is gone: what was not durable may be. */
  crashed(): void {
    this.#accepted.clear()
  }
}
