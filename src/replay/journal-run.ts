/** A journal as a diff reads it: its frames as the parts of a run, and the names of what its events number. */

import { lanesText } from '../core/lanes.ts'
import type { Event } from '../events/columns.ts'
import { Names } from '../inspect/names.ts'
import type { Frame } from '../journal/frame.ts'
import type { Journal } from '../journal/journal.ts'
import { nearestWorld } from '../journal/state.ts'
import type { DiffSource, RunPart } from './run-side.ts'

/** A run that can be compared and told of. */
export interface NamedRun extends DiffSource {
  /** What the numbers in its events stand for, as far as they were read. */
  readonly names: Names
}

/** The run that a journal recorded, from its first event on. Throws what the journal throws. */
export async function journalRun(journal: Journal, name: string): Promise<NamedRun> {
  const { first, last } = journal.bounds()
  const names = new Names(await nearestWorld(journal, first - 1))
  return {
    name,
    names,
    parts: framesAsParts(journal.batches(first, last)),
    note: (event) => names.note(event),
  }
}

/** A journal's frames as the parts of a run. */
export async function* framesAsParts(frames: AsyncIterable<readonly Frame[]>): AsyncGenerator<RunPart> {
  for await (const batch of frames) for (const frame of batch) yield partOf(frame)
}

function partOf(frame: Frame): RunPart {
  const { count, epoch, instantNs, durableNs, replied, flags, stateLow, stateHigh } = frame
  const instants = { instant: String(instantNs), durable: String(durableNs) }
  const said = { epoch, ...instants, replied, flags, state: lanesText(stateLow, stateHigh) }
  const state = { low: stateLow, high: stateHigh }
  return { events: eventsOf(frame), count, instantNs, state, frame: { events: count, ...said } }
}

function* eventsOf(frame: Frame): Generator<Event> {
  const row = frame.open()
  for (row.index = 0; row.index < frame.count; row.index++) yield row
}
