/**
 * What a test file's process proved, judged from what it left behind.
 *
 * uvu's exit code alone is not evidence: a `before()` that throws, a forgotten `.run()`, an `only()` left in and
 * several more end with code 0. A file is believed only if it exited 0 by itself and its standard output closes
 * with uvu's totals, once, saying Total = Passed > 0 and Skipped = 0. A test that says `not proved here: why` is not
 * counted as passed, for the machine may not do what it needs.
 */

/** How the process of one test file ended. */
export interface Ending {
  readonly code: number | null
  readonly signal: string | null
  /** The limit that ran out, if the process was stopped for that. */
  readonly expiredMs?: number
  /** The process ended, but something it started still held its output open. */
  readonly lingering?: boolean
  /** Standard output alone, uncoloured. */
  readonly stdout: string
}

/** `passed` and `failed` count tests. A file that fails counts at least one failed test. */
export interface Verdict {
  readonly passed: number
  readonly failed: number
  /** Why the file is not believed; undefined when it is. */
  readonly reason: string | undefined
  /** Why tests of it proved nothing, one of each. */
  readonly unproved: readonly string[]
}

const CLOSING = /\n {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)\n {2}Duration: +\S+\s*$/
const UNPROVED = /not proved here: (.+)$/gm
const ANY_TOTAL = /^ {2}Total: +\d+\n {2}Passed: /gm

/** Judges one file. */
export function judge(ending: Ending): Verdict {
  const closing = CLOSING.exec(ending.stdout)
  const [total, passed, skipped] = closing === null ? [0, 0, 0] : closing.slice(1, 4).map(Number)
  const reason = doubt(ending, closing !== null, total!, passed!, skipped!)
  const unproved = [...ending.stdout.matchAll(UNPROVED)].map(([, why]) => why!)
  const proved = Math.max(0, passed! - unproved.length)
  if (reason === undefined) return { passed: proved, failed: 0, reason, unproved }
  return { passed: proved, failed: Math.max(1, total! - passed!), reason, unproved }
}

function doubt(
  ending: Ending,
  closed: boolean,
  total: number,
  passed: number,
  skipped: number,
): string | undefined {
  if (ending.expiredMs !== undefined) return `still running after its limit of ${ending.expiredMs / 1000} s`
  if (ending.signal !== null) return `killed by ${ending.signal}`
  if (closed && passed !== total) return `${passed} of ${total} tests passed`
  if (ending.code !== 0) return `exit code ${ending.code}`
  if (!closed) return 'ended without the totals that close a run: is .run() missing?'
  if ((ending.stdout.match(ANY_TOTAL) ?? []).length > 1) return 'totals printed more than once: a late .run()'
  if (total === 0) return 'no test ran'
  if (skipped > 0) return `${skipped} tests skipped by only() or skip()`
  if (ending.lingering) return 'a process it started outlived it'
  return undefined
}

/** The counts of a whole run: tests passed, tests failed, tests and files that did not run. */
export interface Tally {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** The line that closes a run. */
export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

/** True if the run is a success: nothing failed, and something passed. */
export function succeeded({ passed, failed }: Tally): boolean {
  return failed === 0 && passed > 0
}
