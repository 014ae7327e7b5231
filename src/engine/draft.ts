/**
 * A frame from its first event to the moment it is durable. Two take turns:
 *
 *     filling: takes what is decided ── seal ──▶ sealed: being appended ── durable ──▶ empty, filled next
 *
 * A filling frame that is full takes nothing more: what is asked waits until it may be sealed.
 */

import type { FrameParts } from '../journal/frame.ts'
import type { Checkpoint } from '../journal/journal.ts'
import { Changes } from './changes.ts'
import { FrameBuilder } from './frame-builder.ts'

/** A frame takes no further input when it holds this many events, */
export const frameEvents = 1024
/** or inputs of it brought this many bytes. */
export const frameBytes = 16 * 2 ** 20

/** A frame on its way to the journal. */
export interface Sealed {
  readonly parts: FrameParts
  /** Resolves when its payload may be referred to. */
  readonly stored: Promise<void>
  /** The state after it, when a checkpoint is due. */
  readonly checkpoint: Omit<Checkpoint, 'frameHash'> | undefined
}

export class Draft {
  readonly builder: FrameBuilder
  readonly changes = new Changes()
  /** True when it holds a change: it has to be appended, and the state is ahead of the durable one until it is. */
  dirty = false
  /** Bytes of payload that its inputs brought. */
  bytes = 0

  /** @param first the sequence number of the first event. */
  constructor(first: number) {
    this.builder = new FrameBuilder(first)
  }

  get isFull(): boolean {
    return this.builder.count >= frameEvents || this.bytes >= frameBytes
  }

  /** Begins anew with event `first`. */
  restart(first: number): void {
    this.builder.restart(first)
    this.changes.clear()
    this.dirty = false
    this.bytes = 0
  }
}
