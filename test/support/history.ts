/**
 * A history: a world, and the record of how it came about. Inputs are entered and decided as the engine does it;
 * planted events are folded as they are, whatever the rules would have decided.
 */

import type { Check } from '../../src/check/check.ts'
import type { Event, NewEvent } from '../../src/events/columns.ts'
import { ioKinds } from '../../src/events/kind.ts'
import { volumeOf, type World } from '../../src/layers/layer.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import { isMerged } from '../../src/layers/sub-block.ts'
import { addressed, enterCommand, enterIo, judgeNext } from '../../src/volume/entry.ts'
import { evolve, newWorld } from '../../src/volume.ts'
import { type Kept, Ledger } from './ledger.ts'

const hostKinds: ReadonlySet<string> = new Set(ioKinds)

export class History {
  readonly world: World
  readonly ledger: Ledger
  /** What was entered, in order, with the sequence numbers it got. */
  readonly inputs: { readonly seq: number; readonly input: NewEvent }[] = []
  readonly #check: Check
  #unfinished = false

  /** @param check is told of every event. */
  constructor(check: Check = { rules: [] }, world: World = newWorld()) {
    this.#check = check
    this.world = world
    this.ledger = new Ledger(world.seq + 1)
  }

  /** Enters one input; returns the events of its entry. */
  enter(input: NewEvent): Kept[] {
    const seq = this.world.seq + 1
    this.inputs.push({ seq, input })
    if (hostKinds.has(input.kind)) {
      const io = addressed(this.world, input)
      enterIo(this.world, io, judgeNext(this.world, io), this.#record)
    } else enterCommand(this.world, input, seq * 1000, this.#record)
    this.#finish()
    return this.ledger.from(seq)
  }

  /** Folds events as they are. */
  plant(...events: readonly NewEvent[]): void {
    for (const event of events) {
      evolve(this.world, this.#told(this.ledger.put(event)))
      this.#finish()
    }
  }

  end(): void {
    this.#check.end?.(this.world)
  }

  /** Where the content of a block is, as a read would find it. */
  place(volume: number, block: number): number {
    return volumeOf(this.world, volume)!.map.get(block)
  }

  /** The places of the first `count` blocks of a volume. */
  places(volume: number, count: number): number[] {
    return Array.from({ length: count }, (_, block) => this.place(volume, block))
  }

  readonly #record = (event: NewEvent): Event => {
    this.#finish()
    return this.#told(this.ledger.add(this.#merged(event)))
  }

  /** What takes effect on part of a block gets new blocks as its payload; zeros at times have none, as of zeros. */
  #merged(event: NewEvent): NewEvent {
    const { fate = 'none', op = 'none', offset = 0, length = 0, volume = 0 } = event
    const { block = 1 } = volumeOf(this.world, volume) ?? {}
    if (!isMerged({ fate, op, offset, length }, block)) return event
    const seq = this.world.seq + 1
    return { ...event, payload: op === 'write' || seq % 2 === 0 ? mergedPlace(seq) : 0 }
  }

  #told(recorded: Event): Event {
    this.#check.before?.(recorded, this.world)
    this.#unfinished = true
    return recorded
  }

  #finish(): void {
    if (!this.#unfinished) return
    this.#unfinished = false
    this.#check.after?.(this.ledger.at(this.ledger.last), this.world)
  }
}

/** The world that the record of a history alone makes: what a new process has after the old one was killed. */
export function revived({ ledger }: History): History {
  const world = newWorld()
  for (let seq = 1; seq <= ledger.last; seq++) evolve(world, ledger.at(seq))
  return new History(undefined, world)
}

/** Where the blocks are that event `seq` merged. */
export function mergedPlace(seq: number): number {
  return 2 ** 41 + seq * 1024
}

/** Where the content of a block of every clone that lives outside is, once it was copied. */
export function outside(block: number): number {
  return 2 ** 40 + block * 8
}

/** The reports that every copy now running went the way `code` says. */
export function reportsOf(world: World, code: 'ok' | 'E_IO' = 'ok'): NewEvent[] {
  const reports: NewEvent[] = []
  for (const { tag, source, clone, external, extent, size, gate } of pairsOf(world).byTag.values()) {
    const restoring = restoresOf(world).byTag.get(tag)
    for (const [volume, copies] of [
      [clone, gate],
      [source, restoring?.gate],
    ] as const) {
      for (const [e, about] of copies?.running() ?? []) {
        const offset = e * extent
        const length = Math.min(extent, size - offset)
        const report: NewEvent = { kind: 'copy.report', tag, volume, offset, length, code, about }
        const brings = external !== null && code === 'ok'
        reports.push(brings ? { ...report, payload: outside(offset / 4096), digestHigh: 1 } : report)
      }
    }
  }
  return reports.sort((a, b) => a.about! - b.about!)
}
