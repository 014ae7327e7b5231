/** A cell of the admission matrix as a test brings it about, and the cells of volumes with a fence. */

import type { Code } from '../../src/events/code.ts'
import type { Mark, Target } from '../../src/layers/layer.ts'
import { backup, copied, copyEnds, preserve, restore, type Step, sync, write } from '../support/given.ts'
import { durable, raise } from '../support/given-fence.ts'

export type Role = Target['role']

export interface Cell {
  readonly role: Role
  readonly mark: Mark
  /** The volume that has the mark, and that the command is about in that role. */
  readonly on: number
  readonly past: readonly Step[]
  /** Who asks: the owner of a fence is session 1. */
  readonly session?: number
  /** Where the layer refuses after the table let it pass. */
  readonly layer?: Code
}

/** Each row on a volume with a fence: of another, of the asker's own, partial and full. */
export function fenceCells(roles: readonly Role[]): Cell[] {
  const partly = (of: number): Step[] => [raise({ volume: of, meta: [0], covered: [1] }), durable]
  const whole = (of: number): Step[] => [raise({ volume: of }), durable]
  const on = (role: Role) =>
    role === 'sync-clone' || role === 'restore-clone' || role === 'restore-u-clone' ? 2 : 1
  const asked: readonly [Mark, number, readonly Step[]][] = [
    ['held', 1, [backup('b', [1])]],
    ['held-writes', 1, [backup('b', [1]), write(9)]],
    ['restore-source', 1, [restore('p')]],
    ['restore-clone', 2, [restore('p')]],
    ['restore-u-source', 1, [restore('p', false)]],
    ['restore-u-clone', 2, [restore('p', false)]],
    ['sync-source', 1, [sync('p')]],
    ['sync-clone', 2, [sync('p')]],
    ['overlay-base', 1, [preserve('view', 1)]],
    ['overlay-view', 6, [preserve('view', 1)]],
  ]
  const raised = asked.map(([mark, at, past]): Cell => ({ role: 'fence', mark, on: at, past }))
  const before: Partial<Record<Role, readonly Step[]>> = {
    fracture: [sync('p'), copied],
  }
  const unfenced: readonly Role[] = ['drop', 'merge', 'rebind', 'cancel']
  const others = roles
    .filter((role) => !unfenced.includes(role))
    .flatMap((role) => {
      const at = on(role)
      const following = before[role] ?? []
      const own = { role, on: at, session: 1 }
      return [
        { role, mark: 'fenced' as const, on: at, past: [...following, ...partly(at)], session: 2 },
        { ...own, mark: 'fenced-own' as const, past: [...following, ...partly(at)] },
        {
          ...own,
          mark: 'fenced-own-full' as const,
          past: [...following, ...whole(at)],
          ...(role === 'fence' && { layer: 'E_BUSY_FENCE' as const }),
        },
      ]
    })
  const own = { ...restore('p'), session: 1 }
  const behind: readonly Step[] = [...whole(1), own]
  const beside: readonly Step[] = [restore('p'), raise({ meta: [0], covered: [1] }), copyEnds(1, 0), durable]
  const cancels: readonly Cell[] = [
    { role: 'cancel', mark: 'fenced', on: 1, past: behind, session: 2 },
    { role: 'cancel', mark: 'fenced-own-full', on: 1, past: behind, session: 1 },
    { role: 'cancel', mark: 'fenced-own', on: 1, past: beside, session: 1 },
  ]
  return [...raised, ...others, ...cancels]
}
