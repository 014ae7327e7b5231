/**
 * Where two runs part: their events and frames, side by side from the first on, until one differs.
 *
 *     frame by frame ─▶ event by event ─▶ field by field ─▶ the first difference, with what led to it
 */

import { lanesText } from '../core/lanes.ts'
import type { Event, Row } from '../events/columns.ts'
import type { Kind } from '../events/kind.ts'
import { eventRecord, eventText } from '../inspect/event-record.ts'
import { Names } from '../inspect/names.ts'
import type { Frame } from '../journal/frame.ts'
import type { Journal } from '../journal/journal.ts'
import { eventObject } from '../recording/event-json.ts'
import { newWorld } from '../volume.ts'

/** One field that is not the same on both sides, as it would be printed; undefined where a side has none. */
export interface FieldDifference {
  readonly field: string
  readonly recorded: string | undefined
  readonly now: string | undefined
}

export interface Divergence {
  /** The first sequence number at which the two part. */
  readonly seq: number
  /** What was compared: an event, what a frame says of itself, or the end. */
  readonly what: 'event' | 'frame' | 'end'
  /** The last events that both have, and the one of each side, as lines with names. */
  readonly before: readonly string[]
  readonly recorded: string | undefined
  readonly now: string | undefined
  readonly fields: readonly FieldDifference[]
}

const shownBefore = 3

/** The first difference of two journals; undefined when there is none. Hashes of frames are not compared. */
export async function firstDivergence(recorded: Journal, now: Journal): Promise<Divergence | undefined> {
  const a = recorded.read(recorded.bounds().first)[Symbol.asyncIterator]()
  const b = now.read(now.bounds().first)[Symbol.asyncIterator]()
  const walk = new Walk()
  try {
    for (;;) {
      const [left, right] = [await a.next(), await b.next()]
      const frames = [
        left.done === true ? undefined : left.value,
        right.done === true ? undefined : right.value,
      ]
      if (frames[0] === undefined && frames[1] === undefined) return undefined
      const found = walk.compare(frames[0], frames[1])
      if (found !== undefined) return found
    }
  } finally {
    await a.return?.()
    await b.return?.()
  }
}

class Walk {
  readonly #names = new Names(newWorld())
  #before: string[] = []

  compare(recorded: Frame | undefined, now: Frame | undefined): Divergence | undefined {
    const left = recorded?.open()
    const right = now?.open()
    const events = Math.max(recorded?.count ?? 0, now?.count ?? 0)
    for (let index = 0; index < events; index++) {
      const a = at(left, index)
      const b = at(right, index)
      const fields = differences(objectOf(a), objectOf(b))
      if (fields.length > 0) {
        const is = { recorded: this.#line(a, recorded), now: this.#line(b, now) }
        const seq = a?.seq ?? b!.seq
        const what = a === undefined || b === undefined ? this.#cut(recorded, now) : 'event'
        return { seq, what, before: this.#before, ...is, fields: what === 'event' ? fields : [] }
      }
      this.#names.note(a!)
      this.#before = [...this.#before.slice(1 - shownBefore), this.#line(a, recorded)!]
    }
    const fields = differences(frameObject(recorded!), frameObject(now!))
    if (fields.length === 0) return undefined
    const seq = recorded!.last
    return { seq, what: 'frame', before: this.#before, recorded: undefined, now: undefined, fields }
  }

  /** One side has no more events in its frame: the end of the run, or of the frame only. */
  #cut(recorded: Frame | undefined, now: Frame | undefined): 'frame' | 'end' {
    return recorded === undefined || now === undefined ? 'end' : 'frame'
  }

  #line(row: Row | undefined, frame: Frame | undefined): string | undefined {
    if (row === undefined || frame === undefined) return undefined
    return eventText(eventRecord(row, frame.instantNs, this.#names))
  }
}

/** The cursor on a row; undefined behind the end. */
function at(row: Row | undefined, index: number): Row | undefined {
  if (row === undefined || index >= row.columns.count) return undefined
  row.index = index
  return row
}

/** What may differ: the program's version, and the wording of a scenario that does the same. */
const aside: Readonly<Partial<Record<Kind, string>>> = { 'engine.started': 'program', 'run.begin': 'digest' }

function objectOf(event: Event | undefined): Record<string, unknown> {
  if (event === undefined) return {}
  const { detail, ...fields } = eventObject(event)
  const told = Object.entries((detail ?? {}) as Record<string, unknown>)
  const kept = told.filter(([name]) => aside[event.kind] !== name)
  return { ...fields, ...Object.fromEntries(kept.map(([name, value]) => [`detail.${name}`, value])) }
}

/** What a frame says of itself that is not in its events. */
function frameObject(frame: Frame): Record<string, unknown> {
  const { count: events, epoch, instantNs, durableNs, replied, flags, stateLow, stateHigh } = frame
  const instants = { instant: String(instantNs), durable: String(durableNs) }
  return { events, epoch, ...instants, replied, flags, state: lanesText(stateLow, stateHigh) }
}

function differences(a: Record<string, unknown>, b: Record<string, unknown>): FieldDifference[] {
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...names].flatMap((field) => {
    const recorded = told(a[field])
    const now = told(b[field])
    return recorded === now ? [] : [{ field, recorded, now }]
  })
}

function told(value: unknown): string | undefined {
  return value === undefined ? undefined : typeof value === 'string' ? value : JSON.stringify(value)
}

/** The difference as lines for people: what led to it, then both sides, as a diff shows them. */
export function divergenceText({ seq, what, before, recorded, now, fields }: Divergence): string[] {
  const said = {
    event: `the runs part at event ${seq}`,
    frame: `the runs part in the frame that ends with event ${seq}`,
    end: now === undefined ? `the run ends before event ${seq}` : `the recording ends before event ${seq}`,
  }[what]
  return [
    `${said} (- recorded, + now):`,
    ...before.map((line) => `    ${line}`),
    ...(recorded === undefined ? [] : [`  - ${recorded}`]),
    ...(now === undefined ? [] : [`  + ${now}`]),
    ...fields.map((one) => `    ${one.field}: recorded ${one.recorded ?? 'none'}, now ${one.now ?? 'none'}`),
  ]
}
