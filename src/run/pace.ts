/**
 * Pace: when each request of a trace is due, and how late it was sent.
 *
 *     time in the trace ─▶ divided by the pace ─▶ due, on the clock of the run ─▶ sent ─▶ lateness
 *
 * Every instant is counted from the beginning of the host, never from the request before, so that lateness does not
 * add up: a request that was late makes no other late. A time that goes back in the trace is due at once.
 */

import { BlockboxError } from '../core/errors.ts'

/** Time as a run needs it: a clock that never goes back, and waiting. */
export interface Timekeeper {
  /** Nanoseconds since some instant, as a number: exact for three months. */
  nowNs(): number
  /** Resolves after about `ms` milliseconds, or when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** 0: as fast as possible; otherwise how many times as fast as it was recorded. */
export type Pace = number

export const fastest: Pace = 0
const slowestPace = 1e-6
const fastestPace = 1e6
/** A trace that is silent for longer is refused: somebody would sit before a program that does nothing. */
const longestWaitNs = 3600e9

/** Reads `fast`, `recorded`, `10x` or `0.5x`; undefined when it is none of these. */
export function parsePace(text: string): Pace | undefined {
  if (text === 'fast') return fastest
  if (text === 'recorded') return 1
  const times = /^(\d{1,7}(?:\.\d{1,6})?)x$/.exec(text)
  const pace = Number(times?.[1] ?? 0)
  return pace >= slowestPace && pace <= fastestPace ? pace : undefined
}

export function paceText(pace: Pace): string {
  if (pace === fastest) return 'fast'
  return pace === 1 ? 'recorded' : `${pace}x`
}

/** The instants of one trace at one pace. */
export class Schedule {
  readonly #pace: Pace
  readonly #name: string
  #lastNs = 0

  /** @param name of the host, for complaints. */
  constructor(pace: Pace, name: string) {
    this.#pace = pace
    this.#name = name
  }

  /**
   * Nanoseconds after the beginning of the host at which an event is due; never before the event before it. Throws
   * SCENARIO when it has no time, or one more than an hour away from the one before.
   */
  dueNs(tNs: number | null, index: number): number {
    if (this.#pace === fastest) return 0
    if (tNs === null) {
      const message = `host ${this.#name}: event ${index} of its trace has no time, so there is no pace to keep: use pace fast`
      throw new BlockboxError('SCENARIO', message)
    }
    const due = Math.max(this.#lastNs, tNs / this.#pace)
    if (due - this.#lastNs > longestWaitNs) {
      const hours = ((due - this.#lastNs) / longestWaitNs).toFixed(1)
      const message = `host ${this.#name}: ${hours} hours would pass before event ${index} of its trace: use a faster pace, as 100x`
      throw new BlockboxError('SCENARIO', message)
    }
    this.#lastNs = due
    return due
  }
}

/** What became of a schedule. Times are nanoseconds. */
export interface PaceReport {
  readonly requests: number
  /** From the beginning to when the last request was due. */
  readonly scheduledNs: number
  /** From the beginning to when it was sent. */
  readonly tookNs: number
  /** How much longer it took, as a part of what it was to take; 0 for a schedule without length. */
  readonly drift: number
  readonly p50Ns: number
  readonly p99Ns: number
  readonly maxNs: number
}

/** Steps by which a bucket grows: quantiles are true to 1 part in 16. */
const stepsPerDoubling = 16
const buckets = 64 * stepsPerDoubling

/** Adds up how late requests were sent, in constant memory. */
export class Lateness {
  readonly #counts = new Float64Array(buckets)
  #requests = 0
  #maxNs = 0
  #scheduledNs = 0
  #tookNs = 0

  /** A request due at one instant was sent at another, both in nanoseconds from the beginning. */
  add(dueNs: number, sentNs: number): void {
    const late = Math.max(0, sentNs - dueNs)
    const bucket = Math.min(buckets - 1, Math.floor(Math.log2(late + 1) * stepsPerDoubling))
    this.#counts[bucket]! += 1
    this.#requests++
    this.#maxNs = Math.max(this.#maxNs, late)
    if (dueNs >= this.#scheduledNs) {
      this.#scheduledNs = dueNs
      this.#tookNs = sentNs
    }
  }

  report(): PaceReport {
    const scheduledNs = Math.round(this.#scheduledNs)
    const tookNs = Math.round(this.#tookNs)
    const drift = scheduledNs === 0 ? 0 : tookNs / scheduledNs - 1
    const times = { p50Ns: this.#quantile(0.5), p99Ns: this.#quantile(0.99), maxNs: Math.round(this.#maxNs) }
    return { requests: this.#requests, scheduledNs, tookNs, drift, ...times }
  }

  /** The upper end of the bucket in which a part of all requests ends. */
  #quantile(part: number): number {
    let seen = 0
    for (let bucket = 0; bucket < buckets; bucket++) {
      seen += this.#counts[bucket]!
      if (seen > 0 && seen >= part * this.#requests) {
        return Math.min(Math.round(this.#maxNs), Math.round(2 ** ((bucket + 1) / stepsPerDoubling) - 1))
      }
    }
    return 0
  }
}
