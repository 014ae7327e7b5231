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
import type { KvStore } from '../journal/store.ts'
import { openLevelPayload } from '../payload/level-payload.ts'
import type { PayloadStore } from '../payload/payload.ts'
import { worldAt } from '../replay/at.ts'
import type { Dice } from './dice.ts'
import { Disk } from './disk.ts'
import { FaultyHead } from './faulty-head.ts'
import { type Fault, FaultyLevel } from './faulty-level.ts'
import { SimClock } from './sim-clock.ts'

export interface MachineOptions {
  /** Decides about failures of the disk. */
  readonly dice: Dice
  /** Once in how many disk writes one fails; 0: never. */
  readonly faultEvery: number
  /** A certain disk write, counted from 1, fails, or that one and all behind it. */
  readonly failure?: Failure
  /** The clone outside. */
  readonly outside: ExternalImage
  /** Where it goes on; a new disk unless told otherwise. */
  readonly from?: { readonly disk: Disk; readonly head: FaultyHead }
  /** Told of each disk write when it is under way. */
  readonly onWrite?: () => void
}

export interface Failure {
  readonly write: number
  readonly fault: Fault
  readonly forEver: boolean
}

export class Machine {
  readonly disk: Disk
  readonly head: FaultyHead
  readonly clock = new SimClock()
  /** Failures of the disk, by kind. */
  readonly faults: Partial<Record<Fault, number>> = {}
  /** True once the disk failed since the last boot: the engine may end. */
  hurt = false
  /** True when no more failures come. */
  calm = false
  payload!: PayloadStore
  readonly #options: MachineOptions
  #level: FaultyLevel | undefined
  #copies: ((code: Code) => void)[] = []
  #writes: (() => void)[] = []
  #written = 0

  constructor(options: MachineOptions) {
    this.#options = options
    const { disk = new Disk(), head = new FaultyHead() } = options.from ?? {}
    this.disk = disk
    this.head = head
  }

  /** Opens the journal as it is on the disk, lets `look` see it, recovers an engine. */
  async boot(look: (journal: Journal) => Promise<void>): Promise<Engine> {
    this.#copies = []
    this.#writes = []
    this.hurt = false
    const writes = this.#writes
    const level = new FaultyLevel(this.disk, {
      fault: ({ kind }) => (kind === 'put' || kind === 'batch' ? this.#fault() : undefined),
      turn: () => {
        this.#options.onWrite?.()
        return new Promise((go) => writes.push(go))
      },
    })
    this.#level = level
    const store = level as unknown as KvStore
    const payload = await openLevelPayload(store)
    this.payload = payload
    return await this.until(this.#recover(store, payload, look))
  }

  async #recover(
    store: KvStore,
    payload: Awaited<ReturnType<typeof openLevelPayload>>,
    look: (journal: Journal) => Promise<void>,
  ): Promise<Engine> {
    const journal = await openStoreJournal({ store, head: this.head, attachments: payload })
    await look(journal)
    const copies = this.#copies
    return await openEngine({
      journal,
      payload,
      clock: this.clock,
      copier: () => new Promise<Code>((end) => copies.push(end)),
      openImage: async () => this.#options.outside,
      checkpointEvery: 700,
      worldAt,
    })
  }

  /** The process dies, or the machine with it: then what was not synced may be gone. */
  die(dice: Dice): void {
    this.stop()
    if (dice.once(2)) this.head.powerLoss(dice.below(4))
    this.disk.powerLoss(dice.below(this.disk.unsynced + 1))
  }

  /** Nothing that is under way ever ends. */
  stop(): void {
    this.#level?.cut()
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
    const writes = this.#writes.splice(0)
    for (const go of writes) go()
    return writes.length > 0
  }

  #fault(): Fault | undefined {
    const fault = this.calm ? undefined : this.#decided()
    if (fault === undefined) return undefined
    this.faults[fault] = (this.faults[fault] ?? 0) + 1
    this.hurt = true
    return fault
  }

  #decided(): Fault | undefined {
    const { faultEvery, dice, failure } = this.#options
    this.#written++
    if (failure !== undefined) {
      const { write, fault, forEver } = failure
      return this.#written === write || (forEver && this.#written > write) ? fault : undefined
    }
    if (faultEvery === 0 || !dice.once(faultEvery)) return undefined
    return dice.of('refused', 'doubt', 'full')
  }
}

/** Everything that waits for no disk, clock or copy goes on. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
