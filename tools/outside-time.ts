/**
 * Times outside what a journal recorded: they are answered with its end or its beginning, which nobody would see.
 *
 *     before the first event ─ said        recorded ─ nothing to say        after the last event ─ said
 */

import { isoNs } from '../src/inspect/event-record.ts'
import type { Journal } from '../src/journal/journal.ts'
import type { Point } from '../src/replay/point.ts'
import { remark } from './remark.ts'

/** Says of each point that is a time whether the journal ends before it, or begins after it. */
export async function remarkOutside(journal: Journal, ...points: (Point | undefined)[]): Promise<void> {
  const { first, last } = journal.bounds()
  if (last < first) return
  for (const point of points) {
    if (point?.by !== 'time') continue
    const end = await instantOf(journal, last)
    if (point.atNs > end) {
      remark(`the journal ends before ${isoNs(point.atNs)}: its last event is ${last}, of ${isoNs(end)}`)
      continue
    }
    const begin = await instantOf(journal, first)
    if (point.atNs >= begin) continue
    remark(`the journal begins after ${isoNs(point.atNs)}: its first event is ${first}, of ${isoNs(begin)}`)
  }
}

async function instantOf(journal: Journal, seq: number): Promise<bigint> {
  for await (const frame of journal.read(seq, seq)) {
    const row = frame.open()
    row.index = seq - frame.first
    return frame.instantNs + BigInt(Math.trunc(row.at))
  }
  throw new Error(`event ${seq} is in the journal and was not read`)
}
