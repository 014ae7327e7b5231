/**
 * The locks of views (S2-I6): tables and images of views change in no other event than one that holds their lock, in
 * the blocks of that lock, and exactly as the steps under it say. Events are folded one after the other, so no two
 * holders overlap; what is left to break is a change that no lock stands around.
 */

import type { Event } from '../events/columns.ts'
import { volumeOf, type World } from '../layers/layer.ts'
import { overlayOf, preservesOf } from '../layers/preserve-state.ts'
import { type LockStep, lockSteps } from '../volume/view-locks.ts'
import type { MakeCheck } from './check.ts'

/** One view as it was before an event. */
interface Before {
  readonly count: number
  readonly table: string
  readonly image: string
}

export const locking: MakeCheck = (report) => {
  const views = new Map<number, Before>()
  let steps: readonly LockStep[] = []

  const compare = (seq: number, view: number, before: Before, world: World) => {
    const { table } = overlayOf(world, view)!
    const own = steps.filter(({ name, volume }) => name.startsWith('table.') && volume === view)
    const grown = own.reduce((sum, { name, blocks }) => sum + (name === 'table.set' ? blocks : -blocks), 0)
    const asTold = own.every(({ name, block, blocks }) => {
      const bit = name === 'table.set'
      for (let b = block; b < block + blocks; b++) if (table.get(b) !== bit) return false
      return true
    })
    const now = look(view, world)
    const stored =
      own.length > 0 || steps.some(({ name, volume }) => name === 'image.stored' && volume === view)
    const loose = (own.length === 0 && now.table !== before.table) || (!stored && now.image !== before.image)
    if (asTold && !loose && now.count - before.count === grown) return
    report({ seq, rule: 'S2-I6', detail: `event ${seq} changes view ${view} outside the lock of its blocks` })
  }

  return {
    rules: ['S2-I6'],
    before(event: Event, world: World) {
      const { byView } = preservesOf(world)
      views.clear()
      if (byView.size === 0) return
      for (const view of byView.keys()) views.set(view, look(view, world))
      steps = event.fate === 'passed' && event.op !== 'flush' ? lockSteps(world, event) : []
    },
    after(event: Event, world: World) {
      for (const [view, before] of views) {
        if (overlayOf(world, view) !== undefined) compare(event.seq, view, before, world)
      }
    },
  }
}

function look(view: number, world: World): Before {
  const { table } = overlayOf(world, view)!
  const { map } = volumeOf(world, view)!
  return {
    count: table.count,
    table: `${table.hashLow} ${table.hashHigh}`,
    image: `${map.hashLow} ${map.hashHigh}`,
  }
}
