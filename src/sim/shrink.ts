/**
 * Shrinking: a failing run loses steps, and then what it begins and ends with, as long as it still breaks the same rule
 * (delta debugging, Zeller and Hildebrandt 2002): halves first, then quarters, down to single ones, bounded by a number
 * of runs and by the steps that these take. What it begins with comes first, with steps in plenty: in a smaller world the
 * same rule breaks elsewhere, and whatever is left of the beginning when few steps are left has to stay.
 */

import { type Simulated, type SimulateOptions, simulate } from './simulator.ts'

export interface Shrunk {
  /** The steps that are left, by number. */
  readonly steps: readonly number[]
  /** The asks of the beginning that are left, by number. */
  readonly beginning: readonly number[]
  /** The asks of the ending that are left, by number. */
  readonly ending: readonly number[]
  readonly runs: number
  /** The run with those. */
  readonly run: Simulated
}

export interface ShrinkBounds {
  /** 1000 unless told otherwise. */
  readonly maxRuns?: number
  /** 3,000,000 unless told otherwise. */
  readonly maxSteps?: number
}

/** More asks than a run begins or ends with. */
const most = 128

/** A world that begins with less may take so many steps more until it breaks. */
const longer = 1000

/** What is made shorter. */
const lists = ['steps', 'beginning', 'ending'] as const

/** Makes a run that failed as short as the bounds allow. `failed` is the run, which broke at its last step. */
export async function shrink(
  options: SimulateOptions,
  failed: Simulated,
  { maxRuns = 1000, maxSteps = 3_000_000 }: ShrinkBounds = {},
): Promise<Shrunk> {
  const { rule } = failed.findings[0]!
  const twice = rule === 'repeatable-run'
  let [runs, spent] = [0, 0]
  let best: Shrunk = {
    steps: stepsOf(options).slice(0, failed.steps),
    beginning: options.beginning ?? upTo(most),
    ending: options.ending ?? upTo(most),
    ...{ runs, run: failed },
  }
  const breaks = async (part: Partial<Pick<Shrunk, (typeof lists)[number]>>) => {
    const { steps, beginning, ending } = { ...best, ...part }
    const run = await simulate({ ...options, steps, beginning, ending, twice })
    runs++
    spent += run.steps
    if (!run.findings.some((finding) => finding.rule === rule)) return false
    best = { steps: steps.slice(0, run.steps), beginning, ending, runs, run }
    return true
  }
  const goesOn = () => runs < maxRuns && spent < maxSteps
  const many = stepsOf(options).slice(0, 2 * failed.steps + longer)
  await lessen(
    () => best.beginning,
    (left) => breaks({ beginning: left, steps: many }),
    () => runs < maxRuns / 4 && spent < maxSteps / 4,
  )
  const size = () => lists.reduce((sum, list) => sum + best[list].length, 0)
  for (let before = -1; before !== size() && goesOn(); ) {
    before = size()
    for (const list of lists) {
      await lessen(
        () => best[list],
        (left) => breaks({ [list]: left }),
        goesOn,
      )
    }
    if (before === size())
      await lessenByTwo(
        () => best.steps,
        (left) => breaks({ steps: left }),
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

/** Leaves out two parts at once, where each needs the other gone: a session that opens and closes, a start and its stop. */
async function lessenByTwo(
  list: () => readonly number[],
  breaks: (left: readonly number[]) => Promise<boolean>,
  goesOn: () => boolean,
): Promise<void> {
  for (let one = list().length - 1; one > 0; one--) {
    for (let other = one - 1; other >= 0 && goesOn(); other--) {
      const left = list().filter((_, k) => k !== one && k !== other)
      if (left.length < list().length && (await breaks(left))) return
    }
  }
}

function stepsOf({ steps }: SimulateOptions): readonly number[] {
  return typeof steps === 'number' ? upTo(steps) : steps
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, k) => k)
}
