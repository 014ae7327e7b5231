/**
 * Requests that overlap in place and in time, where the trace tells when each was answered: which of them took effect
 * last, the trace cannot say, so its order need not reproduce the device.
 *
 *     asked ─▶ in flight ─▶ answered: forgotten when a later request is asked after it
 *
 * At most 4096 requests are followed at once; one too many pushes the oldest out.
 */

import type { TraceEvent } from '../event.ts'
import { changesContent, type LintRule, type Report, rangeOf, type Watch } from './rule.ts'

const most = 4096

export const overlap: LintRule = {
  name: 'overlap',
  title: 'a write overlaps another request on the same device while both are in flight',
  advice:
    'the order of the trace does not tell which of them won: do not expect the content of the device from it',
  watch: (report) => new InFlight(report),
}

interface Flying {
  readonly index: number
  readonly dev: string | null
  readonly from: number
  readonly to: number
  readonly changes: boolean
  readonly until: number
}

class InFlight implements Watch {
  readonly #report: Report
  #flying: Flying[] = []

  constructor(report: Report) {
    this.#report = report
  }

  see(event: TraceEvent): void {
    const range = rangeOf(event)
    const { tNs, tCompleteNs, dev, index } = event
    if (range === undefined || tNs === null || tCompleteNs === undefined || event.op === 'other') return
    const changes = changesContent(event)
    const from = range.offset
    const to = from + range.length
    let kept = 0
    let other: Flying | undefined
    for (const one of this.#flying) {
      if (one.until <= tNs) continue
      this.#flying[kept++] = one
      if ((changes || one.changes) && one.from < to && from < one.to && sameDevice(one.dev, dev))
        other ??= one
    }
    this.#flying.length = kept
    if (other !== undefined) {
      this.#report(
        `overlaps event ${other.index}, which was in flight (${other.from}+${other.to - other.from})`,
        event,
      )
    }
    if (this.#flying.length === most) this.#flying.shift()
    this.#flying.push({ index, dev, from, to, changes, until: tCompleteNs ?? Number.POSITIVE_INFINITY })
  }
}

/** Connections are several ways to one device. */
function sameDevice(a: string | null, b: string | null): boolean {
  return a === b || (a !== null && b !== null && connection.test(a) && connection.test(b))
}

const connection = /^conn\d+$/
