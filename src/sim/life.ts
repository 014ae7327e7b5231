/**
 * The life of one simulated journal: its machine, the engine that runs on it, and the witness.
 *
 *     begin ─▶ step ─▶ step ─ crash ─▶ step ... ─▶ finish
 *                        └─ the disk lost or damaged what no reading again brings back, and opening or verify said so:
 *                           over, whoever uses it puts in a new disk (simulator.ts begins another life)
 *
 * Through a loss that a lying disk leaves no trace of, the life goes on: another witness takes the journal from its first
 * event, and what the first one saw up to there must be what is left.
 */

import { BlockboxError } from '../core/errors.ts'
import type { Ask } from '../engine/ask.ts'
import type { Engine } from '../engine/engine.ts'
import type { Remains } from '../engine/remains.ts'
import { openStoreJournal } from '../journal/opening.ts'
import type { KvStore } from '../journal/store.ts'
import type { AskLog } from './ask-log.ts'
import { audit } from './audit.ts'
import { commandByChance, hosts } from './command-chance.ts'
import type { Dice } from './dice.ts'
import { FaultyLevel } from './faulty-level.ts'
import { moverByChance } from './fence-chance.ts'
import { ioByChance } from './io-chance.ts'
import { Liveness } from './liveness.ts'
import { Machine, type MachineOptions, turn } from './machine.ts'
import { oddByChance } from './odd-chance.ts'
import { lookAtRemains } from './remains-look.ts'
import { comeToRest } from './rest.ts'
import { Retries } from './retries.ts'
import { told } from './told.ts'
import { Witness } from './witness.ts'

export interface LifeOptions extends MachineOptions {
  /** Content of the clone outside, at an offset. */
  readonly outsideBytes: (offset: number, length: number) => Uint8Array
  /** Once in how many steps the machine or the process dies; 0: never. */
  readonly crashEvery: number
  /** How many steps come between two moments at which anything under way may end. */
  readonly pace: number
  /** Notes what is asked and answered. */
  readonly noted?: { readonly log: AskLog; readonly journal: number }
}

export class Life {
  readonly machine: Machine
  witness: Witness
  crashes = 0
  /** Damage that was reported: by opening, by verify, to a reader. */
  reports = 0
  /** True when the disk has to be replaced. */
  over = false
  readonly #options: LifeOptions
  #engine!: Engine
  #requests = 0
  readonly #retries = new Retries()
  /** Of the present engine. */
  #liveness!: Liveness
  /** While a new engine is opened, what becomes of the one before is nobody's concern. */
  #booting = false
  /** How often the recorder started or died: a process that died is not heard any more. */
  #boots = 0
  /** Why the engine ended, if it did. */
  #ended: Error | undefined
  /** What can be read of the engine that ended, as long as its process is there. */
  #remains: Remains | undefined
  /** True when damage was reported that reading again does not cure. */
  #damaged = false

  constructor(options: LifeOptions) {
    this.#options = options
    this.machine = new Machine(options)
    this.witness = this.#newWitness()
  }

  /** Opens the journal for the first time and asks what a run begins with. */
  async begin(asks: readonly Ask[]): Promise<void> {
    await this.#boot()
    for (const ask of asks) {
      if (this.#ended === undefined) await this.machine.until(this.#ask(ask))
    }
  }

  async step(dice: Dice): Promise<void> {
    const { crashEvery, pace } = this.#options
    const { machine } = this
    if (this.#ended !== undefined || (crashEvery > 0 && dice.once(crashEvery))) {
      await this.#crash(dice)
      return this.#reconnect(dice)
    }
    const what = dice.below(100)
    if (what < 62) this.#post(ioByChance(dice, this.#engine.world, ++this.#requests))
    else if (what < 77) machine.endCopy(dice)
    else if (what < 80)
      this.#post(moverByChance(dice, this.#engine.world) ?? { kind: 'mark', detail: { label: 'm' } })
    else if (what < 90) this.#command(dice)
    else if (what < 97) machine.write(dice)
    else if (what < 99) machine.clock.pass(dice.below(3_000_000))
    else if (dice.once(4)) machine.clock.jump(BigInt(dice.below(7_200_000) - 3_600_000) * 1_000_000n)
    else if (dice.once(20)) {
      await this.#restart()
      this.#reconnect(dice)
    }
    if (!dice.once(pace)) return
    await turn()
    this.#beInTime()
  }

  /**
   * All under way ends, time passes, until all is at rest; then an orderly stop, a start, and an audit. `isAsked` says of
   * an ask of the ending, by number, whether it is made.
   */
  async finish(isAsked: (ask: number) => boolean = () => true): Promise<void> {
    const { machine } = this
    let asks = 0
    machine.calm = true
    if (this.#ended !== undefined) {
      machine.stop()
      await this.#boot()
      if (this.over) return
    }
    await comeToRest({
      machine,
      world: () => this.#engine.world,
      isFine: () => this.#ended === undefined && !this.witness.failed,
      post: (ask) => {
        if (isAsked(asks++)) this.#post(ask)
      },
      beInTime: () => this.#beInTime(),
      atRest: () => this.#liveness.rest(this.#engine.world),
    })
    if (this.witness.failed) return
    await this.#restart()
    if (this.over) return
    this.witness.end()
    await this.#audit()
  }

  #beInTime(): void {
    if (this.#ended !== undefined) return
    this.#liveness.look(this.#engine, this.witness.world, this.machine.clock.passedMs)
  }

  /** Most hosts come back when the recorder does, and ask again what they were not answered. */
  #reconnect(dice: Dice): void {
    if (this.#ended !== undefined || this.over) return
    for (const name of hosts) if (!dice.once(8)) this.#post({ kind: 'session.open', detail: { name } })
    for (const ask of this.#retries.again(dice, this.#engine.world)) this.#post(ask)
  }

  #command(dice: Dice): void {
    const { world } = this.#engine
    const command = dice.once(16) ? oddByChance(dice, world) : commandByChance(dice, world)
    this.#post(this.#retries.next(dice, command, world))
  }

  #newWitness(): Witness {
    const { machine } = this
    const bytesAt = (place: number, length: number) => machine.truth.read(place, length)
    return new Witness(bytesAt, this.#options.outsideBytes, machine.mode.ack)
  }

  #post(ask: Ask): void {
    void this.#ask(ask)
  }

  #ask(ask: Ask): Promise<void> {
    const engine = this.#engine
    const boot = this.#boots
    const after = this.witness.asked()
    const liveness = this.#liveness
    liveness.asked(ask)
    const { log, journal = 0 } = this.#options.noted ?? {}
    const noted = log?.asked(ask, journal, this.witness.world.seq)
    return told(engine, ask).then(
      (answer) => {
        liveness.told(ask)
        this.#retries.told(ask)
        noted?.answered(answer)
        if (boot === this.#boots) this.witness.answer(ask, answer, after)
      },
      (error: Error) => {
        liveness.told(ask)
        noted?.failed(error)
        this.#turnedAway(engine, ask, error)
      },
    )
  }

  /** An ask that cannot be recorded is nothing; the end of an engine has its reason, and that must be the disk's. */
  #turnedAway(engine: Engine, ask: Ask, error: Error): void {
    if (engine !== this.#engine || this.#booting) return
    const code = error instanceof BlockboxError ? error.code : 'error'
    if (code === 'USAGE' || code === 'ENGINE_STOPPED' || code.startsWith('JOURNAL_')) return
    if (code === 'PAYLOAD_CORRUPT' && this.machine.harm.excuses(error)) this.reports++
    else this.witness.find('engine', `${ask.kind} ended the engine: ${error.message}`)
  }

  async #crash(dice: Dice): Promise<void> {
    this.crashes++
    if (this.#remains !== undefined && dice.once(2)) await lookAtRemains(this.#remains, this, dice)
    this.machine.die(dice)
    this.#boots++
    if (this.#damaged) this.over = true
    else await this.#boot()
  }

  /** An orderly stop, and a new start. */
  async #restart(): Promise<void> {
    await this.machine.until(this.#engine.close()).catch((error: Error) => this.#failed(error))
    if (this.#ended !== undefined) {
      this.#remains = undefined
      return
    }
    await turn()
    this.#liveness.ended()
    this.machine.stop()
    await this.#boot()
  }

  async #boot(): Promise<void> {
    const { machine } = this
    this.#ended = undefined
    this.#remains = undefined
    this.#booting = true
    const boot = ++this.#boots
    try {
      this.#engine = await machine.boot(async (journal) => {
        const wrong = machine.harm.opened(journal)
        if (wrong !== undefined) return this.witness.find('silent', wrong)
        const { last } = journal.bounds()
        if (this.witness.isBehind(last) && machine.harm.mayLose(last)) await this.#goBackTo(last)
        await this.witness.recovered(journal)
        journal.follow(this.witness.world.seq + 1).subscribe({
          next: (frame) => {
            if (boot === this.#boots) this.witness.frame(frame)
          },
          error: (error: Error) => this.witness.find('followed', error.message),
        })
      })
    } catch (error) {
      return this.#refused(error as Error)
    } finally {
      this.#booting = false
    }
    const engine = this.#engine
    this.#liveness = new Liveness((rule, detail) => this.witness.find(rule, detail))
    engine.frames$.subscribe({
      error: (error: Error) => {
        if (engine !== this.#engine || this.#booting) return
        this.#failed(error)
        this.#remains = engine.remains
      },
    })
    this.witness.agrees(engine.durableSeq, engine.world)
    if (machine.disk.isHarmed && !this.#damaged) await this.#audit()
  }

  /** Opening failed: right when a write had failed, or when the disk is to blame as the reason says. */
  #refused(error: Error): void {
    this.#ended = error
    const { harm, hurt } = this.machine
    const wrong = harm.refused(error)
    if (hurt && wrong !== undefined) return
    if (wrong !== undefined) this.witness.find('opening', wrong)
    this.reports++
    if (harm.isLost || this.machine.disk.isHarmed) this.over = true
  }

  /** An append failed: right when the disk had failed, a finding otherwise. */
  #failed(error: Error): void {
    this.#ended = error
    if (this.machine.hurt || this.machine.harm.excuses(error)) return
    this.witness.find('engine', `the engine ended though the disk did not fail: ${error.message}`)
  }

  /** Events behind `last` are gone, and nobody can know: another witness takes the journal from its first event. */
  async #goBackTo(last: number): Promise<void> {
    const { disk, head } = this.machine
    const store = new FaultyLevel(disk.mended()) as unknown as KvStore
    const journal = await openStoreJournal({ store, head: head.fork(), readOnly: true })
    const before = this.witness
    this.witness = this.#newWitness()
    await this.witness.recovered(journal)
    if (!before.saw(last, this.witness.head)) {
      this.witness.find('rewritten', `what is left up to event ${last} is not what was there`)
    }
  }

  async #audit(): Promise<void> {
    const { disk, head } = this.machine
    const found = await audit(disk, head, this.witness.world)
    for (const { seq, rule, detail } of found) this.witness.find(rule, detail, seq)
    if (!disk.isHarmed) return
    this.#damaged = true
    this.reports++
  }
}
