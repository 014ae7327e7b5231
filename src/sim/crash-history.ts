/**
 * What hosts wrote to a volume between two events of a journal, as a history whose crash states can be gone through.
 *
 * A flush covers the writes that were answered before it was asked, so the history has to say when that was. A journal
 * tells it by its clock: an event has the instant at which it was asked, a frame that at which the one before it became
 * durable, and then its writes were answered (with `ack: buffered`, where they were accepted). What a record cannot tell,
 * because its clock did not move between an answer and the next ask or because it ends there, counts as unanswered: that
 * gives more crash states, never fewer. Who asks himself knows better: watched-volume.ts.
 */

import { Columns, type Row, takesEffect } from '../events/columns.ts'
import { flag } from '../events/kind.ts'
import { writtenBytes } from '../images/merged.ts'
import { frameFlags } from '../journal/frame.ts'
import type { Journal } from '../journal/journal.ts'
import type { PayloadStore } from '../payload/payload.ts'
import { worldAt } from '../replay/at.ts'
import type { DiskOperation } from './disk-operation.ts'

/** An operation, when it was asked, and when it was answered: not known yet, or never. */
interface Noted {
  readonly operation: DiskOperation
  readonly askedNs: bigint
  answeredNs: bigint | undefined
}

/** The writes that took effect on a volume in events `from` to `to`, and its flushes. Payload is copied. */
export async function crashHistory(
  journal: Journal,
  payload: PayloadStore,
  volume: number,
  from = 1,
  to = Number.MAX_SAFE_INTEGER,
): Promise<DiskOperation[]> {
  const { block } = (await worldAt(journal, journal.bounds().last)).volumes[volume - 1]!
  const noted: Noted[] = []
  const columns = new Columns()
  let waiting: Noted[] = []
  for await (const frame of journal.read(from)) {
    const durableNs = frame.durableNs === 0n ? frame.instantNs : frame.durableNs
    for (const one of waiting) one.answeredNs = durableNs
    waiting = []
    if (frame.first > to) break
    const isBuffered = (frame.flags & frameFlags.buffered) !== 0
    const row = frame.open(columns)
    let changed = false
    for (row.index = 0; row.index < frame.count; row.index++) {
      if (row.kind !== 'io.read' && row.kind !== 'io.flush') changed = true
      if (row.seq < from || row.seq > to || row.volume !== volume) continue
      const operation = operationOf(row, payload, block)
      if (operation === undefined) continue
      const one: Noted = { operation, askedNs: frame.instantNs + BigInt(row.at), answeredNs: undefined }
      noted.push(one)
      const isSynced = operation.op === 'flush' || operation.fua === true
      if (isBuffered && !isSynced) one.answeredNs = one.askedNs
      else if (changed) waiting.push(one)
      else one.answeredNs = one.askedNs > durableNs ? one.askedNs : durableNs
    }
  }
  return noted.map(({ operation }, index) => ({ ...operation, answered: answeredOf(noted, index) }))
}

function operationOf(row: Row, payload: PayloadStore, block: number): DiskOperation | undefined {
  const { op, offset, length } = row
  if (op === 'flush' && row.fate === 'passed') return { op }
  if (!takesEffect(row)) return undefined
  const fua = (row.flags & flag.fua) !== 0
  if (op !== 'write') return { op: 'zeroes', offset, length, fua }
  return { op, offset, data: writtenBytes(payload, row, block), fua }
}

/** How many operations had been asked when one was answered: the next ask after that instant is the first without. */
function answeredOf(noted: readonly Noted[], index: number): number {
  const { answeredNs } = noted[index]!
  if (answeredNs === undefined) return Number.POSITIVE_INFINITY
  const next = noted.findIndex(({ askedNs }, k) => k > index && askedNs > answeredNs)
  return next < 0 ? noted.length : next
}
