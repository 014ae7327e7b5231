/** What a volume must be to take a trace: its size and block, found by reading the trace once. */

import type { TraceEvent } from '../trace/event.ts'

export interface TraceShape {
  readonly events: number
  /** The end of the furthest range, bytes. */
  readonly maxEnd: number
  /** 4096, or 512 when any request is not aligned to 4096. */
  readonly block: 512 | 4096
}

/** Adds up the shape of a trace, event by event. */
export function traceShape(): { add(event: TraceEvent): void; result(): TraceShape } {
  let events = 0
  let maxEnd = 0
  let block: 512 | 4096 = 4096
  return {
    add(event) {
      events++
      const { offset, length } = event
      if (offset === null || length === null || event.op === 'flush' || event.op === 'mark') return
      maxEnd = Math.max(maxEnd, offset + length)
      if (offset % 4096 !== 0 || length % 4096 !== 0) block = 512
    },
    result: () => ({ events, maxEnd, block }),
  }
}
