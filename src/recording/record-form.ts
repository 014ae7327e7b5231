/**
 * The compact form of a recording, `.trace`: records that hold the frames of the journal byte for byte, with their
 * chain, and the payloads in front of the frame that refers to them. Layout: traces/README.md.
 *
 *     at   bytes  what                          in a record
 *     0    4      four letters: its kind        HEAD CKPT PAYL FRAM ENDS
 *     4    4      zero
 *     8    4      bytes of the body
 *     12   4      CRC-32 of bytes 0 to 11 and of the body
 *     16   ...    body
 */

import { crc32 } from 'node:zlib'
import { Packr } from 'msgpackr'
import { hex } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import type { Frame } from '../journal/frame.ts'
import type { Checkpoint } from '../journal/journal.ts'
import { headerJson, type RecordingHeader } from './header.ts'
import type { RecordedPayload, RecordingEnd } from './item.ts'

export const recordHeaderBytes = 16
export const recordKinds = ['HEAD', 'CKPT', 'PAYL', 'FRAM', 'ENDS'] as const
export type RecordKind = (typeof recordKinds)[number]

/** No body of a record is longer. */
export const maxBodyBytes = 2 ** 30 + 2 ** 16

const packr = new Packr({ useRecords: false })

/** What a compact recording begins with. */
export const recordMagic = new TextEncoder().encode('HEAD')

export function headerRecord(header: RecordingHeader): Uint8Array {
  return record('HEAD', new TextEncoder().encode(headerJson(header)))
}

/** MessagePack `[seq, low lane, high lane, hash of the frame, [part, ...]]`. */
export function checkpointRecord({ seq, stateLow, stateHigh, frameHash, parts }: Checkpoint): Uint8Array {
  return record('CKPT', packr.pack([seq, stateLow, stateHigh, frameHash, parts]))
}

/** The place as a 64-bit float, then the bytes. */
export function payloadRecord({ place, data }: RecordedPayload): Uint8Array {
  const body = new Uint8Array(8 + data!.length)
  new DataView(body.buffer).setFloat64(0, place, true)
  body.set(data!, 8)
  return record('PAYL', body)
}

export function frameRecord(frame: Frame): Uint8Array {
  return record('FRAM', frame.bytes)
}

export function endRecord({ frames, events, payloads, payloadBytes, head }: RecordingEnd): Uint8Array {
  const end = { frames, events, payloads, payload_bytes: payloadBytes, head: hex(head) }
  return record('ENDS', new TextEncoder().encode(JSON.stringify(end)))
}

function record(kind: RecordKind, body: Uint8Array): Uint8Array {
  if (body.length > maxBodyBytes) {
    throw new BlockboxError('USAGE', `a record of ${body.length} bytes is more than a recording may hold`)
  }
  const bytes = new Uint8Array(recordHeaderBytes + body.length)
  const view = new DataView(bytes.buffer)
  bytes.set(new TextEncoder().encode(kind), 0)
  view.setUint32(8, body.length, true)
  bytes.set(body, recordHeaderBytes)
  view.setUint32(12, sumOf(bytes), true)
  return bytes
}

/** The sum of a whole record, as it stands in its header. */
export function sumOf(bytes: Uint8Array): number {
  return crc32(bytes.subarray(recordHeaderBytes), crc32(bytes.subarray(0, 12)))
}
