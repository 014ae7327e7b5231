/** Rules about time: going back, answers before their requests, and rates that no device has. */

import type { TraceEvent } from '../event.ts'
import type { LintRule, Report, Watch } from './rule.ts'

/** An event is earlier than the one before it. */
export const timeBack: LintRule = {
  name: 'time-back',
  title: 'an event is earlier than the one before it',
  advice:
    'logs of several writers were joined, or a clock was set: sort the trace, or play it as fast as possible',
  watch(report) {
    let last = Number.NEGATIVE_INFINITY
    return {
      see(event) {
        if (event.tNs === null) return
        if (event.tNs < last) report(`${last - event.tNs} ns before the event before it`, event)
        last = event.tNs
      },
    }
  },
}

/** An answer is earlier than its request. */
export const answerEarly: LintRule = {
  name: 'answer-early',
  title: 'an answer is earlier than its request',
  advice:
    'requests and answers were stamped by different clocks: do not trust latencies or overlaps of this trace',
  watch: (report) => ({
    see(event) {
      const { tNs, tCompleteNs } = event
      if (tNs === null || tCompleteNs == null || tCompleteNs >= tNs) return
      report(`answered ${tNs - tCompleteNs} ns before it was asked`, event)
    },
  }),
}

const enough = 1000
const fastestPerSecond = 2e7
const slowestGapNs = 3600e9

/** All events fall into no time, or lie hours apart: the unit of time is another one. */
export const timeUnit: LintRule = {
  name: 'time-unit',
  title: 'the rate of events is one that no device has',
  advice: 'the unit of time is not the one it is read as: check the format, and --time-unit-ns of disksim',
  watch: (report) => new Rate(report),
}

class Rate implements Watch {
  readonly #report: Report
  #events = 0
  #first = Infinity
  #last = -Infinity

  constructor(report: Report) {
    this.#report = report
  }

  see({ tNs }: TraceEvent): void {
    if (tNs === null) return
    this.#events++
    this.#first = Math.min(this.#first, tNs)
    this.#last = Math.max(this.#last, tNs)
  }

  end(): void {
    if (this.#events < enough) return
    const span = this.#last - this.#first
    const gap = span / this.#events
    if (span === 0) this.#report(`all ${this.#events} events have the same time`)
    else if (1e9 / gap > fastestPerSecond) {
      this.#report(`${this.#events} events in ${span} ns: more than ${fastestPerSecond} a second`)
    } else if (gap > slowestGapNs) {
      this.#report(`${this.#events} events lie ${Math.round(gap / 1e9)} s apart on average`)
    }
  }
}
