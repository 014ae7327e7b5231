/**
 * Events waiting to be put in order of time, held as columns of numbers: 26 bytes each.
 *
 * Stamps are 64-bit numbers of nanoseconds, given in halves; the earliest becomes the zero. Events of the same
 * time keep the order in which they came, and what came in order is not sorted at all.
 */

import type { TraceEvent, TraceFlag, TraceOp } from './event.ts'
import { tooFar } from './origin.ts'

/** An event without its place and its time; `dev` a number that `name` makes a text of. */
export interface UntimedEvent {
  readonly op: TraceOp
  readonly flags: readonly TraceFlag[]
  readonly offset: number | null
  readonly length: number
  readonly dev: number
}

const half = 2 ** 32
const firstRows = 1024

export class TimeOrder {
  readonly #name: (dev: number) => string
  readonly #kinds: { op: TraceOp; flags: readonly TraceFlag[] }[] = []
  readonly #kindNumbers = new Map<string, number>()
  #rows = 0
  #sorted = true
  #firstHigh = 0
  #firstLow = 0
  #time = new Float64Array(firstRows)
  #offset = new Float64Array(firstRows)
  #length = new Uint32Array(firstRows)
  #dev = new Uint32Array(firstRows)
  #kind = new Uint8Array(firstRows)

  constructor(name: (dev: number) => string) {
    this.#name = name
  }

  /** Adds an event; `high` and `low` are the halves of its stamp. Returns what is wrong with the stamp, if so. */
  add(high: number, low: number, event: UntimedEvent): string | undefined {
    if (this.#rows === 0) {
      this.#firstHigh = high
      this.#firstLow = low
    }
    const time = (high - this.#firstHigh) * half + (low - this.#firstLow)
    // Half the range of exact numbers, so that the distance of any two is exact as well.
    if (Math.abs(time) > Number.MAX_SAFE_INTEGER / 2) return tooFar
    if (this.#rows === this.#time.length) this.#grow()
    const row = this.#rows++
    if (row > 0 && time < this.#time[row - 1]!) this.#sorted = false
    this.#time[row] = time
    this.#offset[row] = event.offset ?? -1
    this.#length[row] = event.length
    this.#dev[row] = event.dev
    this.#kind[row] = this.#kindNumber(event)
    return undefined
  }

  /** The events in order of time; made one by one. Nothing can be added after. */
  *events(): Generator<TraceEvent> {
    const order = this.#order()
    const zero = this.#rows === 0 ? 0 : this.#time[order?.[0] ?? 0]!
    const names = new Map<number, string>()
    for (let index = 0; index < this.#rows; index++) {
      const row = order?.[index] ?? index
      const { op, flags } = this.#kinds[this.#kind[row]!]!
      const number = this.#dev[row]!
      let dev = names.get(number)
      if (dev === undefined) {
        dev = this.#name(number)
        names.set(number, dev)
      }
      const offset = this.#offset[row]!
      const tNs = this.#time[row]! - zero
      yield { index, op, offset: offset < 0 ? null : offset, length: this.#length[row]!, tNs, dev, flags }
    }
  }

  #order(): Uint32Array | undefined {
    if (this.#sorted) return undefined
    const time = this.#time
    const order = Uint32Array.from({ length: this.#rows }, (_, row) => row)
    return order.sort((a, b) => time[a]! - time[b]! || a - b)
  }

  #kindNumber({ op, flags }: UntimedEvent): number {
    const name = `${op} ${flags.join(' ')}`
    let number = this.#kindNumbers.get(name)
    if (number === undefined) {
      number = this.#kinds.length
      this.#kinds.push({ op, flags })
      this.#kindNumbers.set(name, number)
    }
    return number
  }

  #grow(): void {
    const capacity = this.#time.length * 2
    const larger = <T extends Float64Array | Uint32Array | Uint8Array>(column: T, room: T): T => {
      room.set(column)
      return room
    }
    this.#time = larger(this.#time, new Float64Array(capacity))
    this.#offset = larger(this.#offset, new Float64Array(capacity))
    this.#length = larger(this.#length, new Uint32Array(capacity))
    this.#dev = larger(this.#dev, new Uint32Array(capacity))
    this.#kind = larger(this.#kind, new Uint8Array(capacity))
  }
}
