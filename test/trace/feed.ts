/** Feeds bytes to a trace parser in pieces, as a file, a pipe or a decompressor would. */

import type { TraceEvent, TraceParser } from '../../src/trace/event.ts'

/** Lengths of pieces, used in turn; the last goes on for the rest. */
export function feed(
  parser: TraceParser,
  bytes: Uint8Array,
  lengths: readonly number[] = [bytes.length],
): TraceEvent[] {
  const events: TraceEvent[] = []
  let at = 0
  for (let k = 0; at < bytes.length; k++) {
    const length = lengths[k % lengths.length]!
    // A piece is copied and spoilt afterwards: what an event lends ends with the next push.
    const piece = bytes.slice(at, at + length)
    for (const event of parser.push(piece)) events.push(keep(event))
    piece.fill(0xee)
    at += length
  }
  for (const event of parser.end()) events.push(keep(event))
  return events
}

function keep(event: TraceEvent): TraceEvent {
  return event.data === undefined ? event : { ...event, data: event.data.slice() }
}
