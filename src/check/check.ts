/** Checks: properties of whole histories, one file each, told of every event before and after it is folded. */

import type { Event } from '../events/columns.ts'
import type { World } from '../layers/layer.ts'

export interface Finding {
  /** The first sequence number at which the history breaks the rule. */
  readonly seq: number
  readonly rule: string
  readonly detail: string
}

export interface Check {
  /** The rules it can report. */
  readonly rules: readonly string[]
  /**
   * The world as it is before the event is folded.
   * @param refused false where the record shows that the event is no command that is refused.
   */
  before?(event: Event, world: World, refused?: boolean): void
  /** The world as it is after it. */
  after?(event: Event, world: World): void
  /** The end of the history. */
  end?(world: World): void
}

export type MakeCheck = (report: (finding: Finding) => void) => Check
