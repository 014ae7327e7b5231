/**
 * Events that are there twice: the same operation on the same range of the same device at the same instant, close to
 * each other. A clock of whole seconds makes many such pairs that are none, so its events are not looked at.
 */

import type { TraceEvent } from '../event.ts'
import { type LintRule, type Report, rangeOf, type Watch } from './rule.ts'

/** So many events back a twin is looked for. */
const window = 64
const second = 1e9

export const duplicate: LintRule = {
  name: 'duplicate',
  title: 'an event is there twice: same instant, device, operation and range',
  advice: 'files were joined twice, or a request was seen at two layers: take one of them',
  watch: (report) => new Twins(report),
}

class Twins implements Watch {
  readonly #report: Report
  readonly #recent: (TraceEvent | undefined)[] = new Array(window).fill(undefined)
  #seen = 0
  #finer = false

  constructor(report: Report) {
    this.#report = report
  }

  see(event: TraceEvent): void {
    const { tNs, op, offset, length, dev } = event
    if (tNs === null || rangeOf(event) === undefined) return
    this.#finer ||= tNs % second !== 0
    if (this.#finer) {
      const twin = this.#recent.find(
        (one) =>
          one !== undefined &&
          one.tNs === tNs &&
          one.offset === offset &&
          one.op === op &&
          one.length === length &&
          one.dev === dev,
      )
      if (twin !== undefined) this.#report(`is event ${twin.index} again: ${op} ${offset}+${length}`, event)
    }
    this.#recent[this.#seen++ % window] = event
  }
}
