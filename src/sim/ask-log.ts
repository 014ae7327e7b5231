/**
 * What was asked in a simulated run and what was answered: an answer is on no record, so a finding about one (`early`,
 * `linear`, `content`, `answered`) is shown by this beside the trace.
 *
 *     asked ─▶ { "ask": 7, "after": 41, "kind": "io.read", ... , "code": "ok", "seq": 44, "answer_sha256": "..." }
 *                 └─ no code: it was never answered; an error: what it was turned away with
 */

import { hex, sha256 } from '../core/digest.ts'
import type { Answer, Ask } from '../engine/ask.ts'

/** The newest so many are kept. */
const most = 100_000

/** One line: the columns and the detail of the ask, and its answer. */
export type NotedAsk = Readonly<Record<string, unknown>>

export class AskLog {
  #asks: Record<string, unknown>[] = []
  #count = 0

  /** An ask is made while `after` is the last durable event of journal `journal` of the run. */
  asked(ask: Ask, journal: number, after: number): Promised {
    const { data, ...columns } = ask
    const brought = data === undefined ? {} : { length: data.length, data_sha256: digest(data) }
    const line: Record<string, unknown> = { ask: ++this.#count, journal, after, ...columns, ...brought }
    this.#asks.push(line)
    if (this.#asks.length > 2 * most) this.#asks = this.#asks.slice(-most)
    return {
      answered({ code, seq, made, repeats, data: returned }) {
        Object.assign(line, {
          code,
          seq,
          ...(made > 0 && { made }),
          ...(repeats !== undefined && { repeats }),
        })
        if (returned !== undefined) line.answer_sha256 = digest(returned)
      },
      failed({ message }) {
        line.error = message
      },
    }
  }

  /** In the order asked. */
  get asks(): readonly NotedAsk[] {
    return this.#asks.slice(-most)
  }
}

/** Told how an ask ends. */
export interface Promised {
  answered(answer: Answer): void
  failed(error: Error): void
}

const digest = (bytes: Uint8Array) => hex(sha256(bytes)).slice(0, 16)
