/** What waits in the inbox of an engine to be decided. */

import type { World } from '../layers/layer.ts'
import type { Ask } from './ask.ts'
import type { Asker } from './replies.ts'

/** What a state has to be like for an ask to be decided in it. */
export type Condition = (world: World) => boolean

/** An ask that waits to be decided, and whom to tell. */
export interface Waiting extends Asker {
  readonly ask: Ask
  readonly when: Condition | undefined
  readonly arrivedNs: bigint
}
