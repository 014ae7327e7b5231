/**
 * A rule of lint: sees every event of a trace in its order and reports what makes it doubtful. Rules are pure, know
 * nothing of each other, and hold a bounded amount whatever the trace.
 */

import type { TraceEvent } from '../event.ts'

/** What is wrong, and with which event; without one it is the trace as a whole. */
export type Report = (detail: string, event?: TraceEvent) => void

export interface Watch {
  see(event: TraceEvent): void
  end?(): void
}

export interface LintOptions {
  /** Bytes of the device the trace is of. */
  readonly size?: number
}

export interface LintRule {
  readonly name: string
  /** What the rule looks for, in a line. */
  readonly title: string
  /** What to do about its findings. */
  readonly advice: string
  watch(report: Report, options: LintOptions): Watch
}

/** The range of an event that has one and is no flush or mark. */
export function rangeOf(event: TraceEvent): { offset: number; length: number } | undefined {
  const { op, offset, length } = event
  if (offset === null || length === null || op === 'flush' || op === 'mark') return undefined
  return { offset, length }
}

/** True for what changes content. */
export function changesContent({ op }: TraceEvent): boolean {
  return op === 'write' || op === 'zero' || op === 'discard'
}
