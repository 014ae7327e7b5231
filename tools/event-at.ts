/** One event of a journal as `log` prints it, with who asked for it. */

import { type EventRecord, eventRecord } from '../src/inspect/event-record.ts'
import { Names } from '../src/inspect/names.ts'
import type { Journal } from '../src/journal/journal.ts'
import { worldAt } from '../src/replay/at.ts'

export interface EventAt {
  readonly record: EventRecord
  /** The name its session was opened with; undefined for what no session asked. */
  readonly host: string | undefined
}

/** Throws NO_SUCH_POINT, JOURNAL_TRUNCATED. */
export async function eventAt(journal: Journal, seq: number, signal?: AbortSignal): Promise<EventAt> {
  const world = await worldAt(journal, seq - 1, signal)
  for await (const frame of journal.read(seq, seq)) {
    const row = frame.open()
    row.index = seq - frame.first
    const names = new Names(world)
    names.note(row)
    return { record: eventRecord(row, frame.instantNs, names), host: world.sessions.get(row.session) }
  }
  throw new Error(`event ${seq} is in the journal and was not read`)
}
