/**
 * The machine a simulated recorder runs on: disk, head file, clock, the copies and disk writes that are under way, and
 * who decides when they end.
 *
 *     boot ─▶ journal opened, caught up with, engine recovered ─▶ ... ─▶ die (power or process) ─▶ boot
 */

import type { Engine } from '../engine/engine.ts'
import { openEngine } from '../engine/open-engine.ts'
import type { Code } from '../events/code.ts'
import type { ExternalImage } from '../images/external.ts'
import type { Journal } from '../journal/journal.ts'
import { openStoreJournal } from '../journal/opening.ts'
import { segmentedStore } from '../journal/segmented-store.ts'
import type { KvStore } from '../journal/store.ts'
import { LevelPayload, type LevelPayloadOptions, openLevelPayload } from '../payload/level-payload.ts'
import type { PayloadStore } from '../payload/payload.ts'
import { worldAt } from '../replay/at.ts'
import type { Dice } from './dice.ts'
import { Disk } from './disk.ts'
import { type Rates, ratesOf } from './disk-nature.ts'
import { type ChanceOptions, FaultChance, type Faults } from './fault-chance.ts'
import { FaultyFolder } from './faulty-folder.ts'
import { FaultyHead } from './faulty-head.ts'
import { type Conditions, FaultyLevel } from './faulty-level.ts'
import type { FileLoss } from './files.ts'
import { Harm } from './harm.ts'
import { plainMode, type RunMode } from './run-mode.ts'
import { SimClock } from './sim-clock.ts'

export interface MachineOptions extends ChanceOptions {
  /** Decides about failures of the disk, until it is told of others. */
  readonly dice: Dice
  /** What else is the matter with the disk; nothing unless told otherwise. */
  readonly rates?: Rates
  /** Events between two checkpoints; 700 unless told otherwise. */
  readonly checkpointEvery?: number
  /** How the recorder is set up; as nobody told it unless told otherwise. */
  readonly mode?: RunMode
  /** Bytes of payload in a batch from which on it goes to a segment; none does unless told otherwise. */
  readonly segmentedFrom?: number
  /** The clone outside. */
  readonly outside: ExternalImage
  /** Where it goes on; a new disk unless told otherwise. */
  readonly from?: { readonly disk: Disk; readonly head: FaultyHead }
  /** What disks did so far: counted on. */
  readonly faults?: Faults
  /** Told of each disk write that is about to end: what it wrote is there, and not durable yet. */
  readonly onWrite?: () => void
}

export class Machine {
  readonly disk: Disk
  readonly head: FaultyHead
  readonly clock = new SimClock()
  readonly faults: Faults
  readonly mode: RunMode
  /** What became of the journal through the disk. */
  readonly harm: Harm
  /** True once a write failed since the last boot: the engine may end. */
  hurt = false
  /** Decides about failures of the disk: those of the step that goes on. */
  dice: Dice
  /** True when no more failures come. */
  calm = false
  payload!: PayloadStore
  /** What was stored, whatever a read brings. */
  truth!: PayloadStore
  readonly #options: MachineOptions
  readonly #rates: Rates
  readonly #chance: FaultChance
  #level: FaultyLevel | undefined
  #folder: FaultyFolder | undefined
  #hand: ReturnType<FaultyHead['hand']> | undefined
  #copies: ((code: Code) => void)[] = []
  #writes: (() => void)[] = []
  /** Disk writes that take longer. */
  readonly #slow = new Set<() => void>()

  constructor(options: MachineOptions) {
    this.#options = options
    this.#rates = options.rates ?? ratesOf('honest', { eio: 0 })
    this.#chance = new FaultChance(this, options, this.#rates)
    this.mode = options.mode ?? plainMode
    this.faults = options.faults ?? {}
    this.dice = options.dice
    const { disk = new Disk(), head = new FaultyHead() } = options.from ?? {}
    this.disk = disk
    this.head = head
    this.harm = new Harm(disk, head)
    head.lies = () => {
      const lies = this.#chance.happens('lie', this.#rates.lie)
      if (lies) this.harm.headHarmed()
      return lies
    }
  }

  /** Opens the journal as it is on the disk, lets `look` see it, recovers an engine. */
  async boot(look: (journal: Journal) => Promise<void>): Promise<Engine> {
    this.#copies = []
    this.#writes = []
    this.#slow.clear()
    this.hurt = false
    this.harm.boot()
    const conditions: Conditions = {
      fault: (operation) => this.#chance.ofStore(operation),
      turn: () =>
        new Promise((go) =>
          this.#begin(() => {
            this.#options.onWrite?.()
            go()
          }),
        ),
      done: () => this.#options.onWrite?.(),
      bit: (bits) => this.dice.below(bits),
    }
    const level = new FaultyLevel(this.disk, conditions)
    this.#level = level
    this.#folder = new FaultyFolder(this.disk.files, conditions)
    const from = this.#options.segmentedFrom ?? Number.POSITIVE_INFINITY
    const store = segmentedStore(level as unknown as KvStore, this.#folder, from)
    const payload = await openLevelPayload(store, payloadOptions(this.mode))
    this.payload = payload
    const { lie, rot, astray, decay, eio } = this.#rates
    this.truth = lie + rot + astray + decay + eio === 0 ? payload : this.#sound()
    return await this.until(this.#recover(store, payload, look))
  }

  async #recover(
    store: KvStore,
    payload: LevelPayload,
    look: (journal: Journal) => Promise<void>,
  ): Promise<Engine> {
    const hand = this.head.hand((operation) => this.#chance.ofHead(operation))
    this.#hand = hand
    const journal = await openStoreJournal({ store, head: hand.store, attachments: payload })
    await look(journal)
    const copies = this.#copies
    const { ack, readDigests } = this.mode
    const { outside } = this.#options
    return await openEngine({
      journal,
      payload,
      clock: this.clock,
      copier: () => new Promise<Code>((end) => copies.push(end)),
      openImage: async () => outside,
      checkpointEvery: this.#options.checkpointEvery ?? 700,
      worldAt,
      ...{ ack, readDigests },
    })
  }

  /** The payload as it was stored: a reader that nothing misleads. */
  #sound(): PayloadStore {
    const store = { getSync: (key: Uint8Array) => this.disk.sound(key) } as KvStore
    return new LevelPayload(segmentedStore(store, new FaultyFolder(this.disk.files)), Number.MAX_SAFE_INTEGER)
  }

  /** The process dies, or the machine with it: then what was not synced may be gone, torn, or rotten. */
  die(dice: Dice): void {
    this.stop()
    const { tear, decay } = this.#rates
    if (dice.once(2)) this.head.powerLoss(dice.below(4))
    const kept = dice.below(this.disk.unsynced + 1)
    const changes = this.disk.changesOf(kept)
    const torn = changes > 0 && this.#chance.happens('tear', tear, dice)
    const { harmed } = this.disk
    const broken = this.disk.powerLoss(
      kept,
      torn ? { changes: dice.below(changes), bytes: dice.below(200) } : undefined,
      this.#fileLoss(dice),
    )
    if (broken || this.disk.harmed.length > harmed.length) this.#chance.count('broken')
    this.harm.powerCut(broken)
    if (!this.disk.isHarmed && this.#chance.happens('decay', decay, dice)) this.harm.decay(dice)
  }

  /** What a power cut leaves of the files: of what is not durable anything may be left, no promise is broken by that. */
  #fileLoss(dice: Dice): FileLoss {
    const { files } = this.disk
    const nameless = files.hasLooseName && dice.once(2)
    const kept = dice.below(files.unsynced + 1)
    const length = files.lengthOf(kept)
    if (length === 0 || dice.once(2)) return { kept, nameless }
    return { kept, torn: { bytes: dice.below(length), zeros: dice.once(2) }, nameless }
  }

  /** Nothing that is under way ever ends. */
  stop(): void {
    this.#level?.cut()
    this.#folder?.cut()
    this.#hand?.cut()
    this.clock.forget()
  }

  /** One of the disk writes under way comes to its end. */
  write(dice: Dice): void {
    this.#writes.splice(dice.below(this.#writes.length), 1)[0]?.()
  }

  /** One of the copies under way ends, as `code` says or by chance. */
  endCopy(dice: Dice, code?: Code): void {
    this.#copies.splice(dice.below(this.#copies.length), 1)[0]?.(code ?? (dice.once(10) ? 'E_IO' : 'ok'))
  }

  /** Ends all that is under way. Returns false when nothing was. */
  endAll(): boolean {
    const copies = this.#copies.splice(0)
    for (const end of copies) end('ok')
    return this.writeAll() || copies.length > 0
  }

  /** Lets the disk write, and everything go on, until `promise` is settled. */
  async until<Value>(promise: Promise<Value>): Promise<Value> {
    let settled = false
    const done = () => {
      settled = true
    }
    promise.then(done, done)
    while (!settled) {
      this.writeAll()
      await turn()
    }
    return promise
  }

  /** All disk writes under way come to their end. Returns false when there were none. */
  writeAll(): boolean {
    const writes = [...this.#writes.splice(0), ...this.#slow]
    this.#slow.clear()
    for (const go of writes) go()
    return writes.length > 0
  }

  /** A write is under way: at its end when somebody lets the disk write, a slow one not before its time. */
  #begin(go: () => void): void {
    const writes = this.#writes
    if (!this.#chance.happens('slow', this.#rates.slow)) {
      writes.push(go)
      return
    }
    this.#slow.add(go)
    this.clock.after(1 + this.dice.below(10), () => {
      if (this.#slow.delete(go)) writes.push(go)
    })
  }
}

function payloadOptions({ slab, cache }: RunMode): LevelPayloadOptions {
  return { cacheBytes: cache, copies: slab > 0, ...(slab > 0 && { slabBytes: slab }) }
}

/** Everything that waits for no disk, clock or copy goes on. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
