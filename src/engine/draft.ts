/**
 * A frame from its first event to the moment it is durable. Two take turns:
 *
 *     filling: takes what is decided ── seal ──▶ sealed: being appended ── durable ──▶ empty, filled next
 *
 * A filling frame that is full takes nothing more: what is asked waits until it may be sealed.
 */

import type { Event } from '../events/columns.ts'
import { changes, flag } from '../events/kind.ts'
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
  /** True when somebody waits for it, and not only the background has something in it. */
  urgent = false
  /** Changes by hosts. */
  writes = 0
  /** Bytes of payload that its inputs brought. */
  bytes = 0

  /** @param first the sequence number of the first event. */
  constructor(first: number) {
    this.builder = new FrameBuilder(first)
  }

  get isFull(): boolean {
    return this.builder.count >= frameEvents || this.bytes >= frameBytes
  }

  /** It took an event that has to be durable. */
  took(event: Event): void {
    this.dirty = true
    if (!isBackground(event)) this.urgent = true
    if (event.session > 0 && changes(event.op)) this.writes++
  }

  /** Begins anew with event `first`. */
  restart(first: number): void {
    this.builder.restart(first)
    this.changes.clear()
    this.dirty = false
    this.urgent = false
    this.writes = 0
    this.bytes = 0
  }
}

/** True for what nobody waits for: a copy that brought bytes from outside, and the start of one that no host asked for. */
function isBackground({ kind, code, flags, digestHigh, digestLow }: Event): boolean {
  if (kind === 'copy.report') return code === 'ok' && digestHigh + digestLow > 0
  return kind === 'copy.started' && (flags & flag.demand) === 0
}
