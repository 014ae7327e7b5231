/** What the folds of a fence demand of its events, said once. */

import { must } from '../core/assert.ts'
import type { Event } from '../events/columns.ts'
import type { Fence, Phase } from './fence-state.ts'

/** The phases an event may come in, and the rule it breaks in another. */
export function mustBe(fence: Fence, event: Event, rule: string, allowed: readonly Phase[]): void {
  const { name, phase } = fence
  must(allowed.includes(phase), rule, `${event.kind} of fence ${name} comes while it is ${phase}`)
}

/** A write, or zeros, with the place that says which. */
export function isWrite({ fate, op, payload }: Event): boolean {
  return fate === 'passed' && (payload === 0 ? op === 'zeroes' : op === 'write')
}

export function isWholeBlocks(fence: Fence, { offset, length }: Event): boolean {
  return length > 0 && offset % fence.block === 0 && length % fence.block === 0
}
