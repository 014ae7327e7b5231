/** What one may ask of the engine, and what it answers. */

import type { Code } from '../events/code.ts'
import type { Detail } from '../events/detail.ts'
import type { IoKind, Kind } from '../events/kind.ts'

/** A host request. Offsets and lengths are bytes; a write's length is that of its data. */
export interface IoAsk {
  readonly kind: IoKind
  readonly session: number
  readonly volume: number
  readonly offset?: number
  readonly length?: number
  /** The host's own number of the request, below 2^32. */
  readonly request?: number
  /** Bits of `flag` in src/events/kind.ts. */
  readonly flags?: number
  /** For io.write: taken over by the engine, not to be changed until the answer. */
  readonly data?: Uint8Array
}

/** A control command, a mark or a report. */
export interface CommandAsk {
  readonly kind: Exclude<Kind, IoKind>
  readonly session?: number
  readonly request?: number
  readonly volume?: number
  readonly tag?: number
  readonly offset?: number
  readonly length?: number
  readonly about?: number
  readonly code?: Code
  readonly detail?: Detail
}

export type Ask = IoAsk | CommandAsk

export interface Answer {
  /** ok, or why it was refused, dropped or lost. */
  readonly code: Code
  /** Sequence number of the input. */
  readonly seq: number
  /** What a read returned. */
  readonly data?: Uint8Array
  /** Number of the session, volume, backup or pair that a command made; 0 otherwise. */
  readonly made: number
}
