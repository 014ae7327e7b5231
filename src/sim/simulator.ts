/**
 * The simulator: one seed drives hosts, commands, the clock, the order in which copies and disk writes end, failures
 * and crashes. Engine, journal, payload store and recovery are the real ones; only clock, chance and the store under
 * the journal are simulated.
 *
 *     dice of step k ─▶ ask the engine │ end a copy │ let the disk write │ let time pass │ crash ─▶ the witness looks
 *
 * The same seed and steps give the same journal, byte for byte: `simulate` runs twice and compares. A step throws its
 * own dice, so a run with some of the steps left out is a run too: shrink.ts makes failures small that way.
 */

import type { Finding } from '../check/check.ts'
import { BlockboxError } from '../core/errors.ts'
import type { Ask } from '../engine/ask.ts'
import type { Engine } from '../engine/engine.ts'
import { stateHashText } from '../volume/snapshot.ts'
import { beginning, block, commandByChance, volumeBlocks } from './command-chance.ts'
import { ContentOracle } from './content-oracle.ts'
import { Dice } from './dice.ts'
import type { Disk } from './disk.ts'
import type { FaultyHead } from './faulty-head.ts'
import { ioByChance, stamped } from './io-chance.ts'
import { type Failure, Machine, turn } from './machine.ts'
import { Witness } from './witness.ts'

export interface SimulateOptions {
  readonly seed: number
  /** How many steps, or which. */
  readonly steps: number | readonly number[]
  /** Once in how many disk writes one fails; 0: never. 1000 unless told otherwise. */
  readonly faultEvery?: number
  /** Instead: this one fails. */
  readonly failure?: Failure
  /** Once in how many steps the machine or the process dies; 0: never. 2000 unless told otherwise. */
  readonly crashEvery?: number
}

export interface Simulated {
  readonly seed: number
  /** Steps taken: all of them, or up to the one that brought a finding. */
  readonly steps: number
  readonly events: number
  readonly frames: number
  readonly crashes: number
  /** Failures of the disk, by kind. */
  readonly faults: Readonly<Record<string, number>>
  readonly head: { readonly seq: number; readonly hash: string }
  readonly stateHash: string
  readonly findings: readonly Finding[]
  /** The disk and head file as the run left them: a journal to look at (keep.ts). */
  readonly disk: Disk
  readonly slots: FaultyHead
}

const outside = (offset: number, length: number) => stamped(2 ** 31, offset, length)

const outsideImage = {
  size: volumeBlocks[5] * block,
  read: async (offset: number, length: number) => outside(offset, length),
  close: async () => undefined,
}

/** Runs one seed. `twice` (the default): again, and what differs is a finding, for a run must be repeatable. */
export async function simulate(options: SimulateOptions & { readonly twice?: boolean }): Promise<Simulated> {
  const once = await new Simulator(options).run()
  if (options.twice === false || once.findings.length > 0) return once
  const again = await new Simulator(options).run()
  if (again.head.hash === once.head.hash && again.stateHash === once.stateHash) return once
  const [first, second] = [once, again].map(({ head }) => `${head.hash}@${head.seq}`)
  const detail = `the second run of the seed ends with ${second}, not with ${first}`
  return { ...once, findings: [{ seq: once.head.seq, rule: 'repeatable-run', detail }] }
}

class Simulator {
  readonly #options: SimulateOptions
  readonly #machine: Machine
  readonly #witness: Witness
  #engine!: Engine
  /** How many steps come between two moments at which anything under way may end: short and long frames, by seed. */
  readonly #pace: number
  #requests = 0
  #crashes = 0
  /** While a new engine is opened, what becomes of the one before is nobody's concern. */
  #booting = false
  /** Why the engine ended, if it did. */
  #ended: Error | undefined

  constructor(options: SimulateOptions) {
    this.#options = options
    this.#pace = 2 ** (1 + 2 * (options.seed % 3))
    const dice = new Dice(options.seed, -2)
    const { faultEvery = 1000, failure } = options
    const machine = new Machine({
      ...{ dice, faultEvery, outside: outsideImage },
      ...(failure !== undefined && { failure }),
    })
    this.#machine = machine
    this.#witness = new Witness(
      new ContentOracle((place, length) => machine.payload.read(place, length), outside),
    )
  }

  async run(): Promise<Simulated> {
    const { seed, steps } = this.#options
    const which = typeof steps === 'number' ? Array.from({ length: steps }, (_, k) => k) : steps
    await this.#boot()
    for (const ask of beginning(new Dice(seed, -1))) {
      if (this.#ended === undefined) await this.#machine.until(this.#ask(ask))
    }
    let taken = 0
    for (const step of which) {
      if (this.#witness.failed) break
      await this.#step(new Dice(seed, step))
      taken++
    }
    if (!this.#witness.failed) await this.#finish()
    const { world, frames } = this.#witness
    const { disk, head: slots, faults } = this.#machine
    return {
      ...{ seed, steps: taken, events: world.seq, frames, crashes: this.#crashes, faults },
      head: { seq: world.seq, hash: this.#witness.head },
      stateHash: stateHashText(world),
      findings: this.#witness.all(),
      ...{ disk, slots },
    }
  }

  async #step(dice: Dice): Promise<void> {
    const { crashEvery = 2000 } = this.#options
    const machine = this.#machine
    if (this.#ended !== undefined || (crashEvery > 0 && dice.once(crashEvery))) return this.#crash(dice)
    const what = dice.below(100)
    if (what < 62) this.#post(ioByChance(dice, this.#engine.world, ++this.#requests))
    else if (what < 80) machine.endCopy(dice)
    else if (what < 90) this.#post(commandByChance(dice, this.#engine.world))
    else if (what < 97) machine.write(dice)
    else if (what < 99) machine.clock.pass(dice.below(3_000_000))
    else if (dice.once(4)) machine.clock.jump(BigInt(dice.below(7_200_000) - 3_600_000) * 1_000_000n)
    else if (dice.once(20)) await this.#restart()
    if (dice.once(this.#pace)) await turn()
  }

  #post(ask: Ask): void {
    void this.#ask(ask)
  }

  #ask(ask: Ask): Promise<void> {
    const engine = this.#engine
    const after = this.#witness.asked()
    return engine.submit(ask).then(
      (answer) => {
        if (engine === this.#engine) this.#witness.answer(ask, answer, after)
      },
      (error: Error) => this.#turnedAway(engine, ask, error),
    )
  }

  /** An ask that cannot be recorded is nothing; the end of an engine has its reason, and that must be the disk's. */
  #turnedAway(engine: Engine, ask: Ask, error: Error): void {
    if (engine !== this.#engine) return
    const code = error instanceof BlockboxError ? error.code : 'error'
    if (code === 'USAGE' || code === 'ENGINE_STOPPED' || code.startsWith('JOURNAL_')) return
    this.#witness.find('engine', `${ask.kind} ended the engine: ${error.message}`)
  }

  async #crash(dice: Dice): Promise<void> {
    this.#crashes++
    this.#machine.die(dice)
    await this.#boot()
  }

  /** An orderly stop, and a new start. */
  async #restart(): Promise<void> {
    await this.#machine.until(this.#engine.close()).catch((error: Error) => this.#failed(error))
    if (this.#ended !== undefined) return
    this.#machine.stop()
    await this.#boot()
  }

  async #boot(): Promise<void> {
    this.#ended = undefined
    this.#booting = true
    try {
      this.#engine = await this.#machine.boot(async (journal) => {
        await this.#witness.recovered(journal)
        journal.follow(this.#witness.world.seq + 1).subscribe((frame) => this.#witness.frame(frame))
      })
    } catch (error) {
      return this.#failed(error as Error)
    } finally {
      this.#booting = false
    }
    const engine = this.#engine
    engine.frames$.subscribe({
      error: (error: Error) => {
        if (engine === this.#engine && !this.#booting) this.#failed(error)
      },
    })
    this.#witness.agrees(this.#engine.durableSeq, this.#engine.world)
  }

  /** Opening or an append failed: right when the disk had failed, a finding otherwise. */
  #failed(error: Error): void {
    this.#ended = error
    if (this.#machine.hurt) return
    this.#witness.find('engine', `the engine ended though the disk did not fail: ${error.message}`)
  }

  /** Copies end, the disk writes, until nothing is left to do; then an orderly stop, and one more look. */
  async #finish(): Promise<void> {
    this.#machine.calm = true
    if (this.#ended !== undefined) {
      this.#machine.stop()
      await this.#boot()
    }
    for (let idle = 0; idle < 3; idle++) {
      if (this.#machine.endAll()) idle = 0
      await turn()
    }
    await this.#restart()
    this.#witness.end()
  }
}
