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
  watch: (report) => new Unit(report),
}

/** Bytes read as sectors are 512 times too large, and their own sectors make them multiples of 512 * 512. */
const squared = sector * sector
/** No smaller device is suspected: large aligned requests are common on it. */
const large = 2 ** 42

class Unit implements Watch {
  readonly #report: Report
  #ranges = 0
  #odd = 0
  #squared = 0
  #maxEnd = 0

  constructor(report: Report) {
    this.#report = report
  }

  see(event: TraceEvent): void {
    const range = rangeOf(event)
    if (range === undefined || range.length === 0) return
    const { offset, length } = range
    this.#ranges++
    this.#maxEnd = Math.max(this.#maxEnd, offset + length)
    if (offset % sector !== 0 && length % sector !== 0) this.#odd++
    if (offset % squared === 0 && length % squared === 0) this.#squared++
  }

  end(): void {
    if (this.#ranges < enough) return
    const all = `of ${this.#ranges} ranges`
    if (this.#odd / this.#ranges > most) {
      this.#report(`${this.#odd} ${all} are in no sectors at all: they look like sectors read as bytes`)
    }
    if (this.#squared === this.#ranges && this.#maxEnd > large) {
      this.#report(`all ${all} are multiples of ${squared} bytes: they look like bytes read as sectors`)
    }
  }
}
