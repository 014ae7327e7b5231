/**
 * The life of views: one is created in the entry that asks for it, which does nothing else to anybody (S2-I1); and a
 * crash leaves tables and images as they were, each block of image 2 in its table (S2-I8).
 */

import { lanesText } from '../core/lanes.ts'
import { isInput, type Kind } from '../events/kind.ts'
import { volumeOf, type World } from '../layers/layer.ts'
import { preservesOf } from '../layers/preserve-state.ts'
import type { MakeCheck } from './check.ts'

/** How a command for a view may end; that its key is remembered does nothing to anybody. */
const answers: ReadonlySet<Kind> = new Set<Kind>(['preserve.created', 'command.refused', 'command.repeated'])

export const viewLife: MakeCheck = (report) => {
  let asked: Kind | undefined
  let outcomes = 0
  /** By view, table and image when the process ended. */
  let kept: ReadonlyMap<number, string> | undefined

  const answered = (seq: number) => {
    if (asked !== 'preserve.create' || outcomes === 1) return
    report({ seq, rule: 'S2-I1', detail: `the view asked for is not there at the end of its entry` })
  }

  const whole = (seq: number, world: World) => {
    for (const { view, table } of preservesOf(world).byView.values()) {
      const { map, size, block } = volumeOf(world, view)!
      map.eachMapped(0, size / block, (at) => {
        if (table.get(at)) return
        const detail = `image 2 of view ${view} holds block ${at}, which its table lacks after a crash`
        report({ seq, rule: 'S2-I8', detail })
      })
    }
  }

  return {
    rules: ['S2-I1', 'S2-I8'],
    before(event, world) {
      const { seq, kind } = event
      if (isInput(kind)) {
        answered(seq)
        asked = kind
        outcomes = 0
      } else if (kind !== 'command.keyed' && (asked === 'preserve.create' || kind === 'preserve.created')) {
        outcomes++
        const itself = answers.has(kind)
        if (asked !== 'preserve.create' || !itself || outcomes > 1) {
          const detail = `${kind} happens as a view is created: its creation waits for nobody and delays nobody`
          report({ seq, rule: 'S2-I1', detail })
        }
      }
      if (kind === 'engine.started') kept = stateOf(world)
    },
    after(event, world) {
      if (event.kind !== 'engine.recovered' || kept === undefined) return
      const now = stateOf(world)
      for (const [view, state] of kept) {
        if (now.get(view) === state) continue
        const detail = `view ${view} is not after the crash what it was before`
        report({ seq: event.seq, rule: 'S2-I8', detail })
      }
      kept = undefined
      whole(event.seq, world)
    },
    end(world) {
      answered(world.seq)
    },
  }
}

function stateOf(world: World): Map<number, string> {
  const views = new Map<number, string>()
  for (const { view, table } of preservesOf(world).byView.values()) {
    const { map } = volumeOf(world, view)!
    views.set(view, lanesText(table.hashLow, table.hashHigh) + lanesText(map.hashLow, map.hashHigh))
  }
  return views
}
