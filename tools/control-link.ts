/** Where control commands go: to a journal that is open here, or to the process that has it open. */

import type { CommandRoute, Done } from '../src/control/route.ts'

export interface ControlLink {
  /** What is left out of the input has its default. Throws USAGE, and what the route throws. */
  command<I>(route: CommandRoute<I>, input: Partial<I>, call?: LinkCall): Promise<Done>
}

export interface LinkCall {
  readonly key?: string | undefined
  readonly bytes?: Uint8Array
}
