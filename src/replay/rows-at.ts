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

/** How many frames are being read at a time, where their beginnings are not known. */
const together = 8

/**
 * The events of these numbers, those that were given up left out.
 *
 * @param frameOf the first event of the frame that holds an event, where it is known: reading is then many times faster.
 */
export async function rowsAt(
  journal: Journal,
  seqs: Iterable<number>,
  frameOf: (seq: number) => number | undefined = () => undefined,
): Promise<Map<number, RowAt>> {
  const { first, last } = journal.bounds()
  const wanted = [...new Set(seqs)].filter((seq) => seq >= first && seq <= last).sort((a, b) => a - b)
  const rows = new Map<number, RowAt>()
  const unknown: number[] = []
  let frame: Frame | undefined
  for (const seq of wanted) {
    if (frame === undefined || seq > frame.last) {
      const begins = frameOf(seq)
      frame = begins === undefined ? undefined : journal.frame(begins)
    }
    if (frame === undefined || seq > frame.last) unknown.push(seq)
    else take(frame, seq, rows)
  }
  const reader = async () => {
    for (let seq = unknown.pop(); seq !== undefined; seq = unknown.pop()) {
      for await (const found of journal.read(seq, seq)) take(found, seq, rows)
    }
  }
  await Promise.all(Array.from({ length: together }, reader))
  return rows
}

function take(frame: Frame, seq: number, rows: Map<number, RowAt>): void {
  const row = frame.open()
  checkRows(frame, row)
  row.index = seq - frame.first
  rows.set(seq, { row, atNs: frame.instantNs + BigInt(row.at) })
}
