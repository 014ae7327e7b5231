/** Where a journal under test is kept, and what is written into it: marks. */

import { hex } from '../../src/core/digest.ts'
import type { Frame } from '../../src/journal/frame.ts'
import type { Journal, Writer } from '../../src/journal/journal.ts'
import { marks } from '../support/frames.ts'

export interface Place {
  /** Opens the journal there; the one opened before is closed. */
  open(): Promise<Journal>
  /** Damages the newest checkpoint. */
  damageCheckpoint(journal: Journal): Promise<void>
}

/** Where a journal begins and ends, as plain values. */
export function boundsOf(journal: Journal) {
  const { head, ...plain } = journal.bounds()
  return { ...plain, head: hex(head) }
}

/** Appends `count` frames of `events` marks each. */
export async function appendMarks(
  journal: Journal,
  writer: Writer,
  count: number,
  events = 1,
): Promise<Frame[]> {
  const frames: Frame[] = []
  for (let k = 0; k < count; k++) {
    const first = journal.bounds().last + 1
    frames.push(await writer.append(marks(first, events), first))
  }
  return frames
}
