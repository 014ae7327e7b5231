/**
 * Diff: the first sequence number at which two runs part, and what each did there.
 *
 *     parts of A ─┐
 *                 ├─▶ event beside event ─ same ─▶ states beside states, where both sides have one ─ same ─▶ next
 *     parts of B ─┘                    └─ differ ─┴─ differ ─▶ Difference
 *
 * Two runs are the same when the same was asked and decided in the same order. So some things are no difference:
 * instants, unless asked for; who wrote (writer, program, epoch); how a run was driven (run.begin, run.end); where
 * payload lies, for its digest tells what it is; a digest of a read that only one side noted. Two of these are part of
 * the state: from where epochs or places differ, states cannot be compared any more, which is noted. An exact diff, of
 * runs anew under logical time, compares all of it, and what frames say of themselves.
 *
 * Both sides are read once, in step, in constant memory.
 */

import { lanesText } from '../core/lanes.ts'
import type { Event } from '../events/columns.ts'
import { type DiffField, fieldsThatDiffer, sameEvent } from './event-difference.ts'
import { type DiffSource, type KeptEvent, RunSide } from './run-side.ts'

export interface DiffOptions {
  /** Instants are compared too. */
  readonly instants?: boolean
  /** Everything is compared but the program's version and the wording of a scenario; hashes of frames are not. */
  readonly exact?: boolean
  /** Events shown before and behind the first difference, at most 1000; 3 unless told otherwise. */
  readonly context?: number
  readonly signal?: AbortSignal
  readonly onEvents?: (seq: number) => void
}

export interface Difference {
  readonly seq: number
  /**
   * An event; the state after an event that is the same on both sides; what the frame that ends with the event says of
   * itself, or that one ends there and the other goes on; or one side has ended.
   */
  readonly what: 'event' | 'state' | 'frame' | 'end'
  readonly fields: readonly DiffField[]
  /** Of each side, the events from `seq` on; of a side that has ended, none. */
  readonly a: readonly KeptEvent[]
  readonly b: readonly KeptEvent[]
}

export interface DiffVerdict {
  /** Events that are the same, and states that were compared and are. */
  readonly events: number
  readonly states: number
  readonly difference: Difference | undefined
  /** The last events before the difference, the same on both sides. */
  readonly before: readonly KeptEvent[]
  /** What a reader ought to know of what was not compared. */
  readonly notes: readonly string[]
}

/** Compares two runs. Throws what reading either of them throws. */
export async function diffRuns(
  a: DiffSource,
  b: DiffSource,
  options: DiffOptions = {},
): Promise<DiffVerdict> {
  const diff = new Diff(new RunSide(a), new RunSide(b), options)
  try {
    return await diff.run()
  } finally {
    await diff.close()
  }
}

const progressEvery = 65_536

class Diff {
  readonly #a: RunSide
  readonly #b: RunSide
  readonly #options: DiffOptions
  readonly #context: number
  readonly #before: KeptEvent[] = []
  readonly #notes: string[] = []
  #events = 0
  #states = 0
  #statesCompare = true

  constructor(a: RunSide, b: RunSide, options: DiffOptions) {
    this.#a = a
    this.#b = b
    this.#options = options
    this.#context = Math.min(1000, options.context ?? 3)
  }

  async close(): Promise<void> {
    await this.#a.close()
    await this.#b.close()
  }

  async run(): Promise<DiffVerdict> {
    const difference = await this.#first()
    const [events, states] = [this.#events, this.#states]
    return { events, states, difference, before: this.#before, notes: this.#notes }
  }

  async #first(): Promise<Difference | undefined> {
    const [a, b] = [this.#a, this.#b]
    const { exact = false, instants = exact } = this.#options
    await this.#align()
    for (;;) {
      const [one, two] = [a.event, b.event]
      if (one === undefined && two === undefined) return undefined
      if (one === undefined || two === undefined) return this.#found('end', (one ?? two)!.seq, [])
      if (exact || !sameEvent(one, two) || (instants && a.atNs !== b.atNs)) {
        const compared = { exact, ...(instants && { atNs: [a.atNs, b.atNs] as const }) }
        const fields = fieldsThatDiffer(one, two, compared)
        if (fields.length > 0) return this.#found('event', one.seq, fields)
      }
      this.#look(one, two)
      const parted = exact ? this.#frameDifference(one.seq) : this.#stateDifference(one.seq)
      this.#keep()
      if (parted !== undefined) return parted
      this.#events++
      if (this.#events % progressEvery === 0) {
        this.#options.signal?.throwIfAborted()
        this.#options.onEvents?.(one.seq)
      }
      if (!a.step()) await a.refill()
      if (!b.step()) await b.refill()
    }
  }

  /** A journal whose beginning was given up begins later than the other: that much cannot be compared. */
  async #align(): Promise<void> {
    const [a, b] = [this.#a, this.#b]
    await a.refill()
    await b.refill()
    if (a.event === undefined || b.event === undefined || a.event.seq === b.event.seq) return
    const [early, late] = a.event.seq < b.event.seq ? [a, b] : [b, a]
    const first = late.event!.seq
    this.#notes.push(
      `${late.name} begins with event ${first}: what ${early.name} has before it was not compared`,
    )
    this.#statesCompare = false
    while (early.event !== undefined && early.event.seq < first) if (!early.step()) await early.refill()
  }

  /** Things that differ and are no difference, when they are seen for the first time. */
  #look(one: Event, two: Event): void {
    if (one.kind === 'run.begin') {
      const [asked, other] = [JSON.stringify(one.detail), JSON.stringify(two.detail)]
      if (asked !== other)
        this.#notes.push(`the runs that begin with event ${one.seq} were asked differently`)
    }
    if (!this.#statesCompare) return
    const epochs = one.kind === 'engine.started' && one.detail.epoch !== two.detail.epoch
    if (!epochs && one.payload === two.payload) return
    this.#statesCompare = false
    const what = epochs ? 'epochs' : 'places of payload'
    this.#notes.push(`${what} differ from event ${one.seq} on: states were compared up to there`)
  }

  #stateDifference(seq: number): Difference | undefined {
    const [a, b] = [this.#a.state, this.#b.state]
    if (!this.#statesCompare || a === undefined || b === undefined) return undefined
    if (a.low === b.low && a.high === b.high) {
      this.#states++
      return undefined
    }
    const field = { field: 'state', a: lanesText(a.low, a.high), b: lanesText(b.low, b.high) }
    return { seq, what: 'state', fields: [field], a: [this.#a.kept()], b: [this.#b.kept()] }
  }

  #frameDifference(seq: number): Difference | undefined {
    const [a, b] = [this.#a, this.#b]
    if (!a.isLast && !b.isLast) return undefined
    const names = new Set([...Object.keys(a.frame), ...Object.keys(b.frame)])
    const fields = [...names].flatMap((field) => {
      const [one, two] = [String(a.frame[field]), String(b.frame[field])]
      return one === two ? [] : [{ field, a: one, b: two }]
    })
    if (fields.length === 0) {
      this.#states++
      return undefined
    }
    return { seq, what: 'frame', fields, a: [a.kept()], b: [b.kept()] }
  }

  #keep(): void {
    if (this.#context === 0) return
    this.#before.push(this.#a.kept())
    if (this.#before.length > this.#context) this.#before.shift()
  }

  async #found(what: 'event' | 'end', seq: number, fields: readonly DiffField[]): Promise<Difference> {
    const [a, b] = [await this.#a.rest(this.#context + 1), await this.#b.rest(this.#context + 1)]
    return { seq, what, fields, a, b }
  }
}
