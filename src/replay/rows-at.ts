/** Single events read by their sequence numbers, without what lies between them. */

import type { Row } from '../events/columns.ts'
import { checkRows, type Frame } from '../journal/frame.ts'
import type { Journal } from '../journal/journal.ts'

/** An event with its instants, nanoseconds since the Unix epoch. */
export interface RowAt {
  /** Its own row: it stays as it is. */
  readonly row: Row
  readonly atNs: bigint
}

/** How many frames are being read at a time. */
const together = 8

/** The events of these numbers, those that were given up left out. */
export async function rowsAt(journal: Journal, seqs: Iterable<number>): Promise<Map<number, RowAt>> {
  const { first, last } = journal.bounds()
  const wanted = [...new Set(seqs)].filter((seq) => seq >= first && seq <= last).sort((a, b) => a - b)
  const rows = new Map<number, RowAt>()
  let next = 0
  const reader = async () => {
    while (next < wanted.length) {
      const seq = wanted[next++]!
      for await (const frame of journal.read(seq, seq)) {
        for (; next < wanted.length && wanted[next]! <= frame.last; next++) found(frame, wanted[next]!, rows)
        found(frame, seq, rows)
      }
    }
  }
  await Promise.all(Array.from({ length: together }, reader))
  return rows
}

function found(frame: Frame, seq: number, rows: Map<number, RowAt>): void {
  const row = frame.open()
  checkRows(frame, row)
  row.index = seq - frame.first
  rows.set(seq, { row, atNs: frame.instantNs + BigInt(row.at) })
}
