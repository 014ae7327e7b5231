/** What hosts wrote to a volume between two events of a journal, as a history whose crash states can be gone through. */

import { Columns, takesEffect } from '../events/columns.ts'
import { flag } from '../events/kind.ts'
import { writtenBytes } from '../images/merged.ts'
import type { Journal } from '../journal/journal.ts'
import type { PayloadStore } from '../payload/payload.ts'
import { worldAt } from '../replay/at.ts'
import type { DiskOperation } from './crash-states.ts'

/** The writes that took effect on a volume in events `from` to `to`, and its flushes. Payload is copied. */
export async function crashHistory(
  journal: Journal,
  payload: PayloadStore,
  volume: number,
  from = 1,
  to = Number.MAX_SAFE_INTEGER,
): Promise<DiskOperation[]> {
  const history: DiskOperation[] = []
  const { block } = (await worldAt(journal, journal.bounds().last)).volumes[volume - 1]!
  const columns = new Columns()
  for await (const frame of journal.read(from, to)) {
    const row = frame.open(columns)
    for (row.index = 0; row.index < frame.count; row.index++) {
      if (row.seq < from || row.seq > to || row.volume !== volume) continue
      const { op, offset, length } = row
      if (op === 'flush' && row.fate === 'passed') history.push({ op })
      if (!takesEffect(row)) continue
      const fua = (row.flags & flag.fua) !== 0
      if (op !== 'write') history.push({ op: 'zeroes', offset, length, fua })
      else history.push({ op, offset, data: writtenBytes(payload, row, block), fua })
    }
  }
  return history
}
