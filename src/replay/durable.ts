/**
 * Durable means durable: what a frame says of the answers given before it was stored (G-I3).
 *
 *     policy durable    nothing of the frame was answered before
 *     policy buffered   no flush of it, and no write with FUA: these promise what is only true once it is stored
 */

import type { Finding } from '../check/check.ts'
import type { Row } from '../events/columns.ts'
import { flag } from '../events/kind.ts'
import { type Frame, frameFlags } from '../journal/frame.ts'

/** The first answer that came too early; undefined when none did. Moves the cursor. */
export function answeredEarly(frame: Frame, row: Row): Finding | undefined {
  const { first, replied } = frame
  if (replied < first) return undefined
  if ((frame.flags & frameFlags.buffered) === 0) {
    const detail = `replies up to event ${replied} were given before their frame was durable`
    return { seq: first, rule: 'G-I3', detail }
  }
  for (row.index = 0; row.index < frame.count && row.seq <= replied; row.index++) {
    const { op, flags, seq, fate } = row
    if (fate !== 'passed' || (op !== 'flush' && (flags & flag.fua) === 0)) continue
    const what = op === 'flush' ? 'flush' : 'write with FUA'
    return { seq, rule: 'G-I3', detail: `${what} ${seq} was answered before its frame was durable` }
  }
  return undefined
}
