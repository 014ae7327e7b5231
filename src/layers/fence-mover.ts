/** What a data mover moves behind a fence, which report of it is the next one, and what of a report is written next. */

import type { Range } from '../core/range.ts'
import { RangeSet } from '../core/range-set.ts'
import type { Fence } from './fence-state.ts'
import type { Report } from './mover-run.ts'

/** The bytes that the mover moves in the fence's present phase. */
export function moverTarget(fence: Fence): RangeSet {
  if (fence.phase === 'restoring') return fence.meta
  return fence.full ? RangeSet.of([{ offset: 0, length: fence.size }]) : fence.meta.with(fence.data)
}

/** True for a report that goes on where the last one ended, in a phase in which the mover may report. */
export function isExpected(fence: Fence, report: Range): boolean {
  const { mover, phase } = fence
  if (mover?.running !== true || !mover.dispatched || mover.ended) return false
  if (phase !== 'restoring' && phase !== 'operating') return false
  const next = moverTarget(fence).from(mover.sent)
  if (next === undefined || report.length === 0 || report.length % fence.block !== 0) return false
  return report.offset === next.offset && report.length <= next.length
}

/** A piece of the oldest report that is not written yet, cut where metadata begins and ends. */
export function nextPiece(fence: Fence): (Report & { readonly meta: boolean }) | undefined {
  const { mover } = fence
  const report = mover?.pending[0]
  if (mover === undefined || report === undefined) return undefined
  const at = moverTarget(fence).from(mover.moved)!
  const length = Math.min(at.length, report.offset + report.length - at.offset)
  const [piece] = fence.meta.split({ offset: at.offset, length })
  const place = report.place === 0 ? 0 : report.place + (at.offset - report.offset) / 512
  return { offset: piece!.offset, length: piece!.length, meta: piece!.inside, seq: report.seq, place }
}
