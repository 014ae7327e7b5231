/** The cells of the admission matrix that taps have: a tapped volume in each role, and what is to be tapped. */

import type { Mark } from '../../src/layers/layer.ts'
import { backup, preserve, restore, type Step, sync, write } from '../support/given.ts'
import { durable, raise } from '../support/given-fence.ts'
import { attach } from '../support/given-tap.ts'
import type { Cell, Role } from './fence-cells.ts'

/** Roles that a view has, or the clone of a pair: the tapped volume is another than 1. */
const places: Partial<Record<Role, number>> = {
  'sync-clone': 2,
  'restore-clone': 2,
  'restore-u-clone': 2,
  drop: 6,
  rebind: 6,
}

/** What comes before the tap in some roles. */
const before: Partial<Record<Role, readonly Step[]>> = {
  merge: [preserve('view', 1)],
  cancel: [restore('p')],
}

/** What comes behind it. */
const after: Partial<Record<Role, readonly Step[]>> = {
  fracture: [sync('p')],
}

/** Each row on a tapped volume, and the row `tap` on volumes with each mark. */
export function tapCells(roles: readonly Role[]): Cell[] {
  const whole = (of: number): Step[] => [raise({ volume: of }), durable]
  const partly = (of: number): Step[] => [raise({ volume: of, meta: [0], covered: [1] }), durable]
  const tapped = roles
    .filter((role) => !notTapped.some(([one]) => one === role))
    .map((role): Cell => {
      const on = places[role] ?? 1
      return { role, mark: 'tapped', on, past: [...(before[role] ?? []), attach(on), ...(after[role] ?? [])] }
    })
  const asked: readonly [Mark, number, readonly Step[], number?][] = [
    ['held', 1, [backup('b', [1])]],
    ['held-writes', 1, [backup('b', [1]), write(9)]],
    ['overlay-base', 1, [preserve('view', 1)]],
    ['overlay-view', 6, [preserve('view', 1)]],
    ['restore-source', 1, [restore('p')]],
    ['restore-clone', 2, [restore('p')]],
    ['restore-u-source', 1, [restore('p', false)]],
    ['restore-u-clone', 2, [restore('p', false)]],
    ['sync-source', 1, [sync('p')]],
    ['sync-clone', 2, [sync('p')]],
    ['fenced', 1, partly(1), 2],
    ['fenced-own', 1, partly(1), 1],
    ['fenced-own-full', 1, whole(1), 1],
  ]
  const row = asked.map(([mark, on, past, session]): Cell => {
    return { role: 'tap', mark, on, past, ...(session !== undefined && { session }) }
  })
  return [...tapped, ...row]
}

/** A view is never tapped, and `drop` and `rebind` are about views. */
export const notTapped: readonly [Role, Mark][] = [
  ['drop', 'tapped'],
  ['rebind', 'tapped'],
]
