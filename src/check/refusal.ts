/** A refused command is on record by its name, and leaves the state as it was before it was asked (G-I9). */

import { text } from '../events/detail.ts'
import { ioKinds, isInput } from '../events/kind.ts'
import { stateHashText } from '../volume/snapshot.ts'
import type { MakeCheck } from './check.ts'

const host: ReadonlySet<string> = new Set(ioKinds)

export const refusal: MakeCheck = (report) => {
  let asked = ''
  /** Undefined where nothing is going to be refused: a whole state costs too much to hash it for nothing. */
  let before: string | undefined
  return {
    rules: ['G-I9'],
    before(event, world, refused = true) {
      if (!isInput(event.kind) || host.has(event.kind)) return
      asked = event.kind
      before = refused ? stateHashText(world) : undefined
    },
    after(event, world) {
      if (event.kind !== 'command.refused') return
      const { seq } = event
      const named = text(event.detail, 'command')
      if (named !== asked) report({ seq, rule: 'G-I9', detail: `${named} is refused, ${asked} was asked` })
      if (before === undefined || stateHashText(world) === before) return
      report({ seq, rule: 'G-I9', detail: `${asked} is refused and yet changed the state` })
    },
  }
}
