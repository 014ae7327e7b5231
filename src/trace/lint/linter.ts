/**
 * Lint: what makes a trace doubtful. Every rule sees every event; what they report becomes findings, so many of each
 * rule, and counts of all.
 *
 *     events ─▶ rules ─┐
 *     doubts of the parser, and its refusal ─┴▶ findings, at most `most` of a rule ─▶ counts
 */

import type { TraceDoubt, TraceEvent } from '../event.ts'
import { duplicate } from './duplicate.ts'
import { overlap } from './in-flight.ts'
import { beyond, empty, rangeUnit, unaligned } from './range.ts'
import type { LintOptions, LintRule, Watch } from './rule.ts'
import { answerEarly, timeBack, timeUnit } from './time.ts'

/** Every rule that looks at events. A new one is one line here. */
export const lintRules: readonly LintRule[] = [
  timeBack,
  answerEarly,
  timeUnit,
  overlap,
  beyond,
  unaligned,
  empty,
  rangeUnit,
  duplicate,
]

const holeAdvice = 'the recorder lost events: record again with larger buffers, or do not trust what follows'
const damageAdvice = 'get a whole copy of the trace, or name the right format'

/** Findings that no rule makes: those of the parser. */
const ofParser: Readonly<Record<string, string>> = {
  'capture-hole': holeAdvice,
  damaged: damageAdvice,
  remark: 'see whether the trace is whole',
}

/** One finding; the keys are those of printed JSON. */
export interface LintFinding {
  readonly rule: string
  /** Place in the canonical order, from 0; absent when it is about the trace, as line and byte are. */
  readonly event?: number
  readonly line?: number
  readonly byte?: number
  readonly detail: string
  readonly advice: string
}

export interface LintAsk extends LintOptions {
  /** So many findings of each rule are kept; the rest is counted. */
  readonly most: number
}

export class Linter {
  readonly #watches: Watch[]
  readonly #most: number
  readonly #counts: Record<string, number> = {}
  #findings: LintFinding[] = []
  #events = 0

  constructor(ask: LintAsk) {
    this.#most = ask.most
    this.#watches = lintRules.map(({ name, advice, watch }) =>
      watch((detail, event) => this.#add(name, advice, detail, event), ask),
    )
  }

  get events(): number {
    return this.#events
  }

  /** How many findings each rule had, of the rules that had any. */
  get counts(): Readonly<Record<string, number>> {
    return this.#counts
  }

  see(event: TraceEvent): void {
    this.#events++
    for (const watch of this.#watches) watch.see(event)
  }

  /** Takes what a parser doubts. */
  doubt({ detail, line, byte }: TraceDoubt): void {
    this.#add('capture-hole', holeAdvice, detail, {
      ...(line !== undefined && { line }),
      ...(byte !== undefined && { byte }),
    })
  }

  /** Takes what a parser says of the end (`remark`), or why it refused the trace (`damaged`). */
  complain(rule: 'damaged' | 'remark', detail: string): void {
    const place = /\b(line|byte) (\d+): /.exec(detail)
    this.#add(rule, ofParser[rule]!, detail, place === null ? {} : { [place[1]!]: Number(place[2]) })
  }

  end(): void {
    for (const watch of this.#watches) watch.end?.()
  }

  /** The findings since this was asked last. */
  take(): LintFinding[] {
    const findings = this.#findings
    this.#findings = []
    return findings
  }

  #add(rule: string, advice: string, detail: string, at: Partial<TraceEvent> = {}): void {
    const count = (this.#counts[rule] ?? 0) + 1
    this.#counts[rule] = count
    if (count > this.#most) return
    const { index, line, byte } = at
    this.#findings.push({
      rule,
      ...(index !== undefined && { event: index }),
      ...(line !== undefined && { line }),
      ...(byte !== undefined && { byte }),
      detail,
      advice,
    })
  }
}
