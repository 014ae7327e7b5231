/**
 * A witness: what each read that went found, by the host's number of the request, and every derived event. And what a
 * volume shows in a state, wherever it lies.
 */

import type { Check } from '../../src/check/check.ts'
import type { Event } from '../../src/events/columns.ts'
import { type Volume, volumeOf, type World } from '../../src/layers/layer.ts'
import { blocksOf } from '../../src/layers/pair-state.ts'
import { contentRuns } from '../../src/volume/content.ts'
import { type Derived, expand } from '../../src/volume/expand.ts'
import type { Step } from './given.ts'
import { History } from './history.ts'

export class Witness implements Check {
  readonly rules = ['witness']
  readonly answers = new Map<number, readonly number[]>()
  readonly derived: Derived[] = []

  before(event: Event, world: World): void {
    this.derived.push(...expand(world, event))
    if (event.fate !== 'passed' || event.op !== 'read') return
    const volume = volumeOf(world, event.volume)!
    const { first, count } = blocksOf(event, volume)
    this.answers.set(event.request, placesOf(world, volume, first, count))
  }

  /** Derived events of these names about a request, by the host's number of it. */
  of(history: History, request: number, pattern: RegExp): Derived[] {
    const input = history.ledger.from(1).find((event) => event.request === request)
    return this.derived.filter(({ io, name }) => io === input?.seq && pattern.test(name))
  }
}

/** A history with a witness. */
export function witnessed(...steps: readonly Step[]): { history: History; witness: Witness } {
  const witness = new Witness()
  const history = new History(witness)
  for (const step of steps) typeof step === 'function' ? step(history) : history.enter(step)
  return { history, witness }
}

/** The places of blocks as readers of the volume see them. */
export function shown({ world }: History, id: number, first = 0, count?: number): number[] {
  const volume = volumeOf(world, id)!
  return placesOf(world, volume, first, count ?? volume.size / volume.block - first)
}

export function placesOf(world: World, volume: Volume, first: number, count: number): number[] {
  const places: number[] = []
  for (const run of contentRuns(world, volume, first, count)) {
    for (let k = 0; k < run.count; k++) places.push(run.place === 0 ? 0 : run.place + k * volume.map.step)
  }
  return places
}
