/**
 * Shrinking: a failing run loses steps, and then what it begins with, as long as it still breaks the same rule (delta
 * debugging, Zeller and Hildebrandt 2002): halves first, then quarters, down to single ones, bounded by a number of
 * runs and by the steps that these take.
 */

import { type Simulated, type SimulateOptions, simulate } from './simulator.ts'

export interface Shrunk {
  /** The steps that are left, by number. */
  readonly steps: readonly number[]
  /** The asks of the beginning that are left, by number. */
  readonly beginning: readonly number[]
  readonly runs: number
  /** The run with those. */
  readonly run: Simulated
}

export interface ShrinkBounds {
  /** 600 unless told otherwise. */
  readonly maxRuns?: number
  /** 3,000,000 unless told otherwise. */
  readonly maxSteps?: number
}

/** More asks than a run begins with. */
const beginnings = 64

/** Makes a run that failed as short as the bounds allow. `failed` is the run, which broke at its last step. */
export async function shrink(
  options: SimulateOptions,
  failed: Simulated,
  { maxRuns = 600, maxSteps = 3_000_000 }: ShrinkBounds = {},
): Promise<Shrunk> {
  const { rule } = failed.findings[0]!
  const twice = rule === 'repeatable-run'
  let [runs, spent] = [0, 0]
  let best: Shrunk = {
    steps: stepsOf(options).slice(0, failed.steps),
    beginning: options.beginning ?? Array.from({ length: beginnings }, (_, k) => k),
    ...{ runs, run: failed },
  }
  const breaks = async (part: Partial<Pick<Shrunk, 'steps' | 'beginning'>>) => {
    const { steps, beginning } = { ...best, ...part }
    const run = await simulate({ ...options, steps, beginning, twice })
    runs++
    spent += run.steps
    if (!run.findings.some((finding) => finding.rule === rule)) return false
    best = { steps: steps.slice(0, run.steps), beginning, runs, run }
    return true
  }
  const goesOn = () => runs < maxRuns && spent < maxSteps
  const steps = () => best.steps
  for (let before = -1; before !== best.steps.length && goesOn(); ) {
    before = best.steps.length
    await lessen(steps, (left) => breaks({ steps: left }), goesOn)
    await lessen(
      () => best.beginning,
      (left) => breaks({ beginning: left }),
      goesOn,
    )
  }
  return { ...best, runs }
}

/** Leaves out parts of a list, smaller and smaller ones, while `breaks` says of what is left that it still breaks. */
async function lessen(
  list: () => readonly number[],
  breaks: (left: readonly number[]) => Promise<boolean>,
  goesOn: () => boolean,
): Promise<void> {
  for (let parts = 2; goesOn() && list().length > 0; ) {
    const size = Math.ceil(list().length / parts)
    let shorter = false
    for (let from = list().length - size; from > -size && goesOn(); from -= size) {
      const now = list()
      const left = [...now.slice(0, Math.max(0, from)), ...now.slice(from + size)]
      if (left.length < now.length && (await breaks(left))) shorter = true
    }
    if (size === 1 && !shorter) return
    parts = shorter ? Math.max(2, parts - 1) : Math.min(list().length, parts * 2)
  }
}

function stepsOf({ steps }: SimulateOptions): readonly number[] {
  return typeof steps === 'number' ? Array.from({ length: steps }, (_, k) => k) : steps
}
