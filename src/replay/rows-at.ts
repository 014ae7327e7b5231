/** Single events read by their sequence numbers, without what lies between them. */

import { Row } from '../events/columns.ts'
import { checkRows } from '../journal/frame.ts'
import type { Journal } from '../journal/journal.ts'

/** An event with its instants, nanoseconds since the Unix epoch. */
export interface RowAt {
  /** Its own row: it stays as it is. */
  readonly row: Row
  readonly atNs: bigint
}

/** The events of these numbers, those that were given up left out. Each frame is read once. */
export async function rowsAt(journal: Journal, seqs: Iterable<number>): Promise<Map<number, RowAt>> {
  const { first, last } = journal.bounds()
  const wanted = [...new Set(seqs)].filter((seq) => seq >= first && seq <= last).sort((a, b) => a - b)
  const rows = new Map<number, RowAt>()
  for (let k = 0; k < wanted.length; ) {
    for await (const frame of journal.read(wanted[k]!, wanted[k]!)) {
      const opened = frame.open()
      checkRows(frame, opened)
      for (; k < wanted.length && wanted[k]! <= frame.last; k++) {
        const row = new Row(opened.columns, frame.first, opened.details)
        row.index = wanted[k]! - frame.first
        rows.set(wanted[k]!, { row, atNs: frame.instantNs + BigInt(row.at) })
      }
    }
  }
  return rows
}
