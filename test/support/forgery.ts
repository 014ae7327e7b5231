/** Journals changed by somebody who knows the format: one frame edited, all after it chained and hashed again. */

import { Columns, type NewEvent } from '../../src/events/columns.ts'
import type { Frame, FrameParts } from '../../src/journal/frame.ts'
import type { KvStore } from '../../src/journal/store.ts'
import { forged } from './frames.ts'
import { type Kept, kept } from './ledger.ts'
import { copyOf, framesOf, headAt, type Opened, openMemory, putFrame } from './store.ts'

/** A journal like that in `store`, its frame `index` changed, everything behind it made to fit. */
export async function forgery(
  store: KvStore,
  index: number,
  change: (parts: FrameParts) => Partial<FrameParts>,
): Promise<Opened> {
  const frames = await framesOf(store)
  const copy = await copyOf(store)
  let previous = frames[index]!.previous
  let last: Frame | undefined
  for (const [k, frame] of frames.entries()) {
    if (k < index) continue
    last = forged(frame, previous, (parts) => (k === index ? change(parts) : {}))
    await putFrame(copy, frame.first, last.bytes)
    previous = last.hash
  }
  return openMemory({ store: copy, head: headAt(last) })
}

/** Which frame holds event `seq`, and at which row. */
export function placeOf(
  frames: readonly Frame[],
  seq: number,
): { readonly index: number; readonly row: number } {
  const index = frames.findIndex(({ first, last }) => first <= seq && seq <= last)
  return { index, row: seq - frames[index]!.first }
}

/** All events of the frames, to be kept. */
export function eventsOf(frames: readonly Frame[]): Kept[] {
  return frames.flatMap((frame) => {
    const row = frame.open()
    return Array.from({ length: frame.count }, (_, index) => {
      row.index = index
      return kept(row)
    })
  })
}

/** Parts whose events were replaced by these; what each has as its instant and digests is not kept. */
export function rewritten(parts: FrameParts, events: readonly NewEvent[]): Partial<FrameParts> {
  const columns = new Columns(Math.max(1, events.length))
  const details = new Map(parts.details)
  details.clear()
  for (const [row, event] of events.entries()) {
    columns.push(event, parts.first + row)
    if (event.detail !== undefined) details.set(row, event.detail)
  }
  return { columns, details }
}
