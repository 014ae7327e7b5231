/**
 * A record in memory: rows and details as a frame has them, every event checked against the vocabulary on its way in.
 */

import * as assert from 'uvu/assert'
import { Columns, type Event, type NewEvent, Row } from '../../src/events/columns.ts'
import { type Detail, detailFault, noDetail } from '../../src/events/detail.ts'
import { kinds } from '../../src/events/kind.ts'

/** An event that may be kept. */
export type Kept = NewEvent & { readonly seq: number }

const numbers = [
  'session',
  'request',
  'volume',
  'offset',
  'length',
  'payload',
  'about',
  'tag',
  'flags',
] as const

export class Ledger {
  readonly columns = new Columns(64)
  readonly #details = new Map<number, Detail>()
  readonly #row: Row

  readonly #first: number

  /** @param first the sequence number of the first event. */
  constructor(first = 1) {
    this.#first = first
    this.#row = new Row(this.columns, first, this.#details)
  }

  /** Sequence number of the last event. */
  get last(): number {
    return this.#first + this.columns.count - 1
  }

  /** Puts an event on the record; the one given back is lent until the next call. */
  readonly add = (event: NewEvent): Event => {
    const fault = detailFault(event.kind, event.detail ?? noDetail)
    assert.is(fault, undefined, `${event.kind}: ${fault}`)
    this.#used(event)
    return this.put(event)
  }

  /** Puts an event on the record as it is. */
  readonly put = (event: NewEvent): Event => {
    this.columns.push(event, this.last + 1)
    if (event.detail !== undefined) this.#details.set(this.columns.count - 1, event.detail)
    return this.at(this.last)
  }

  /** The event with that number, lent until the next call. */
  at(seq: number): Row {
    this.#row.index = seq - this.#first
    return this.#row
  }

  /** Events from `seq` on, to be kept. */
  from(seq: number): Kept[] {
    const events: Kept[] = []
    for (let at = seq; at <= this.last; at++) events.push(kept(this.at(at)))
    return events
  }

  #used(event: NewEvent): void {
    const columns: readonly string[] = kinds[event.kind].columns
    for (const column of numbers) {
      if ((event[column] ?? 0) === 0 || columns.includes(column)) continue
      assert.unreachable(`${event.kind} has a value in the column ${column}`)
    }
    assert.ok(event.fate === undefined || columns.includes('fate') || event.fate === 'none', event.kind)
    assert.ok(event.op === undefined || columns.includes('op'), event.kind)
    assert.ok(event.code === undefined || columns.includes('code') || event.code === 'ok', event.kind)
  }
}

/** A copy of a lent event with what is not zero, none or empty. */
export function kept(event: Event): Kept {
  const plain: Record<string, unknown> = { seq: event.seq, kind: event.kind }
  if (event.fate !== 'none') plain.fate = event.fate
  if (event.op !== 'none') plain.op = event.op
  if (event.code !== 'ok') plain.code = event.code
  for (const column of numbers) if (event[column] !== 0) plain[column] = event[column]
  if (event.detail !== noDetail) plain.detail = { ...event.detail }
  return plain as unknown as Kept
}
