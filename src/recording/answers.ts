/**
 * Requests of tapped volumes on their way out of a recording: each is told with when its far server answered it, and
 * what; so it waits for the row that says so, and those behind it wait with it, for the order is that of asking.
 *
 *     asked ─▶ kept ─ tap.released: 0 ─ io.failed: its errno ─ io.lost: no answer ─▶ told, when all before it are
 *
 * At most so many are kept; of what is pushed out the answer is not told.
 */

import { errno } from '../nbd/protocol/constant.ts'
import type { TraceEvent } from '../trace/event.ts'

const mostKept = 65_536
const mostBytes = 64 * 2 ** 20

interface Kept {
  event: TraceEvent
  /** The input that waits for its answer; 0: it has one, or needs none. */
  seq: number
}

export class Answers {
  readonly #kept = new Map<number, Kept>()
  #queue: Kept[] = []
  #bytes = 0

  /** Takes an event; with the number of its input it waits for an answer. */
  add(event: TraceEvent, seq = 0): void {
    const waits = seq > 0 || this.#kept.size > 0
    const own = waits && event.data !== undefined ? { ...event, data: event.data.slice() } : event
    const kept = { event: own, seq }
    this.#queue.push(kept)
    this.#bytes += event.data?.length ?? 0
    if (seq > 0) this.#kept.set(seq, kept)
  }

  /** The answer to an input, if it waits here; without an instant there was none. */
  answered(seq: number, tNs: number | null, ret: number | null): void {
    const kept = this.#kept.get(seq)
    if (kept === undefined) return
    this.#kept.delete(seq)
    kept.event = { ...kept.event, tCompleteNs: tNs, ret }
    kept.seq = 0
  }

  /** The events that wait for nothing. */
  *ready(): Generator<TraceEvent> {
    let told = 0
    for (const { event, seq } of this.#queue) {
      const isFull = this.#queue.length - told > mostKept || this.#bytes > mostBytes
      if (seq !== 0 && !isFull) break
      this.#kept.delete(seq)
      this.#bytes -= event.data?.length ?? 0
      told++
      yield event
    }
    if (told > 0) this.#queue = this.#queue.slice(told)
  }

  /** All that is left; what waits has no answer in this recording. */
  *rest(): Generator<TraceEvent> {
    for (const { event, seq } of this.#queue) {
      yield seq === 0 ? event : { ...event, tCompleteNs: null, ret: null }
    }
    this.#queue = []
    this.#kept.clear()
  }
}

/** The number of an error that a far server gave by name. */
export function errnoNumber(name: string): number {
  return (errno as Readonly<Record<string, number>>)[name] ?? errno.EIO
}
