/**
 * Forwarding: what hosts ask of a tapped volume goes to its far server as soon as it is decided, or, where the record
 * is to name every change before anybody makes it, when the frame of the request is durable. Reads and flushes change
 * nothing and never wait for that.
 */

import type { Range } from '../core/range.ts'
import type { Event } from '../events/columns.ts'
import { changes, type Op } from '../events/kind.ts'
import { requestOf } from '../layers/request.ts'
import type { PayloadStore } from '../payload/payload.ts'

/** A request for a far server; its answer is reported with a tap.report about `io`. */
export interface Forwarded extends Range {
  readonly io: number
  readonly volume: number
  readonly op: Op
  /** Bits of `flag`. */
  readonly flags: number
  /** Of a write. */
  readonly data?: Uint8Array
}

/** Takes a request to its far server. Called while the engine decides: it must not throw, nor ask before it returns. */
export type Forward = (request: Forwarded) => void

/** Who takes what hosts ask of tapped volumes to their far servers, and when. */
export interface TapTerms {
  readonly forward: Forward
  /** Changes go when their requests are durable on the record, not before. */
  readonly logFirst?: boolean
}

export class Forwarding {
  readonly #forward: Forward
  readonly #payload: PayloadStore
  readonly #logFirst: boolean

  /** @param terms without them nobody takes anything anywhere */
  constructor(terms: TapTerms | undefined, payload: PayloadStore) {
    this.#forward = terms?.forward ?? (() => undefined)
    this.#payload = payload
    this.#logFirst = terms?.logFirst === true
  }

  /** Forwards what an event says; or gives what is to be done when its frame is durable. */
  note(event: Event): (() => void) | undefined {
    const { io, volume, op, flags, offset, length, payload } = requestOf(event)
    const request = { io, volume, op, flags, offset, length }
    const go = () => {
      if (op !== 'write') this.#forward(request)
      else this.#forward({ ...request, data: this.#payload.read(payload, length).slice() })
    }
    if (this.#logFirst && changes(op)) return go
    go()
    return undefined
  }
}
