/**
 * One run of the data mover behind a fence, as the record knows it: which image, how far it is, what it has reported
 * that is not yet written, and how many bytes went over which network (seed claims 10 and 11).
 *
 *     mover.request (control network) ─▶ requested ─▶ dispatched ─▶ mover.report ... ─▶ copied ... ─▶ done
 *                                                     (data network)
 *
 * It moves the bytes of the fence in ascending order: all of a full fence's volume, the metadata and covered data of
 * a partial one. Positions count those bytes; what was written up to `moved` need not be moved again after a crash.
 */

import type { Range } from '../core/range.ts'
import type { Event } from '../events/columns.ts'
import { count, text } from '../events/detail.ts'

/** A stretch of the image as reported: place 0 is zeros. */
export interface Report extends Range {
  readonly seq: number
  readonly place: number
}

export interface MoverRun {
  readonly image: string
  readonly digest: string
  readonly size: number
  running: boolean
  dispatched: boolean
  /** Bytes reported, and bytes written of them. */
  sent: number
  moved: number
  /** Bytes of metadata put on the device that are not yet read back (metaFirst). */
  restored: number
  /** Everything was reported. */
  ended: boolean
  /** Bytes over the data network and over the control network. */
  dataBytes: number
  controlBytes: number
  pending: Report[]
}

/**
 * A run that mover.requested begins; it goes on where an earlier run of the same image stopped. An image without a digest
 * may be another one by now: it begins anew.
 */
export function freshRun(event: Event, before: MoverRun | undefined): MoverRun {
  const image = text(event.detail, 'image')
  const digest = text(event.detail, 'digest')
  const size = count(event.detail, 'size')
  const same = before !== undefined && digest !== '' && before.digest === digest && before.size === size
  const moved = same && !before.ended ? before.moved : 0
  return {
    image,
    digest,
    size,
    running: true,
    dispatched: false,
    sent: moved,
    moved,
    restored: moved,
    ended: false,
    dataBytes: moved,
    controlBytes: count(event.detail, 'controlBytes'),
    pending: [],
  }
}

/** That many bytes more are where they belong. */
export function movedOn(mover: MoverRun, length: number): void {
  mover.moved += length
  mover.dataBytes += length
  const report = mover.pending[0]!
  const left = mover.pending.reduce((sum, one) => sum + one.length, 0)
  if (mover.sent - mover.moved <= left - report.length) mover.pending.shift()
}
