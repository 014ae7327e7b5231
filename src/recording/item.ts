/** What a recording is made of behind its header, whichever of the two forms it is stored in. */

import type { Row } from '../events/columns.ts'
import type { Frame } from '../journal/frame.ts'
import type { Checkpoint } from '../journal/journal.ts'

/** No payload is longer: it is what one request may carry. */
export const maxPayloadBytes = 64 * 2 ** 20

/** Content made from numbers, for writes that came without any (src/core/prng.ts). The offset is that of the write. */
export interface Synthetic {
  readonly seed: number
  readonly volume: number
  readonly version: number
}

/** The payload of one input. */
export interface RecordedPayload {
  readonly seq: number
  readonly place: number
  readonly length: number
  /** SHA-256. */
  readonly digest: Uint8Array
  /** Undefined: the recording holds the digest alone. */
  readonly data: Uint8Array | undefined
  /** How the same bytes can be made. */
  readonly synthetic?: Synthetic
}

export type RecordingItem =
  /** The state before the first frame, for a range that does not begin with event 1. */
  | { readonly is: 'checkpoint'; readonly checkpoint: Checkpoint }
  | { readonly is: 'frame'; readonly frame: Frame; readonly payloads: readonly RecordedPayload[] }
  /** One entry of a recording that holds only some; `row` stands on its input. */
  | { readonly is: 'entry'; readonly instantNs: bigint; readonly row: Row }
  | { readonly is: 'end'; readonly end: RecordingEnd }

/** What was counted while the recording was written: without it the end is missing. */
export interface RecordingEnd {
  readonly frames: number
  readonly events: number
  /** Payloads whose bytes are there, and how many those are. */
  readonly payloads: number
  readonly payloadBytes: number
  /** Hash of the last frame; the header's `previous` when there is none. */
  readonly head: Uint8Array
}

/** Adds up what a recording holds, the same in its writer and its reader. */
export class Counted {
  frames = 0
  events = 0
  payloads = 0
  payloadBytes = 0
  head: Uint8Array

  constructor(previous: Uint8Array) {
    this.head = previous
  }

  payload({ data, length }: RecordedPayload): void {
    if (data === undefined) return
    this.payloads++
    this.payloadBytes += length
  }

  frame(frame: Frame, events: number): void {
    this.frames++
    this.events += events
    this.head = frame.hash.slice()
  }

  end(): RecordingEnd {
    const { frames, events, payloads, payloadBytes, head } = this
    return { frames, events, payloads, payloadBytes, head }
  }
}

/** How two ends differ, in words; undefined when they do not. */
export function endFault(said: RecordingEnd, found: RecordingEnd): string | undefined {
  for (const name of ['frames', 'events', 'payloads', 'payloadBytes'] as const) {
    if (said[name] !== found[name]) return `the end says ${said[name]} ${name}, there are ${found[name]}`
  }
  return undefined
}
