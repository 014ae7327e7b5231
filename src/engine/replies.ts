/**
 * Who waits for an answer: requests by the sequence number of their input, until their frame is durable, or until an
 * outcome of a later frame releases or ends them.
 *
 *     decided ──▶ with the frame that is filled ── sealed ──▶ with the frame in flight ── durable ──▶ given
 *                 a read of what the frame in flight changed ──────────────▲
 */

import type { Code } from '../events/code.ts'
import type { Event } from '../events/columns.ts'
import { count } from '../events/detail.ts'
import type { Kind } from '../events/kind.ts'
import { madeBy } from '../events/made.ts'
import type { Answer } from './ask.ts'

export interface Asker {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

/** An answer as decided; with an `error`, it is the reason why there is none. */
export interface Decided {
  readonly code: Code
  readonly data?: Uint8Array
  readonly error?: Error
}

export class Replies {
  readonly #expected = new Map<number, { readonly kind: Kind; readonly asker: Asker }>()
  /** Answers to be given when the frame that is being filled is durable. */
  #filling: [number, Decided][] = []
  /** Answers to be given when the frame in flight is. */
  #sealed: [number, Decided][] = []
  /** What the outcomes of an input made, by the input. */
  readonly #made = new Map<number, Pick<Answer, 'made' | 'repeats'>>()
  #input = 0
  #upTo = 0

  /** Replies to everything up to this sequence number that did not have to wait were handed out. */
  get upTo(): number {
    return this.#upTo
  }

  expect(seq: number, kind: Kind, asker: Asker): void {
    this.#input = seq
    this.#expected.set(seq, { kind, asker })
  }

  /** The answer to `seq` is known, and is given when the frame being filled is durable. */
  decided(seq: number, answer: Decided): void {
    this.#filling.push([seq, answer])
  }

  /** The answer to `seq` is known, and is given when the frame in flight is durable. */
  decidedBySealed(seq: number, answer: Decided): void {
    this.#sealed.push([seq, answer])
  }

  /** The answer to `seq` waits for nothing. */
  answerNow(seq: number, answer: Decided): void {
    this.#give(seq, answer)
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
    for (const [seq, answer] of decided) this.#give(seq, answer)
  }

  /** Nobody will be answered any more. */
  end(error: Error): void {
    for (const { asker } of this.#expected.values()) asker.reject(error)
    this.#expected.clear()
    this.#filling = []
    this.#sealed = []
  }

  #give(seq: number, answer: Decided): void {
    const expected = this.#expected.get(seq)
    if (expected === undefined) return
    this.#expected.delete(seq)
    const made = this.#made.get(seq)
    if (made !== undefined) this.#made.delete(seq)
    const { code, data, error } = answer
    if (error !== undefined) return expected.asker.reject(error)
    const given = data === undefined ? { seq, made: 0, code } : { seq, made: 0, code, data }
    expected.asker.resolve(made === undefined ? given : { ...given, ...made })
  }
}
