/**
 * What a format can hold of an event, as a statement; and the account of what a conversion into it did not carry.
 *
 *     event ─▶ has the format a word for its operation? ── no ──▶ left out, counted by operation
 *                 └── yes: in its unit? ── no ──▶ left out, counted as unaligned or empty
 *                           └── yes ─▶ written; counted is what of it is lost (times, names, payload ...) and what
 *                                      had to be made (content, times) or put in other words (a zero as a write)
 *
 * The account follows from the statement alone, so it is the same for every format.
 */

import type { TraceEvent, TraceFlag, TraceOp } from './event.ts'

export interface TraceHolding {
  /** Operations the format has a word for. */
  readonly ops: readonly TraceOp[]
  /** Operations that are written as another one, which then is among `ops`. */
  readonly instead: Readonly<Partial<Record<TraceOp, TraceOp>>>
  readonly flags: readonly TraceFlag[]
  /** `must`: a write without bytes gets some made; `no`: bytes are dropped. */
  readonly payload: 'must' | 'may' | 'no'
  /** Nanoseconds of a unit of its times; 0: it has none. */
  readonly timeUnitNs: number
  /** Whether an event without a time gets one made, since every line has one. */
  readonly timeMust: boolean
  /**
   * `one`: events of all devices lie in one space; `number`: a name other than two numbers is lost; `word`: one that is
   * no word (`deviceWord`) is put in other letters.
   */
  readonly devices: 'number' | 'word' | 'one'
  /** Offsets and lengths are whole multiples of so many bytes. */
  readonly unit: number
  /** Whether a range may be empty. */
  readonly empty: boolean
  /** Bytes of the longest label of a mark. */
  readonly label: number
  readonly hosts: boolean
  readonly completions: boolean
  readonly results: boolean
}

type Counts = Record<string, number>

export interface TraceAccount {
  /** Events that came, and those of them that were written. */
  readonly events: number
  readonly written: number
  /** Events that were not written, by operation, `empty` or `unaligned`. */
  readonly left_out: Readonly<Counts>
  /** Written events of which something is missing, by what it is. */
  readonly lost: Readonly<Counts>
  /** Written events to which something was added or that were put in other words, by what it is. */
  readonly made: Readonly<Counts>
}

const encoder = new TextEncoder()
const ranged: ReadonlySet<TraceOp> = new Set(['read', 'write', 'discard', 'zero'])
/** The name of a device as its major and minor number. */
export const deviceNumber = /^\d{1,7},\d{1,7}$/
/** The name of a device as one word of printable ASCII, with room for a number behind it. */
export const deviceWord = /^[\x21-\x7e]{1,244}$/
/** So many devices are told apart in the account at most. */
const maxDevices = 65_536

export class Accounting {
  readonly #holding: TraceHolding
  readonly #ops: ReadonlySet<TraceOp>
  readonly #devices = new Set<string>()
  readonly #leftOut: Counts = {}
  readonly #lost: Counts = {}
  readonly #made: Counts = {}
  #events = 0
  #written = 0

  constructor(holding: TraceHolding) {
    this.#holding = holding
    this.#ops = new Set([...holding.ops, ...(Object.keys(holding.instead) as TraceOp[])])
  }

  /** Takes an event into the account; false when it is to be left out. */
  admit(event: TraceEvent): boolean {
    this.#events++
    const { op, offset, length } = event
    if (!this.#ops.has(op)) return this.#leave(op)
    const { unit, instead, empty } = this.#holding
    if (!empty && length === 0 && ranged.has(op)) return this.#leave('empty')
    if (unit > 1 && op !== 'mark' && ((offset ?? 0) % unit !== 0 || (length ?? 0) % unit !== 0)) {
      return this.#leave('unaligned')
    }
    this.#written++
    const other = instead[op]
    if (other !== undefined) count(this.#made, `${op}_as_${other}`)
    this.#judge(event)
    return true
  }

  /** What became of the events so far. Several devices that became one are counted, less one, as `devices`. */
  result(): TraceAccount {
    const merged = this.#devices.size - 1
    return {
      events: this.#events,
      written: this.#written,
      left_out: { ...this.#leftOut },
      lost: { ...this.#lost, ...(merged > 0 && { devices: merged }) },
      made: { ...this.#made },
    }
  }

  #leave(why: string): boolean {
    count(this.#leftOut, why)
    return false
  }

  #keepsName(dev: string): boolean {
    const { devices } = this.#holding
    if (devices === 'number') return deviceNumber.test(dev)
    return devices === 'word' && deviceWord.test(dev)
  }

  #judge(event: TraceEvent): void {
    const { flags, payload, timeUnitNs, timeMust, devices, label, hosts, completions, results } =
      this.#holding
    const { op, tNs, dev } = event
    for (const name of event.flags) if (!flags.includes(name)) count(this.#lost, `flag_${name.toLowerCase()}`)
    if (event.data !== undefined && payload === 'no') count(this.#lost, 'payload')
    if (op === 'write' && event.data === undefined && payload === 'must') count(this.#made, 'payload')
    if (tNs === null) {
      if (timeMust) count(this.#made, 'times')
    } else if (timeUnitNs === 0) count(this.#lost, 'times')
    else if (tNs % timeUnitNs !== 0) count(this.#lost, 'time_digits')
    if (dev !== null) {
      if (!this.#keepsName(dev)) count(this.#lost, 'device_names')
      if (devices === 'one' && this.#devices.size < maxDevices) this.#devices.add(dev)
    }
    if (event.host !== undefined && !hosts) count(this.#lost, 'hosts')
    if (event.tCompleteNs != null && !completions) count(this.#lost, 'completion_times')
    if (event.ret != null && !results) count(this.#lost, 'results')
    if (op === 'mark' && encoder.encode(event.label ?? '').length > label) count(this.#lost, 'label_ends')
  }
}

function count(counts: Counts, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1
}
