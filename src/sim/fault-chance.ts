/**
 * What the operations of a disk meet: failures by the dice of the step that goes on, or the n-th operation and no other;
 * reads that mislead, syncs that lie, as the rates say.
 */

import type { Dice } from './dice.ts'
import type { Rates } from './disk-nature.ts'
import type { HeadOperation } from './faulty-head.ts'
import type { Fault, Operation } from './faulty-level.ts'
import type { Harm } from './harm.ts'

/** What a disk did, by kind: faults of single operations, and what it does besides. */
export type Faults = Partial<Record<Fault | 'slow' | 'tear' | 'eio' | 'decay' | 'broken', number>>

/** Operations that are counted on their own: writes of the store, reads of it, whatever is done to the head. */
export type Operations = 'writes' | 'reads' | 'head'

export interface Failure {
  /** Which one, counted from 1, */
  readonly nth: number
  /** of which operations. */
  readonly of: Operations
  readonly fault: Fault
  readonly forEver: boolean
}

/** Writes of the head are two or three for one of the store, and fail less often by so much. */
const headTimes = 4

export interface ChanceOptions {
  /** Once in how many writes one fails; 0: never. */
  readonly faultEvery: number
  /** Instead: a certain operation of the disk fails, or that one and all behind it. */
  readonly failure?: Failure
}

/** What of the machine it is about. */
interface OfMachine {
  readonly dice: Dice
  readonly calm: boolean
  readonly harm: Harm
  readonly faults: Faults
  hurt: boolean
}

export class FaultChance {
  readonly #machine: OfMachine
  readonly #options: ChanceOptions
  readonly #rates: Rates
  #counted = 0

  constructor(machine: OfMachine, options: ChanceOptions, rates: Rates) {
    this.#machine = machine
    this.#options = options
    this.#rates = rates
  }

  /** Of an operation of the store. */
  ofStore(operation: Operation): Fault | undefined {
    const { kind, sync, key } = operation
    if (this.#machine.calm) return undefined
    if (key !== undefined || kind === 'file read') return this.#readFault(key)
    if (kind === 'get' || kind === 'read') return undefined
    const fault = this.#decided('writes', 'full')
    return fault ?? (sync && this.happens('lie', this.#rates.lie) ? 'lie' : undefined)
  }

  /** A read fails, or is misled. */
  #readFault(key: Uint8Array | undefined): Fault | undefined {
    const { rot, astray } = this.#rates
    if (this.#fails('reads')) return 'refused'
    const met = this.happens('rot', rot) ? 'rot' : this.happens('misdirect', astray) ? 'misdirect' : undefined
    if (met !== undefined) this.#machine.harm.misread(key)
    return met
  }

  /** Of an operation of the head. */
  ofHead(operation: HeadOperation): Fault | undefined {
    if (this.#machine.calm) return undefined
    if (operation !== 'read') return this.#decided('head')
    return this.#fails('head') ? 'refused' : undefined
  }

  /** True when a read fails. */
  #fails(of: Operations): boolean {
    const { failure } = this.#options
    const fails = failure === undefined ? this.happens('eio', this.#rates.eio) : this.#isDue(failure, of)
    if (fails) this.#machine.harm.unread()
    if (fails && failure !== undefined) this.count(failure.fault)
    return fails
  }

  /** Which failure a write meets, if any. */
  #decided(of: Operations, ...more: readonly Fault[]): Fault | undefined {
    const { faultEvery, failure } = this.#options
    const { dice } = this.#machine
    const every = of === 'head' ? headTimes * faultEvery : faultEvery
    let fault: Fault | undefined
    if (failure !== undefined) fault = this.#isDue(failure, of) ? failure.fault : undefined
    else if (every > 0 && dice.once(every)) fault = dice.of('refused', 'doubt', ...more)
    if (fault === undefined) return undefined
    this.count(fault)
    this.#machine.hurt = true
    return fault
  }

  /** True when this operation is the one that fails, or behind it. */
  #isDue({ nth, of, forEver }: Failure, operations: Operations): boolean {
    if (of !== operations) return false
    this.#counted++
    return this.#counted === nth || (forEver && this.#counted > nth)
  }

  /** True once in `every` times, unless all is calm; counted. */
  happens(what: keyof Faults, every: number, dice = this.#machine.dice): boolean {
    if (every === 0 || this.#machine.calm || !dice.once(every)) return false
    this.count(what)
    return true
  }

  count(what: keyof Faults): void {
    this.#machine.faults[what] = (this.#machine.faults[what] ?? 0) + 1
  }
}
