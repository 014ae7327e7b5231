/**
 * Branches in the making: their moment is looked up in the journal, and what their source showed then is reported run
 * by run, in bounded batches that hosts' requests go between.
 *
 *     branch.started ─▶ its turn ─▶ state of the past ─▶ branch.report * n, durable ─▶ ... ─▶ branch.end
 *
 * One at a time: each needs the block maps of a whole state. What is still owed after a restart is every branch that is
 * not finished, from the run on that comes next.
 */

import { BlockboxError } from '../core/errors.ts'
import type { Code } from '../events/code.ts'
import { placedRuns } from '../images/placed-runs.ts'
import type { Journal } from '../journal/journal.ts'
import { mapHashOf } from '../layers/branch.ts'
import { type Branch, branchesOf, unfinished, volumeOfBranch } from '../layers/branch-state.ts'
import { type Volume, volumeOf, type World } from '../layers/layer.ts'
import { imageOf } from '../volume/content.ts'
import type { Answer, CommandAsk } from './ask.ts'

/** The state after an event of a journal, as replay/at.ts makes it. */
export type WorldAt = (journal: Journal, seq: number, signal?: AbortSignal) => Promise<World>

/** What branches are made with. */
export interface BranchTools {
  readonly journal: Journal
  /** Without it branches end with E_UNSUPPORTED. */
  readonly worldAt: WorldAt | undefined
  readonly submit: (ask: CommandAsk) => Promise<Answer>
}

/** Reports that are under way at once. */
const batch = 512

export class BranchEffects {
  readonly #tools: BranchTools
  readonly #world: World
  readonly #stopped = new AbortController()
  #turn: Promise<void> = Promise.resolve()

  constructor(tools: BranchTools, world: World) {
    this.#tools = tools
    this.#world = world
  }

  /** Makes the branch that is volume `id` when those before it are made. */
  begin(id: number): void {
    this.#turn = this.#turn.then(() => this.#make(id)).catch(() => undefined)
  }

  /** Goes on with the branches of a recovered state. */
  owe(world: World): void {
    for (const { volume } of unfinished(branchesOf(world))) this.begin(volume)
  }

  /** Nothing is reported any more. */
  stop(): void {
    this.#stopped.abort()
  }

  async #make(id: number): Promise<void> {
    const branch = branchesOf(this.#world).byVolume.get(id)
    if (branch === undefined || this.#stopped.signal.aborted) return
    let source: Volume
    try {
      source = await this.#sourceOf(branch)
    } catch (error) {
      if (!this.#stopped.signal.aborted) await this.#end(branch, codeOf(error), 0, '')
      return
    }
    const runs = await this.#report(branch, source)
    if (runs !== undefined) await this.#end(branch, 'ok', runs, mapHashOf(source))
  }

  /** The source as its readers saw it then. */
  async #sourceOf(branch: Branch): Promise<Volume> {
    const { journal, worldAt } = this.#tools
    if (worldAt === undefined) throw new Failed('E_UNSUPPORTED')
    const past = await worldAt(journal, branch.seq, this.#stopped.signal)
    const then = volumeOf(past, branch.from)
    if (then === undefined) throw new Failed('E_NO_VOLUME')
    if (then.size !== volumeOfBranch(this.#world, branch).size) throw new Failed('E_SIZE')
    return imageOf(past, then)
  }

  /** Reports what is still to come. Gives the number of all runs, or undefined when it was stopped or refused. */
  async #report(branch: Branch, { map, block }: Volume): Promise<number | undefined> {
    const { volume, startedSeq: about } = branch
    let runs = branch.runs
    let asked: Promise<Answer>[] = []
    const taken = async () => {
      const answers = await Promise.all(asked)
      asked = []
      return !this.#stopped.signal.aborted && answers.every(({ code }) => code === 'ok')
    }
    for (const run of placedRuns(map, branch.next / block)) {
      const range = { offset: run.block * block, length: run.count * block }
      asked.push(this.#tools.submit({ kind: 'branch.report', volume, ...range, payload: run.place, about }))
      runs++
      if (asked.length === batch && !(await taken())) return undefined
    }
    return (await taken()) ? runs : undefined
  }

  async #end(branch: Branch, code: Code, runs: number, mapHash: string): Promise<void> {
    const { volume, startedSeq: about } = branch
    await this.#tools.submit({ kind: 'branch.end', volume, about, code, detail: { runs, mapHash } })
  }
}

/** Why a branch cannot be made, as its end says. */
class Failed extends Error {
  readonly reason: Code

  constructor(reason: Code) {
    super(reason)
    this.reason = reason
  }
}

/** Content that was not known then is a state that gives no branch; whatever else goes wrong is an error of reading. */
function codeOf(error: unknown): Code {
  if (error instanceof Failed) return error.reason
  return error instanceof BlockboxError && error.code === 'NO_SUCH_POINT' ? 'E_STATE' : 'E_IO'
}
