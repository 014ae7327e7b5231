/**
 * An event as the line of JSON that an import prints: `i`, `t_ns`, `op`, `offset`, `length`, `dev`, `flags`,
 * then, where the format has them, the SHA-256 of a write's data, the label of a mark, the time and the result of the
 * answer.
 */

import { hex, sha256 } from '../core/digest.ts'
import type { TraceEvent } from './event.ts'

/** The line, without its end. Reads the event's data, so the data must be valid. */
export function eventLine(event: TraceEvent): string {
  return JSON.stringify({
    i: event.index,
    t_ns: event.tNs,
    op: event.op,
    offset: event.offset,
    length: event.length,
    dev: event.dev,
    flags: event.flags,
    ...(event.data !== undefined && { data_sha256: hex(sha256(event.data)) }),
    ...(event.label !== undefined && { label: event.label }),
    ...(event.tCompleteNs !== undefined && { t_complete_ns: event.tCompleteNs }),
    ...(event.ret !== undefined && { ret: event.ret }),
  })
}
