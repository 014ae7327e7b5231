/**
 * Rows in columns: how the events of a frame lie in memory and on disk.
 *
 * One typed array a column, widest first, so that each begins aligned; 63 bytes a row. Times are nanoseconds
 * relative to the instant of the frame; `about` is stored as the distance back to the event it names (0: none).
 * Columns and cursor are written by hand: made from `columnWidths` by a loop, a fold costs half as much again.
 * A test holds the two equal.
 */

import { assert } from '../core/assert.ts'
import { type Code, codeName, codes } from './code.ts'
import { type Detail, noDetail } from './detail.ts'
import { changes, type Fate, fates, type Kind, kindNames, kinds, type Op, ops } from './kind.ts'

/** One event as reducers read it. A cursor is lent for one call: copy fields, never keep the event. */
export interface Event {
  readonly seq: number
  readonly kind: Kind
  readonly fate: Fate
  readonly op: Op
  readonly flags: number
  readonly code: Code
  readonly session: number
  readonly request: number
  readonly volume: number
  /** Bytes: the range the host asked for, or the extent a copy is about. */
  readonly offset: number
  readonly length: number
  /** Place of the payload; 0: none (a zeroing write, a read). */
  readonly payload: number
  /** Sequence number of the request this is about; 0: none. */
  readonly about: number
  readonly tag: number
  readonly digestHigh: number
  readonly digestLow: number
  /** Nanoseconds from the frame's instant to this event's, negative when it came before. */
  readonly at: number
  readonly detail: Detail
}

/** What a new event says; what is left out is zero, none or empty. `seq` is given when it is recorded. */
export type NewEvent = Partial<Omit<Event, 'seq' | 'kind'>> & { readonly kind: Kind }

/** Bytes of each column's element, in the order they are stored. */
export const columnWidths = {
  offset: 8,
  length: 8,
  payload: 8,
  at: 8,
  about: 4,
  tag: 4,
  request: 4,
  digestHigh: 4,
  digestLow: 4,
  session: 4,
  volume: 2,
  kind: 1,
  op: 1,
  fate: 1,
  flags: 1,
  code: 1,
} as const

export const rowBytes = Object.values(columnWidths).reduce((sum, width) => sum + width, 0)

const fateNumbers = Object.fromEntries(fates.map((name, k) => [name, k])) as Record<Fate, number>
const opNumbers = Object.fromEntries(ops.map((name, k) => [name, k])) as Record<Op, number>

export class Columns {
  count = 0
  capacity = 0
  offset = new Float64Array(0)
  length = new Float64Array(0)
  payload = new Float64Array(0)
  at = new Float64Array(0)
  about = new Uint32Array(0)
  tag = new Uint32Array(0)
  request = new Uint32Array(0)
  digestHigh = new Uint32Array(0)
  digestLow = new Uint32Array(0)
  session = new Uint32Array(0)
  volume = new Uint16Array(0)
  kind = new Uint8Array(0)
  op = new Uint8Array(0)
  fate = new Uint8Array(0)
  flags = new Uint8Array(0)
  code = new Uint8Array(0)
  #bytes: Uint8Array[] = []

  constructor(capacity = 256) {
    this.reserve(capacity)
  }

  /** Makes room for `capacity` rows; what is there stays. */
  reserve(capacity: number): void {
    if (capacity <= this.capacity) return
    const grown = Math.max(capacity, this.capacity * 2)
    const was = this.#bytes
    this.offset = new Float64Array(grown)
    this.length = new Float64Array(grown)
    this.payload = new Float64Array(grown)
    this.at = new Float64Array(grown)
    this.about = new Uint32Array(grown)
    this.tag = new Uint32Array(grown)
    this.request = new Uint32Array(grown)
    this.digestHigh = new Uint32Array(grown)
    this.digestLow = new Uint32Array(grown)
    this.session = new Uint32Array(grown)
    this.volume = new Uint16Array(grown)
    this.kind = new Uint8Array(grown)
    this.op = new Uint8Array(grown)
    this.fate = new Uint8Array(grown)
    this.flags = new Uint8Array(grown)
    this.code = new Uint8Array(grown)
    this.#bytes = [
      this.offset,
      this.length,
      this.payload,
      this.at,
      this.about,
      this.tag,
      this.request,
      this.digestHigh,
      this.digestLow,
      this.session,
      this.volume,
      this.kind,
      this.op,
      this.fate,
      this.flags,
      this.code,
    ].map((column) => new Uint8Array(column.buffer))
    this.#bytes.forEach((bytes, k) => {
      const old = was[k]
      if (old !== undefined) bytes.set(old)
    })
    this.capacity = grown
  }

  /** Adds a row that will be event `seq`. */
  push(event: NewEvent, seq: number): void {
    const row = this.count
    if (row === this.capacity) this.reserve(row + 1)
    const about = event.about ?? 0
    assert(about === 0 || (about < seq && seq - about < 2 ** 32), 'an event is about an earlier one')
    this.offset[row] = event.offset ?? 0
    this.length[row] = event.length ?? 0
    this.payload[row] = event.payload ?? 0
    this.at[row] = event.at ?? 0
    this.about[row] = about === 0 ? 0 : seq - about
    this.tag[row] = event.tag ?? 0
    this.request[row] = event.request ?? 0
    this.digestHigh[row] = event.digestHigh ?? 0
    this.digestLow[row] = event.digestLow ?? 0
    this.session[row] = event.session ?? 0
    this.volume[row] = event.volume ?? 0
    this.kind[row] = kinds[event.kind].number
    this.op[row] = opNumbers[event.op ?? 'none']
    this.fate[row] = fateNumbers[event.fate ?? 'none']
    this.flags[row] = event.flags ?? 0
    this.code[row] = codes[event.code ?? 'ok']
    this.count = row + 1
  }

  /** Stores all rows at `target[at]`, little-endian; returns the bytes used. */
  store(target: Uint8Array, at: number): number {
    let place = at
    let column = 0
    for (const width of widths) {
      target.set(this.#bytes[column++]!.subarray(0, width * this.count), place)
      place += width * this.count
    }
    return place - at
  }

  /** Replaces the rows by `count` rows stored at `source[at]`. The caller has checked that they are there. */
  load(source: Uint8Array, at: number, count: number): void {
    this.reserve(count)
    let place = at
    let column = 0
    for (const width of widths) {
      const size = width * count
      this.#bytes[column++]!.set(source.subarray(place, place + size))
      place += size
    }
    this.count = count
  }

  clear(): void {
    this.count = 0
  }
}

const widths = Object.values(columnWidths)

assert(
  new Uint8Array(new Uint16Array([1]).buffer)[0] === 1,
  'frames are little-endian, as this machine must be',
)

/** The cursor over the columns of a frame: one object for all its events. */
export class Row implements Event {
  index = 0
  readonly columns: Columns
  readonly first: number
  readonly details: ReadonlyMap<number, Detail>

  /** @param first the sequence number of row 0. */
  constructor(columns: Columns, first: number, details: ReadonlyMap<number, Detail>) {
    this.columns = columns
    this.first = first
    this.details = details
  }

  get seq(): number {
    return this.first + this.index
  }
  get kind(): Kind {
    return kindNames[this.columns.kind[this.index]!]!
  }
  /** The kind of another event of the frame; undefined behind the last. */
  kindAt(index: number): Kind | undefined {
    return index < this.columns.count ? kindNames[this.columns.kind[index]!] : undefined
  }
  /** As `isInput` says of the kind. */
  get isInput(): boolean {
    return this.columns.kind[this.index]! < 128
  }
  get fate(): Fate {
    return fates[this.columns.fate[this.index]!]!
  }
  get op(): Op {
    return ops[this.columns.op[this.index]!]!
  }
  get flags(): number {
    return this.columns.flags[this.index]!
  }
  get code(): Code {
    return codeName(this.columns.code[this.index]!)!
  }
  get session(): number {
    return this.columns.session[this.index]!
  }
  get request(): number {
    return this.columns.request[this.index]!
  }
  get volume(): number {
    return this.columns.volume[this.index]!
  }
  get offset(): number {
    return this.columns.offset[this.index]!
  }
  get length(): number {
    return this.columns.length[this.index]!
  }
  get payload(): number {
    return this.columns.payload[this.index]!
  }
  get about(): number {
    const back = this.columns.about[this.index]!
    return back === 0 ? 0 : this.seq - back
  }
  get tag(): number {
    return this.columns.tag[this.index]!
  }
  get digestHigh(): number {
    return this.columns.digestHigh[this.index]!
  }
  get digestLow(): number {
    return this.columns.digestLow[this.index]!
  }
  get at(): number {
    return this.columns.at[this.index]!
  }
  get detail(): Detail {
    return this.details.get(this.index) ?? noDetail
  }
}

/** True for an event at which a write takes effect: its effect record (SPEC 1.3, P1). */
export function takesEffect(event: Event): boolean {
  return event.fate === 'passed' && changes(event.op)
}
