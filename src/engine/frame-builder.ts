/**
 * The frame being built: events go on the record here and are given back with their sequence numbers; digests of
 * payloads and details are kept beside the rows until the frame is sealed.
 */

import { assert } from '../core/assert.ts'
import { Columns, type Event, type NewEvent, Row } from '../events/columns.ts'
import { type Detail, detailFault, noDetail } from '../events/detail.ts'
import type { FrameParts } from '../journal/frame.ts'

export class FrameBuilder {
  readonly columns = new Columns(1024)
  readonly #digests: Uint8Array[] = []
  #details = new Map<number, Detail>()
  #row: Row
  #first: number
  #instantNs = 0n

  /** @param first the sequence number of the first event. */
  constructor(first: number) {
    this.#first = first
    this.#row = new Row(this.columns, first, this.#details)
  }

  get count(): number {
    return this.columns.count
  }

  /** Sequence number of the first event. */
  get first(): number {
    return this.#first
  }

  /** Sequence number of the next event. */
  get next(): number {
    return this.#first + this.columns.count
  }

  /** Instants of events are stored relative to this one: when the first of them was decided. */
  get instantNs(): bigint {
    return this.#instantNs
  }

  /** To be called before the first event of a frame. */
  begin(nowNs: bigint): void {
    if (this.columns.count === 0) this.#instantNs = nowNs
  }

  /** Puts an event on the record; the event given back is lent until the next one. */
  record(event: NewEvent, digest?: Uint8Array): Event {
    const index = this.columns.count
    const detail = event.detail ?? noDetail
    if (detail !== noDetail) {
      const fault = detailFault(event.kind, detail)
      assert(fault === undefined, fault ?? '')
      this.#details.set(index, detail)
    }
    this.columns.push(event, this.#first + index)
    if (digest !== undefined) this.#digests.push(digest)
    this.#row.index = index
    return this.#row
  }

  /** Notes the short digest of what the read at `index` returned. */
  answered(index: number, high: number, low: number): void {
    this.columns.digestHigh[index] = high
    this.columns.digestLow[index] = low
  }

  /** Everything of the frame but what the engine adds; valid until `restart`. */
  seal(): Pick<FrameParts, 'first' | 'instantNs' | 'columns' | 'details' | 'digests'> {
    return {
      first: this.#first,
      instantNs: this.#instantNs,
      columns: this.columns,
      details: this.#details,
      digests: this.#digests,
    }
  }

  /** The frame is durable: another one begins, behind it unless told otherwise. */
  restart(first = this.next): void {
    this.#first = first
    this.columns.clear()
    this.#digests.length = 0
    this.#details = new Map()
    this.#row = new Row(this.columns, this.#first, this.#details)
  }
}
