/**
 * The journal port: an ordered, gapless, verified sequence of frames with one writer. Every adapter passes the
 * contract suite in test/journal/contract.ts.
 */

import type { Observable } from 'rxjs'
import type { Frame, FrameParts } from './frame.ts'

export interface Bounds {
  /** The first sequence number that is still there; last + 1 when nothing is. */
  readonly first: number
  /** The last durable sequence number; 0 when there is none. */
  readonly last: number
  readonly epoch: number
  /** Hash of the last frame; zeros when there is none. */
  readonly head: Uint8Array
}

export interface Checkpoint {
  /** The event the state is true after: the last one of a frame. */
  readonly seq: number
  readonly stateLow: number
  readonly stateHigh: number
  /** Hash of the frame that ends at `seq`. */
  readonly frameHash: Uint8Array
  readonly parts: readonly Uint8Array[]
}

export interface Journal {
  /** What was found and settled when the journal was opened, for people; empty when all was in order. */
  readonly remarks: readonly string[]
  /** Takes over as the only writer by appending an epoch frame; an earlier writer is stale from then on. */
  openWriter(id: string, nowNs: bigint): Promise<Writer>
  bounds(): Bounds
  /** Frames that hold events `from` to `to`, in order, verified against the chain, without a gap. */
  read(from: number, to?: number): AsyncIterable<Frame>
  /** The same in batches, as the store brings them. */
  batches(from: number, to?: number): AsyncIterable<Frame[]>
  /** The frame that begins with event `first`, verified by its own hash alone; undefined when none does. */
  frame(first: number): Frame | undefined
  /** The frames from `from` on, then each new one as it becomes durable: no gap, no duplicate. */
  follow(from: number): Observable<Frame>
  /** The newest checkpoint that verifies and is true at or before `seq`. */
  checkpoint(atOrBefore?: number): Promise<Checkpoint | undefined>
  /** Sequence numbers of the checkpoints that are there and do not verify: opening passes them over. */
  damagedCheckpoints(): Promise<readonly number[]>
  /** Gives up the frames in front of `seq`, at or below a durable checkpoint; chain, head and epoch stay. */
  truncateBefore(seq: number): Promise<void>
  close(): Promise<void>
}

export interface Writer {
  readonly epoch: number
  /**
   * Appends a frame whose first event is `expected`. Resolves when it is durable, with the frame as stored.
   * JOURNAL_STALE: not written, this writer is dead. Anything else: in doubt, settled by opening again.
   */
  append(parts: FrameParts, expected: number): Promise<Frame>
  /** Keeps a state as a checkpoint, durable when it resolves. */
  keep(checkpoint: Omit<Checkpoint, 'frameHash'>): Promise<void>
}

/** Bytes that must become durable together with the next frame: how a payload store shares the journal's batch. */
export interface Attachments {
  /** Takes what goes with the frame that is appended, as keys and values; the caller stores it. */
  drain(): readonly (readonly [Uint8Array, Uint8Array])[]
  /** What was drained last is durable. */
  stored(): void
}
