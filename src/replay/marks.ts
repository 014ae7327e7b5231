/** The marks of a journal: points that people and traces gave a name. */

import { Columns, type Row } from '../events/columns.ts'
import { text } from '../events/detail.ts'
import { checkRows } from '../journal/frame.ts'
import type { Journal } from '../journal/journal.ts'

export interface Mark {
  readonly seq: number
  /** Nanoseconds since the Unix epoch. */
  readonly atNs: bigint
  /** Number of the volume it was put on; 0: on none. */
  readonly volume: number
  readonly label: string
}

/** The marks, oldest first, a batch of frames at a time. Throws what the journal throws, or the signal's reason. */
export async function* marksOf(journal: Journal, signal?: AbortSignal): AsyncGenerator<Mark[]> {
  const columns = new Columns()
  for await (const frames of journal.batches(journal.bounds().first)) {
    signal?.throwIfAborted()
    const marks: Mark[] = []
    for (const frame of frames) {
      const row = frame.open(columns)
      checkRows(frame, row)
      for (row.index = 0; row.index < frame.count; row.index++) {
        if (row.kind !== 'mark' || !wasMade(row, frame.count)) continue
        const atNs = frame.instantNs + BigInt(Math.trunc(row.at))
        marks.push({ seq: row.seq, atNs, volume: row.volume, label: text(row.detail, 'label') })
      }
    }
    yield marks
  }
}

/**
 * True for a command that was done. One that was refused, or asked again under its key, is on the record too; what it
 * got is the next event, in the same frame.
 */
export function wasMade(row: Row, count: number): boolean {
  const { index } = row
  if (index + 1 >= count) return true
  row.index++
  const { kind } = row
  row.index = index
  return kind !== 'command.refused' && kind !== 'command.repeated'
}
