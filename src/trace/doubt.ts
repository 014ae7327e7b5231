/**
 * Records that are numbered, and the holes in their numbers: what a writer counted and the trace does not have.
 *
 * Numbers go up by one in each stream (a processor, a connection); 0 is no number, as a writer that does not count
 * leaves it. A number that goes down starts the stream anew.
 */

import type { TraceDoubt } from './event.ts'

/** So many doubts wait to be asked for; what comes beyond is not told one by one. */
const most = 256
/** So many streams are followed. */
const maxStreams = 65_536

export class Numbering {
  readonly #last = new Map<number | string, number>()
  #doubts: TraceDoubt[] = []

  /** The next number of a stream, and where it stands. */
  see(stream: number | string, number: number, place: Omit<TraceDoubt, 'detail'>, what: string): void {
    if (number === 0) return
    const last = this.#last.get(stream)
    if (last === undefined && this.#last.size >= maxStreams) return
    this.#last.set(stream, number)
    if (last === undefined || number <= last + 1) return
    const missing = number - last - 1
    const first =
      last + 1 === number - 1 ? `${what} ${last + 1} is` : `${what}s ${last + 1} to ${number - 1} are`
    this.add({ ...place, detail: `${first} missing (${missing}) from ${stream}` })
  }

  forget(stream: number | string): void {
    this.#last.delete(stream)
  }

  add(doubt: TraceDoubt): void {
    if (this.#doubts.length < most) this.#doubts.push(doubt)
  }

  /** The doubts since this was asked last. */
  take(): readonly TraceDoubt[] {
    if (this.#doubts.length === 0) return none
    const doubts = this.#doubts
    this.#doubts = []
    return doubts
  }
}

const none: readonly TraceDoubt[] = []
