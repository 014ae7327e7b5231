/** Rules about ranges: beyond the device, not in sectors, of no bytes, and in units that look wrong. */

import type { TraceEvent } from '../event.ts'
import { type LintRule, type Report, rangeOf, type Watch } from './rule.ts'

const sector = 512

/** A range ends beyond the device. */
export const beyond: LintRule = {
  name: 'beyond-device',
  title: 'a range ends beyond the device (--size)',
  advice:
    'the size is not that of the device, or offsets are read in a wrong unit: check --size and the format',
  watch: (report, { size }) => ({
    see(event) {
      const range = rangeOf(event)
      if (size === undefined || range === undefined) return
      const end = range.offset + range.length
      if (end > size) report(`ends at ${end}, ${end - size} bytes beyond the device`, event)
    },
  }),
}

/** A range does not begin and end at sectors of 512 bytes. */
export const unaligned: LintRule = {
  name: 'unaligned',
  title: 'a range does not begin and end at sectors of 512 bytes',
  advice: 'no disk took such a request: the trace is of files or of a network, or its unit is wrong',
  watch: (report) => ({
    see(event) {
      const range = rangeOf(event)
      if (range === undefined) return
      const { offset, length } = range
      if (offset % sector !== 0 || length % sector !== 0)
        report(`${offset}+${length} is not in sectors`, event)
    },
  }),
}

/** A request moves nothing. */
export const empty: LintRule = {
  name: 'empty',
  title: 'a read, write, discard or zero of no bytes',
  advice: 'such requests cannot be played: leave them out, and see whether lengths were lost on the way',
  watch: (report) => ({
    see(event) {
      if (event.op !== 'other' && rangeOf(event)?.length === 0) report('is of no bytes', event)
    },
  }),
}

const enough = 100
const most = 0.5

/** Offsets and lengths look like sectors read as bytes, or like bytes read as sectors. */
export const rangeUnit: LintRule = {
  name: 'range-unit',
  title: 'offsets and lengths look like sectors read as bytes, or like bytes read as sectors',
  advice:
    'name the right format: with a wrong one the trace touches other blocks than the recorded program did',
  watch: (report, { size }) => new Unit(report, size),
}

/** Bytes read as sectors are 512 times too large, and their own sectors make them multiples of 512 * 512. */
const squared = sector * sector
/** So large a device is suspected when all its requests are that large and aligned. */
const large = 2 ** 42
/** A smaller one when most of what is read and written is in pieces longer than disks are asked for as well. */
const medium = 2 ** 36
const longest = 2 ** 20

class Unit implements Watch {
  readonly #report: Report
  readonly #size: number
  #ranges = 0
  #odd = 0
  #squared = 0
  #moved = 0
  #long = 0
  #maxEnd = 0

  constructor(report: Report, size = Number.POSITIVE_INFINITY) {
    this.#report = report
    this.#size = size
  }

  see(event: TraceEvent): void {
    const range = rangeOf(event)
    if (range === undefined || range.length === 0) return
    const { offset, length } = range
    this.#ranges++
    this.#maxEnd = Math.max(this.#maxEnd, offset + length)
    if (offset % sector !== 0 && length % sector !== 0) this.#odd++
    if (offset % squared === 0 && length % squared === 0) this.#squared++
    if (event.op !== 'read' && event.op !== 'write') return
    this.#moved++
    if (length > longest) this.#long++
  }

  end(): void {
    if (this.#ranges < enough) return
    const all = `of ${this.#ranges} ranges`
    if (this.#odd / this.#ranges > most) {
      this.#report(`${this.#odd} ${all} are in no sectors at all: they look like sectors read as bytes`)
    }
    if (this.#squared === this.#ranges && this.#isSuspect()) {
      this.#report(`all ${all} are multiples of ${squared} bytes: they look like bytes read as sectors`)
    }
  }

  /** By the size of the device where it was said, else by what no device is asked for. */
  #isSuspect(): boolean {
    const end = this.#maxEnd
    if (end > this.#size) return end / sector <= this.#size
    if (Number.isFinite(this.#size)) return false
    return end > large || (end > medium && this.#long > most * this.#moved)
  }
}
