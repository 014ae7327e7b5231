/**
 * The line form of a recording, `.trace.jsonl`: JSON objects, one a line, for reading and for git.
 *
 *     header ─▶ [checkpoint ─▶ its parts] ─▶ frame ─▶ its entries, one a line ─▶ frame ... ─▶ end
 *
 * It says everything that the frames hold, so that a reader makes the same frames of it again, byte for byte, and the
 * hash in the line of a frame finds any change. The same recording always gives the same text.
 */

import { hex } from '../core/digest.ts'
import { lanesText } from '../core/lanes.ts'
import type { Row } from '../events/columns.ts'
import type { Frame } from '../journal/frame.ts'
import type { Checkpoint } from '../journal/journal.ts'
import { eventObject } from './event-json.ts'
import type { RecordedPayload, RecordingEnd } from './item.ts'

/** The line of a checkpoint and those of its parts. */
export function checkpointLines({ seq, stateLow, stateHigh, frameHash, parts }: Checkpoint): string[] {
  const state = lanesText(stateLow, stateHigh)
  const head = { seq, state, frame_hash: hex(frameHash), parts: parts.length }
  return [
    JSON.stringify({ checkpoint: head }),
    ...parts.map((part) => JSON.stringify({ part: base64(part) })),
  ]
}

/** The line of a frame and those of its entries. */
export function frameLines(frame: Frame, row: Row, payloads: readonly RecordedPayload[]): string[] {
  const { first, count: events, epoch, instantNs, durableNs, replied, flags, stateLow, stateHigh } = frame
  const head = {
    first,
    events,
    epoch,
    instant: String(instantNs),
    ...(durableNs !== 0n && { durable: String(durableNs) }),
    ...(replied !== 0 && { replied }),
    ...(flags !== 0 && { flags }),
    ...((stateLow !== 0 || stateHigh !== 0) && { state: lanesText(stateLow, stateHigh) }),
    hash: hex(frame.hash),
  }
  return [JSON.stringify({ frame: head }), ...entryLines(row, payloads)]
}

/** The lines of those entries of a frame that are wanted, under a line that says where they come from. */
export function selectedLines(
  frame: Frame,
  row: Row,
  payloads: readonly RecordedPayload[],
  wanted: (entry: number) => boolean,
): string[] {
  const { first, count: events, epoch, instantNs } = frame
  const head = { first, events, epoch, instant: String(instantNs) }
  const lines = entryLines(row, payloads, wanted)
  return lines.length === 0 ? [] : [JSON.stringify({ frame: head }), ...lines]
}

export function endLine({ frames, events, payloads, payloadBytes, head }: RecordingEnd): string {
  return JSON.stringify({ end: { frames, events, payloads, payload_bytes: payloadBytes, head: hex(head) } })
}

/** @param wanted asked with the row of each entry's input. */
function entryLines(
  row: Row,
  payloads: readonly RecordedPayload[],
  wanted: (entry: number) => boolean = () => true,
): string[] {
  const { count } = row.columns
  const bySeq = new Map(payloads.map((payload) => [payload.seq, payload]))
  const lines: string[] = []
  for (row.index = 0; row.index < count; ) {
    const start = row.index
    const entry = eventObject(row, bySeq.get(row.seq))
    const outcomes: unknown[] = []
    for (row.index++; row.index < count && !row.isInput; row.index++) {
      outcomes.push(eventObject(row, bySeq.get(row.seq)))
    }
    if (!wanted(start)) continue
    lines.push(JSON.stringify(outcomes.length === 0 ? entry : { ...entry, outcomes }))
  }
  return lines
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}
