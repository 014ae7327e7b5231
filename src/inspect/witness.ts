/**
 * A witness: one question about a history, told of its events in order. What it needs of the state it looks up while
 * the event is being folded; what it found it says afterwards.
 *
 *     frame ─▶ durable (of the frame before) ─▶ each event: before ─▶ (folded) ─▶ after
 *
 * Instants are nanoseconds since the first frame of the history, so that they are exact in a number.
 */

import type { Event } from '../events/columns.ts'
import type { World } from '../layers/layer.ts'

export interface Witness {
  /** Told of an event with the state before it. Copy fields, never keep the event. */
  before?(event: Event, world: World, at: number): void
  /** And with the state after it. */
  after?(event: Event, world: World, at: number): void
  /** For questions that need no state: cheaper when nobody needs it. */
  see?(event: Event, at: number): void
  /** Every event up to `seq` is durable since `at`. Not told where it was not recorded. */
  durable?(seq: number, at: number): void
}

/** An event and when it was. */
export interface Moment {
  readonly seq: number
  readonly at: number
}
