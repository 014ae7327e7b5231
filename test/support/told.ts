/** A history told to witnesses: event n happens n microseconds after the beginning, and is durable half of one later. */

import type { Check } from '../../src/check/check.ts'
import type { Witness } from '../../src/inspect/witness.ts'
import type { Step } from './given.ts'
import { History } from './history.ts'

/** Enters the steps and tells the witnesses of every event. */
export function told(steps: readonly Step[], ...witnesses: readonly Witness[]): History {
  const check: Check = {
    rules: [],
    before(event, world) {
      for (const witness of witnesses) {
        witness.see?.(event, event.seq * 1000)
        witness.before?.(event, world, event.seq * 1000)
      }
    },
    after(event, world) {
      for (const witness of witnesses) witness.after?.(event, world, event.seq * 1000)
    },
  }
  const history = new History(check)
  for (const step of steps) {
    if (typeof step === 'function') step(history)
    else history.enter(step)
    const { last } = history.ledger
    for (const witness of witnesses) witness.durable?.(last, last * 1000 + 500)
  }
  return history
}
