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
import { openEngine } from '../engine/open-engine.ts'
import type { Code } from '../events/code.ts'
import { openStoreJournal } from '../journal/opening.ts'
import type { KvStore } from '../journal/store.ts'
import { openLevelPayload } from '../payload/level-payload.ts'
import type { PayloadStore } from '../payload/payload.ts'
import { stateHashText } from '../volume/snapshot.ts'
import { beginning, block, commandByChance, volumeBlocks } from './command-chance.ts'
import { ContentOracle } from './content-oracle.ts'
import { Dice } from './dice.ts'
import { Disk } from './disk.ts'
import { FaultyHead } from './faulty-head.ts'
import { type Conditions, type Fault, FaultyLevel } from './faulty-level.ts'
import { ioByChance, stamped } from './io-chance.ts'
import { SimClock } from './sim-clock.ts'
import { Witness } from './witness.ts'

export interface SimulateOptions {
  readonly seed: number
  /** How many steps, or which. */
  readonly steps: number | readonly number[]
  /** Once in how many disk writes one fails; 0: never. */
  readonly faultEvery?: number
  /** Once in how many steps the machine or the process dies; 0: never. */
  readonly crashEvery?: number
}

export interface Simulated {
  readonly seed: number
  /** Steps taken: all of them, or up to the one that brought a finding. */
  readonly steps: number
  readonly events: number
  readonly frames: number
  readonly crashes: number
  readonly faults: Readonly<Record<string, number>>
  readonly head: { readonly seq: number; readonly hash: string }
  readonly stateHash: string
  readonly findings: readonly Finding[]
  /** The disk as the run left it: a journal to look at. */
  readonly disk: Disk
  readonly slots: FaultyHead
}

interface OpenCopy {
  readonly end: (code: Code) => void
}

/** What the clone outside holds. */
const outside = (offset: number, length: number) => stamped(2 ** 31, offset, length)

const outsideImage = {
  size: volumeBlocks[5] * block,
  read: async (offset: number, length: number) => outside(offset, length),
  close: async () => undefined,
}

export class Simulator {
  readonly #options: SimulateOptions
  readonly #disk = new Disk()
  readonly #head = new FaultyHead()
  readonly #clock = new SimClock()
  readonly #oracle: ContentOracle
  readonly #witness: Witness
  readonly #faults: Record<string, number> = {}
  readonly #diskDice: Dice
  #level!: FaultyLevel
  #payload!: PayloadStore
  #engine!: Engine
  #copies: OpenCopy[] = []
  #turns: (() => void)[] = []
  #requests = 0
  #crashes = 0
  #ended: Error | undefined
  /** True once the disk failed since the last opening: the engine may end. */
  #hurt = false
  /** True when no more faults come. */
  #calm = false

  constructor(options: SimulateOptions) {
    this.#options = options
    this.#diskDice = new Dice(options.seed, -2)
    this.#oracle = new ContentOracle((place, length) => this.#payload.read(place, length), outside)
    this.#witness = new Witness(this.#oracle)
  }

  async run(): Promise<Simulated> {
    const { seed, steps } = this.#options
    const which = typeof steps === 'number' ? Array.from({ length: steps }, (_, k) => k) : steps
    await this.#open()
    for (const ask of beginning(new Dice(seed, -1))) await this.#until(this.#ask(ask))
    let taken = 0
    for (const step of which) {
      if (this.#witness.failed) break
      await this.#step(new Dice(seed, step))
      taken++
    }
    if (!this.#witness.failed) await this.#finish()
    const { world, frames } = this.#witness
    return {
      seed,
      steps: taken,
      events: world.seq,
      frames,
      crashes: this.#crashes,
      faults: this.#faults,
      head: { seq: world.seq, hash: this.#witness.head },
      stateHash: stateHashText(world),
      findings: this.#witness.all(),
      disk: this.#disk,
      slots: this.#head,
    }
  }

  async #step(dice: Dice): Promise<void> {
    const { crashEvery = 2000 } = this.#options
    const what = dice.below(100)
    if (crashEvery > 0 && dice.once(crashEvery)) await this.#crash(dice)
    else if (what < 62) this.#post(ioByChance(dice, this.#engine.world, ++this.#requests))
    else if (what < 80) this.#endCopy(dice)
    else if (what < 90) this.#post(commandByChance(dice, this.#engine.world))
    else if (what < 97) this.#turns.splice(dice.below(this.#turns.length), 1)[0]?.()
    else if (what < 99) this.#clock.pass(dice.below(3_000_000))
    else if (dice.once(4)) this.#clock.jump(BigInt(dice.below(7_200_000) - 3_600_000) * 1_000_000n)
    else if (dice.once(20)) await this.#restart()
    if (dice.once(4)) await turn()
    if (this.#ended !== undefined) await this.#crash(dice)
  }

  /** Ends a copy that is under way: any of them, well or not. */
  #endCopy(dice: Dice): void {
    this.#copies.splice(dice.below(this.#copies.length), 1)[0]?.end(dice.once(10) ? 'E_IO' : 'ok')
  }

  #post(ask: Ask): void {
    void this.#ask(ask)
  }

  #ask(ask: Ask): Promise<void> {
    const engine = this.#engine
    return engine.submit(ask).then(
      (answer) => {
        if (engine === this.#engine) this.#witness.answer(ask, answer)
      },
      (error: Error) => this.#refused(engine, ask, error),
    )
  }

  /** An ask that cannot be recorded is nothing; the end of an engine has its reason, and that must be a fault. */
  #refused(engine: Engine, ask: Ask, error: Error): void {
    if (engine !== this.#engine) return
    const code = error instanceof BlockboxError ? error.code : 'error'
    if (code === 'USAGE' || code === 'ENGINE_STOPPED' || code.startsWith('JOURNAL_')) return
    this.#witness.find('engine', `${ask.kind} ended the engine: ${error.message}`)
  }

  /** The process or the machine dies, and the journal is opened again. */
  async #crash(dice: Dice): Promise<void> {
    this.#crashes++
    this.#level.cut()
    this.#clock.forget()
    if (dice.once(2)) this.#head.powerLoss(dice.below(4))
    this.#disk.powerLoss(dice.below(this.#disk.unsynced + 1))
    this.#hurt = false
    await this.#open()
  }

  /** An orderly stop, and a new start. */
  async #restart(): Promise<void> {
    await this.#close()
    if (this.#ended === undefined) await this.#open()
  }

  async #close(): Promise<void> {
    await this.#until(this.#engine.close()).catch((error: Error) => this.#failed(error))
    if (this.#ended === undefined) this.#clock.forget()
  }

  /** The journal as it is on the disk is opened, the witness catches up, the engine recovers. */
  async #open(): Promise<void> {
    this.#copies = []
    this.#turns = []
    this.#ended = undefined
    this.#level = new FaultyLevel(this.#disk, this.#conditions())
    const store = this.#level as unknown as KvStore
    await store.open()
    const payload = await openLevelPayload(store)
    this.#payload = payload
    const copies = this.#copies
    const opened = async () => {
      const journal = await openStoreJournal({ store, head: this.#head, attachments: payload })
      await this.#witness.recovered(journal)
      journal.follow(this.#witness.world.seq + 1).subscribe((frame) => this.#witness.frame(frame))
      return await openEngine({
        journal,
        payload,
        clock: this.#clock,
        copier: () => new Promise<Code>((end) => copies.push({ end })),
        openImage: async () => outsideImage,
        checkpointEvery: 5000,
      })
    }
    try {
      this.#engine = await this.#until(opened())
    } catch (error) {
      return this.#failed(error as Error)
    }
    this.#engine.frames$.subscribe({ error: (error: Error) => this.#failed(error) })
    this.#witness.agrees(this.#engine.durableSeq, this.#engine.world)
  }

  /** Opening or an append failed: right when the disk had failed, a finding otherwise. */
  #failed(error: Error): void {
    this.#ended = error
    if (this.#hurt) return
    this.#witness.find('engine', `the engine ended though the disk did not fail: ${error.message}`)
  }

  /** Lets the disk write, and everything go on, until `promise` is settled. */
  async #until<Value>(promise: Promise<Value>): Promise<Value> {
    let settled = false
    const done = () => {
      settled = true
    }
    promise.then(done, done)
    while (!settled) {
      for (const go of this.#turns.splice(0)) go()
      await turn()
    }
    return promise
  }

  /** Copies end, the disk writes, until nothing is left to do; then an orderly stop, and one more look. */
  async #finish(): Promise<void> {
    while (this.#ended !== undefined) await this.#reopen()
    for (let idle = 0; idle < 3; idle++) {
      for (const copy of this.#copies.splice(0)) {
        copy.end('ok')
        idle = 0
      }
      for (const go of this.#turns.splice(0)) {
        go()
        idle = 0
      }
      await turn()
    }
    this.#calm = true
    await this.#restart()
    this.#witness.end()
  }

  async #reopen(): Promise<void> {
    this.#level.cut()
    this.#clock.forget()
    await this.#open()
  }

  #conditions(): Conditions {
    return {
      fault: ({ kind }) => (kind === 'put' || kind === 'batch' ? this.#fault() : undefined),
      turn: () => new Promise((go) => this.#turns.push(go)),
    }
  }

  #fault(): Fault | undefined {
    const { faultEvery = 1000 } = this.#options
    if (this.#calm || faultEvery === 0 || !this.#diskDice.once(faultEvery)) return undefined
    const fault = this.#diskDice.of('refused', 'doubt', 'full')
    this.#faults[fault] = (this.#faults[fault] ?? 0) + 1
    this.#hurt = true
    return fault
  }
}

/** Everything that waits for no disk, clock or copy goes on. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Runs one seed. `twice` (the default): again, and what differs is a finding, for a run must be repeatable. */
export async function simulate(options: SimulateOptions & { readonly twice?: boolean }): Promise<Simulated> {
  const once = await new Simulator(options).run()
  if (options.twice === false || once.findings.length > 0) return once
  const again = await new Simulator(options).run()
  if (again.head.hash === once.head.hash && again.stateHash === once.stateHash) return once
  const detail = `the second run ends with ${again.head.hash}@${again.head.seq}, not ${once.head.hash}@${once.head.seq}`
  return { ...once, findings: [{ seq: once.head.seq, rule: 'repeatable-run', detail }] }
}
