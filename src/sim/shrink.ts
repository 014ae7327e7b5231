/**
 * Shrinking: a failing run loses steps as long as it still breaks the same rule (delta debugging, Zeller and
 * Hildebrandt 2002): halves first, then quarters, down to single steps, bounded by a number of runs.
 */

import type { Finding } from '../check/check.ts'
import { type Simulated, type SimulateOptions, simulate } from './simulator.ts'

export interface Shrunk {
  /** The steps that are left, by number. */
  readonly steps: readonly number[]
  readonly runs: number
  /** The run with those steps. */
  readonly run: Simulated
}

/** Makes a run that failed as short as `maxRuns` runs allow. `failed` is the run, which broke at its last step. */
export async function shrink(options: SimulateOptions, failed: Simulated, maxRuns = 400): Promise<Shrunk> {
  const { rule } = failed.findings[0]!
  const all =
    typeof options.steps === 'number' ? Array.from({ length: options.steps }, (_, k) => k) : options.steps
  let best: Shrunk = { steps: all.slice(0, failed.steps), runs: 0, run: failed }
  let runs = 0
  const breaks = async (steps: readonly number[]) => {
    runs++
    const run = await simulate({ ...options, steps, twice: rule === 'repeatable-run' })
    if (!sameRule(run.findings, rule)) return false
    best = { steps: steps.slice(0, run.steps), runs, run }
    return true
  }
  for (let parts = 2; runs < maxRuns && best.steps.length > 1; ) {
    const size = Math.ceil(best.steps.length / parts)
    let shorter = false
    for (let from = best.steps.length - size; from > -size && runs < maxRuns; from -= size) {
      const { steps } = best
      const without = [...steps.slice(0, Math.max(0, from)), ...steps.slice(from + size)]
      if (without.length < steps.length && (await breaks(without))) shorter = true
    }
    if (size === 1 && !shorter) break
    parts = shorter ? Math.max(2, parts - 1) : Math.min(best.steps.length, parts * 2)
  }
  return { ...best, runs }
}

function sameRule(findings: readonly Finding[], rule: string): boolean {
  return findings.some((finding) => finding.rule === rule)
}
