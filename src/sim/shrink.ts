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
  /** 3000 unless told otherwise. */
  readonly maxRuns?: number
  /** 3,000,000 unless told otherwise. */
  readonly maxSteps?: number
}

/** More asks than a run begins or ends with. */
const most = 128

/** A run with fewer inputs than these can be looked at. */
const few = 20

/** A world that begins with less may take so many steps more until it breaks. */
const longer = 1000

/** So often a run with many inputs is looked for elsewhere, */
const elsewhere = 16
/** and so many steps are taken each time. */
const mostElsewhere = 20_000

/** What is made shorter. */
const lists = ['steps', 'beginning', 'ending'] as const

/**
 * Makes a run that failed as short as the bounds allow. `failed` is the run, which broke at its last step. As long as many
 * inputs are left, it is tried with all of the beginning, and then the small world is led through other steps of the
 * seed; the shortest run of all is taken.
 */
export async function shrink(
  options: SimulateOptions,
  failed: Simulated,
  { maxRuns = 3000, maxSteps = 3_000_000 }: ShrinkBounds = {},
): Promise<Shrunk> {
  const part = (of: number) =>
    new Shrinking(options, failed, { maxRuns: maxRuns / of, maxSteps: maxSteps / of })
  const small = await part(3).inSmallWorld()
  let [best, runs] = [small, small.runs]
  const ways = [
    () => part(3).inWholeWorld(),
    ...upTo(elsewhere).map((k) => () => part(3 * elsewhere).elsewhere(small.beginning, k + 1)),
  ]
  for (const way of ways) {
    if (best.run.inputs < few) break
    const found = await way()
    runs += found.runs
    if (found.run.inputs < best.run.inputs) best = found
  }
  return { ...best, runs }
}

class Shrinking {
  readonly #options: SimulateOptions
  readonly #failed: Simulated
  readonly #bounds: Required<ShrinkBounds>
  #runs = 0
  #spent = 0
  #best: Shrunk

  constructor(options: SimulateOptions, failed: Simulated, bounds: Required<ShrinkBounds>) {
    this.#options = options
    this.#failed = failed
    this.#bounds = bounds
    this.#best = {
      steps: stepsOf(options).slice(0, failed.steps),
      beginning: options.beginning ?? upTo(most),
      ending: options.ending ?? upTo(most),
      ...{ runs: 0, run: failed },
    }
  }

  /** First the beginning, as long as half of what is allowed lasts, then everything. */
  async inSmallWorld(): Promise<Shrunk> {
    const steps = this.#plenty()
    await lessen(
      () => this.#best.beginning,
      (beginning) => this.#breaks({ beginning, steps }),
      () => this.#goesOn(2),
    )
    return this.inWholeWorld()
  }

  /** The same rule, broken in a world with this beginning by steps behind those of the run; the run where none does. */
  async elsewhere(beginning: readonly number[], k: number): Promise<Shrunk> {
    const steps = this.#plenty().slice(0, mostElsewhere)
    const isBroken = await this.#breaks({ beginning, steps: steps.map((step) => step + k * steps.length) })
    return isBroken ? this.inWholeWorld() : { ...this.#best, runs: this.#runs }
  }

  /** Steps enough for a world that begins with less. */
  #plenty(): readonly number[] {
    return stepsOf(this.#options).slice(0, 2 * this.#failed.steps + longer)
  }

  /** All lists in turn until none gets shorter, then two parts of one at once. */
  async inWholeWorld(): Promise<Shrunk> {
    for (let before = -1; before !== this.#size && this.#goesOn(); ) {
      before = this.#size
      for (const list of lists) await this.#each(lessen, list)
      if (before === this.#size) for (const list of lists) await this.#each(lessenByTwo, list)
    }
    return { ...this.#best, runs: this.#runs }
  }

  get #size(): number {
    return lists.reduce((sum, list) => sum + this.#best[list].length, 0)
  }

  #each(less: typeof lessen, list: (typeof lists)[number]): Promise<void> {
    return less(
      () => this.#best[list],
      (left) => this.#breaks({ [list]: left }),
      () => this.#goesOn(),
    )
  }

  #goesOn(part = 1): boolean {
    const { maxRuns, maxSteps } = this.#bounds
    return this.#runs < maxRuns / part && this.#spent < maxSteps / part
  }

  async #breaks(part: Partial<Pick<Shrunk, (typeof lists)[number]>>): Promise<boolean> {
    const { steps, beginning, ending } = { ...this.#best, ...part }
    const { rule } = this.#failed.findings[0]!
    const twice = rule === 'repeatable-run'
    const run = await simulate({ ...this.#options, steps, beginning, ending, twice })
    this.#runs++
    this.#spent += run.steps
    if (!run.findings.some((finding) => finding.rule === rule)) return false
    this.#best = { steps: steps.slice(0, run.steps), beginning, ending, runs: this.#runs, run }
    return true
  }
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
      if (await breaks(left)) return
    }
  }
}

function stepsOf({ steps }: SimulateOptions): readonly number[] {
  return typeof steps === 'number' ? upTo(steps) : steps
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, k) => k)
}
