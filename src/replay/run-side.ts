/**
 * One side of a diff: a run read event by event, once, with the event it stands on.
 *
 *     refill ──▶ stands on an event ── step ──▶ the next of its part, or none: refill ──▶ ... ──▶ over
 */

import type { Event } from '../events/columns.ts'

/** Some events of a run in order, and the state after the last one where it is known. */
export interface RunPart {
  /** An event may be lent: it is looked at no more once the next was asked for. */
  readonly events: Iterable<Event>
  /** How many they are. */
  readonly count: number
  /** The instant that `at` of these events counts from. */
  readonly instantNs: bigint
  readonly state?: { readonly low: number; readonly high: number }
  /** What its frame says of itself beside its events, where it is a frame. */
  readonly frame?: Readonly<Record<string, string | number | boolean>>
}

/** One run: a journal, or a recording of one. */
export interface DiffSource {
  readonly name: string
  readonly parts: AsyncIterable<RunPart>
  /** Told of each event before the next one is read, the last ones included that a difference shows. */
  readonly note?: (event: Event) => void
}

/** An event to be kept, and its instant in nanoseconds since the Unix epoch. */
export interface KeptEvent {
  readonly event: Event
  readonly atNs: bigint
}

export class RunSide {
  readonly name: string
  /** Where it stands; undefined before the first `refill`, when a part is over, and at the end. */
  event: Event | undefined
  readonly #parts: AsyncIterator<RunPart>
  readonly #note: (event: Event) => void
  #part: RunPart | undefined
  #events: Iterator<Event> | undefined
  #seen = 0

  constructor({ name, parts, note = () => undefined }: DiffSource) {
    this.name = name
    this.#parts = parts[Symbol.asyncIterator]()
    this.#note = note
  }

  /** Goes to the next event of the part; false when it is over. */
  step(): boolean {
    const next = this.#events?.next()
    this.event = next === undefined || next.done === true ? undefined : next.value
    if (this.event === undefined) return false
    this.#seen++
    this.#note(this.event)
    return true
  }

  /** Goes to the first event of the next part that has any; at the end it stands on none. */
  async refill(): Promise<void> {
    for (;;) {
      const { value, done } = await this.#parts.next()
      if (done === true) {
        this.#events = undefined
        this.event = undefined
        return
      }
      this.#part = value
      this.#events = value.events[Symbol.iterator]()
      this.#seen = 0
      if (this.step()) return
    }
  }

  /** The instant of the event, nanoseconds since the Unix epoch. */
  get atNs(): bigint {
    return this.#part!.instantNs + BigInt(Math.trunc(this.event!.at))
  }

  /** True where it stands on the last event of its part. */
  get isLast(): boolean {
    return this.#seen === this.#part?.count
  }

  /** The state after the event, where it is the last of its part and the state is known. */
  get state(): RunPart['state'] {
    return this.isLast ? this.#part!.state : undefined
  }

  /** What is said of the part, whatever event it stands on. */
  get frame(): NonNullable<RunPart['frame']> {
    return this.#part?.frame ?? {}
  }

  /** The event, to be kept. */
  kept(): KeptEvent {
    return { event: copyOf(this.event!), atNs: this.atNs }
  }

  /** The event and those behind it, at most `most`. */
  async rest(most: number): Promise<KeptEvent[]> {
    const kept: KeptEvent[] = []
    while (this.event !== undefined && kept.length < most) {
      kept.push(this.kept())
      if (!this.step()) await this.refill()
    }
    return kept
  }

  async close(): Promise<void> {
    await this.#parts.return?.()
  }
}

function copyOf(event: Event): Event {
  const { seq, kind, fate, op, flags, code, session, request, volume, offset, length } = event
  const { payload, about, tag, digestHigh, digestLow, at, detail } = event
  const io = { seq, kind, fate, op, flags, code, session, request, volume, offset, length }
  return { ...io, payload, about, tag, digestHigh, digestLow, at, detail }
}
