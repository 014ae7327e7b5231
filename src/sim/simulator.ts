/**
 * The simulator: one seed drives hosts, commands, the clock, the order in which copies and disk writes end, failures
 * and crashes. Engine, journal, payload store and recovery are the real ones; only clock, chance and the store under
 * the journal are simulated.
 *
 *     dice of step k ─▶ ask the engine │ end a copy │ let the disk write │ let time pass │ crash ─▶ the witness looks
 *
 * The seed also says what the disk is like (disk-nature.ts). Where it lost or damaged what no reading again brings back,
 * and opening or verify said so, the run goes on with a new disk and another journal.
 *
 * The same seed and steps give the same journals, byte for byte: `simulate` runs twice and compares. A step throws its
 * own dice, so a run with some of the steps left out is a run too: shrink.ts makes failures small that way.
 */

import type { Finding } from '../check/check.ts'
import { stateHashText } from '../volume/snapshot.ts'
import { AskLog, type NotedAsk } from './ask-log.ts'
import { beginning, outsideBlocks } from './command-chance.ts'
import { Dice } from './dice.ts'
import type { Disk } from './disk.ts'
import { type Nature, natureOf, type Rates, ratesOf } from './disk-nature.ts'
import type { Failure, Faults } from './fault-chance.ts'
import type { FaultyHead } from './faulty-head.ts'
import { stamped } from './io-chance.ts'
import { Life, type LifeOptions } from './life.ts'
import { modeOf, type RunMode } from './run-mode.ts'

export interface SimulateOptions {
  readonly seed: number
  /** How many steps, or which. */
  readonly steps: number | readonly number[]
  /** Which asks of the beginning (command-chance.ts) are made; all unless told otherwise. */
  readonly beginning?: readonly number[]
  /** Which asks of the ending (rest.ts); all unless told otherwise. */
  readonly ending?: readonly number[]
  /** Once in how many disk writes one fails; 0: never. 1000 unless told otherwise. */
  readonly faultEvery?: number
  /** Instead: this one fails. */
  readonly failure?: Failure
  /** Once in how many steps the machine or the process dies; 0: never. 2000 unless told otherwise. */
  readonly crashEvery?: number
  /** What is the matter with the disk; the seed says it unless told otherwise. */
  readonly disk?: Nature
  /** Bytes of payload in a batch from which on it goes to a segment; the seed says it unless told otherwise. */
  readonly segmentedFrom?: number
  /** Events between two checkpoints; the seed says it unless told otherwise. */
  readonly checkpointEvery?: number
  /** How often that shows, where the nature's own rates are not wanted. */
  readonly rates?: Partial<Rates>
  /**
   * For a run that is kept: digests of all that reads return go on the record, so that `replay` compares them, and what
   * was asked and answered is noted. Steps and findings are the same, hashes are not.
   */
  readonly evidence?: boolean
  /** How the recorder is set up, where the seed is not to say it. */
  readonly mode?: Partial<RunMode>
  /** Called before each step of each run, with the steps that were taken in it. */
  readonly onStep?: (taken: number) => void
  /** Ends the run between two steps: `simulate` rejects with its reason. */
  readonly signal?: AbortSignal
}

export interface Simulated {
  readonly seed: number
  readonly nature: Nature
  readonly mode: RunMode
  /** Steps taken: all of them, or up to the one that brought a finding. */
  readonly steps: number
  /** Of all journals of the run. */
  readonly events: number
  /** Events that came from outside. */
  readonly inputs: number
  readonly frames: number
  readonly crashes: number
  /** Journals: one, and one more each time a disk had to be replaced. */
  readonly lives: number
  /** How often damage was reported: by opening, by verify, to a reader. */
  readonly reports: number
  /** What the disk did, by kind. */
  readonly faults: Readonly<Faults>
  /** Of the last journal. */
  readonly head: { readonly seq: number; readonly hash: string }
  readonly stateHash: string
  /** The heads of all journals, in order. */
  readonly heads: readonly string[]
  readonly findings: readonly Finding[]
  /** What was asked and answered, with `evidence`. */
  readonly asks: readonly NotedAsk[]
  /** The disk and head file as the run left them: a journal to look at (keep.ts). */
  readonly disk: Disk
  readonly slots: FaultyHead
}

/** Payload goes to segments never, always, or when a batch has much of it. */
const thresholds = [Number.POSITIVE_INFINITY, 1, 2048, 8192] as const

const outsideBytes = (offset: number, length: number) => stamped(2 ** 31, offset, length)

function outsideOf({ block }: RunMode) {
  return {
    size: outsideBlocks * block,
    read: async (offset: number, length: number) => outsideBytes(offset, length),
    close: async () => undefined,
  }
}

/** Runs one seed. `twice` (the default): again, and what differs is a finding, for a run must be repeatable. */
export async function simulate(options: SimulateOptions & { readonly twice?: boolean }): Promise<Simulated> {
  const once = await run(options)
  if (options.twice === false || once.findings.length > 0) return once
  const again = await run(options)
  const [first, second] = [once, again].map(({ heads }) => heads.join(', '))
  if (first === second && again.stateHash === once.stateHash) return once
  const detail = `the second run of the seed ends with ${second}, not with ${first}`
  return { ...once, findings: [{ seq: once.head.seq, rule: 'repeatable-run', detail }] }
}

async function run(options: SimulateOptions): Promise<Simulated> {
  const { seed, steps, faultEvery = 1000, crashEvery = 2000, failure } = options
  const nature = options.disk ?? natureOf(seed)
  const mode = modeOf(seed, {
    ...options.mode,
    ...(options.evidence === true && { readDigests: 'always' }),
  })
  const faults: Faults = {}
  const of: LifeOptions = {
    ...{ dice: new Dice(seed, -2), rates: ratesOf(nature, options.rates), faultEvery, crashEvery, faults },
    segmentedFrom: options.segmentedFrom ?? new Dice(seed, -4).of(...thresholds),
    ...{ mode, outside: outsideOf(mode), outsideBytes, pace: 2 ** (1 + 2 * (seed % 3)) },
    checkpointEvery: options.checkpointEvery ?? [700, 2000, 4000][seed % 3]!,
    ...(failure !== undefined && { failure }),
  }
  const sum = { steps: 0, events: 0, inputs: 0, frames: 0, crashes: 0, lives: 0, reports: 0 }
  const heads: string[] = []
  const log = new AskLog()
  const begin = async () => {
    const journal = ++sum.lives
    const life = new Life(options.evidence === true ? { ...of, noted: { log, journal } } : of)
    const asks = beginning(new Dice(seed, -1), mode)
    await life.begin(asks.filter((_, k) => options.beginning?.includes(k) !== false))
    return life
  }
  const end = ({ witness, crashes, reports }: Life) => {
    sum.events += witness.world.seq
    sum.inputs += witness.inputs
    sum.frames += witness.frames
    sum.crashes += crashes
    sum.reports += reports
    heads.push(`${witness.head}@${witness.world.seq}`)
  }
  let life = await begin()
  for (const step of typeof steps === 'number' ? upTo(steps) : steps) {
    if (life.witness.failed) break
    options.signal?.throwIfAborted()
    options.onStep?.(sum.steps)
    if (life.over) {
      end(life)
      life = await begin()
    }
    life.machine.dice = new Dice(~seed, step)
    await life.step(new Dice(seed, step))
    sum.steps++
  }
  const isAsked = (ask: number) => options.ending?.includes(ask) !== false
  if (!life.witness.failed && !life.over) await life.finish(isAsked)
  end(life)
  const { world, head: hash } = life.witness
  const { disk, head: slots } = life.machine
  const { asks } = log
  const findings = life.witness.all()
  const head = { seq: world.seq, hash }
  const stateHash = stateHashText(world)
  return { seed, nature, mode, ...sum, faults, head, stateHash, heads, findings, asks, disk, slots }
}

function* upTo(count: number): Generator<number> {
  for (let k = 0; k < count; k++) yield k
}
