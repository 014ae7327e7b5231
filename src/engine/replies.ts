/**
 * Who waits for an answer: what is decided at once with whoever asked, until its frame is durable; what waits longer by
 * the sequence number of its input, until an outcome of a later frame releases or ends it.
 *
 *     decided ──▶ with the frame that is filled ── sealed ──▶ with the frame in flight ── durable ──▶ given
 *        │        a read of what the frame in flight changed ──────────────▲
 *        └─ waits for nothing ──▶ given when the turn ends, for whoever is answered may ask again
 */

import type { Code } from '../events/code.ts'
import type { Event } from '../events/columns.ts'
import { count } from '../events/detail.ts'
import { madeBy } from '../events/made.ts'
import type { Answer, Asker } from './ask.ts'

/** An answer as decided; with an `error`, it is the reason why there is none. */
export interface Decided {
  readonly code: Code
  readonly data?: Uint8Array
  readonly error?: Error
}

/** An answer that is known, and to whom it goes; undefined: to whoever is expected under the number. */
interface Due {
  readonly seq: number
  readonly asker: Asker | undefined
  readonly decided: Decided
}

export class Replies {
  readonly #expected = new Map<number, Asker>()
  /** Answers to be given when the turn ends. */
  #now: Due[] = []
  /** Answers to be given when the frame that is being filled is durable. */
  #filling: Due[] = []
  /** Answers to be given when the frame in flight is. */
  #sealed: Due[] = []
  /** What the outcomes of an input made, by the input. */
  readonly #made = new Map<number, Pick<Answer, 'made' | 'repeats'>>()
  #input = 0
  #upTo = 0

  /** Replies to everything up to this sequence number that did not have to wait were handed out. */
  get upTo(): number {
    return this.#upTo
  }

  /** The answer to `seq` will be decided by its number. */
  expect(seq: number, asker: Asker): void {
    this.#input = seq
    this.#expected.set(seq, asker)
  }

  /** The answer to `seq` is known, and is given when the frame being filled is durable. */
  decided(seq: number, decided: Decided, asker?: Asker): void {
    this.#filling.push({ seq, asker, decided })
  }

  /** The answer to `seq` is known, and is given when the frame in flight is durable. */
  decidedBySealed(seq: number, decided: Decided, asker?: Asker): void {
    this.#sealed.push({ seq, asker, decided })
  }

  /** The answer to `seq` waits for nothing but the end of the turn. */
  answerNow(seq: number, decided: Decided, asker?: Asker): void {
    this.#now.push({ seq, asker, decided })
  }

  /** The turn ends: what waits for nothing is answered. */
  flush(): void {
    if (this.#now.length === 0) return
    const now = this.#now
    this.#now = []
    for (const due of now) this.#give(due)
  }

  /** Notes what an outcome of the frame being filled means for those who wait. */
  note(event: Event, released: () => Decided): void {
    switch (event.kind) {
      case 'hold.released':
      case 'cod.released': {
        if (event.fate === 'refused') return this.decided(event.about, { code: event.code })
        return event.fate === 'passed' ? this.decided(event.about, released()) : undefined
      }
      case 'hold.dropped':
      case 'hold.failed':
      case 'io.failed':
      case 'io.lost':
        return this.decided(event.about, { code: event.code })
      case 'command.repeated':
        this.#made.set(this.#input, { made: count(event.detail, 'made'), repeats: event.about })
        return
      default: {
        const made = madeBy(event)
        if (made > 0) this.#made.set(this.#input, { made })
      }
    }
  }

  /** The frame that was filled is being appended. */
  seal(): void {
    this.#sealed = this.#filling
    this.#filling = []
  }

  /** The frame in flight, which ends with `last`, is durable: its answers are given. */
  durable(last: number): void {
    const decided = this.#sealed
    this.#sealed = []
    this.#upTo = last
    for (const due of decided) this.#give(due)
  }

  /** Nobody will be answered any more. */
  end(error: Error): void {
    const askers = [...this.#now, ...this.#sealed, ...this.#filling].map(({ asker }) => asker)
    askers.push(...this.#expected.values())
    this.#expected.clear()
    this.#now = []
    this.#filling = []
    this.#sealed = []
    for (const asker of askers) asker?.reject(error)
  }

  #give({ seq, asker, decided }: Due): void {
    const { code, data, error } = decided
    if (asker !== undefined) {
      if (error !== undefined) asker.reject(error)
      else asker.resolve(data === undefined ? { code, seq, made: 0 } : { code, seq, made: 0, data })
      return
    }
    const expected = this.#expected.get(seq)
    if (expected === undefined) return
    this.#expected.delete(seq)
    const made = this.#made.get(seq)
    if (made !== undefined) this.#made.delete(seq)
    if (error !== undefined) return expected.reject(error)
    const given = data === undefined ? { seq, made: 0, code } : { seq, made: 0, code, data }
    expected.resolve(made === undefined ? given : { ...given, ...made })
  }
}
