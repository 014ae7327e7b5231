/** Planted faults of views: S2, and what X-I2 and X-I8 say of them. */

import type { NewEvent } from '../../src/events/columns.ts'
import { overlayOf } from '../../src/layers/preserve-state.ts'
import {
  backup,
  block,
  cloned,
  copied,
  copyEnds,
  crash,
  drop,
  held,
  lost,
  merge,
  passed,
  preserve,
  queued,
  read,
  rebind,
  released,
  restore,
  type Step,
  session,
  sync,
  volume,
  write,
} from '../support/given.ts'
import { type Canary, overwrite, plant } from './canary.ts'

const view = 3
const at = (blocks: number, rest: object = {}) => ({ at: blocks, volume: view, ...rest })
/** Volume 3 is a view of 1; block 1 is its own. */
const preserved: readonly Step[] = [
  volume('disk'),
  volume('other'),
  session(),
  session('two'),
  write(1, { count: 16 }),
  preserve('view'),
  write(2, at(1)),
]
const syncing: readonly Step[] = [...cloned, write(1, { count: 16 }), preserve('view'), sync('p')]
const restoring: readonly Step[] = [...cloned, write(1, { count: 16 }), restore('p'), preserve('view')]

const created = (id: number, base = 1): NewEvent => {
  return { kind: 'preserve.created', volume: id, detail: { name: 'new', base } }
}
const dropped = { kind: 'preserve.dropped', volume: view } as const
const merging = (blocks: number) => ({ kind: 'merge.started', volume: view, detail: { blocks } }) as const
const finished = { kind: 'merge.finished', volume: view } as const
const merged = (first: number, payload: number, fields: Partial<NewEvent> = {}): NewEvent => {
  const range = { offset: first * block, length: block }
  return { kind: 'merge.block', volume: 1, op: 'write', fate: 'passed', ...range, payload, ...fields }
}
const rebound = (of = 1, from = 1, to = view) =>
  ({ kind: 'session.rebound', session: of, detail: { from, to } }) as const

/** Lets a table do something else than it is told. */
function table(change: (map: { set(b: number): boolean; clear(b: number): boolean }) => void): Step {
  return ({ world }) => change(overlayOf(world, view)!.table)
}

/** Views: S2. */
export const preserveCanaries: readonly Canary[] = [
  {
    rule: 'S2-I1',
    what: 'a view is not there at the end of the entry that asks for it',
    past: preserved,
    fault: [plant(preserve('new')), read(3)],
    sound: [preserve('new'), read(3)],
  },
  {
    rule: 'S2-I1',
    what: 'a view comes in an entry that asks for something else',
    past: preserved,
    fault: [plant(drop(9), created(4))],
    sound: [drop(9), preserve('new')],
  },
  {
    rule: 'S2-I1',
    what: 'a request on its way is ended by the creation of a view',
    past: [...syncing, write(2)],
    fault: [plant(preserve('new'), lost(write(2), 'E_CRASH'), created(4))],
    sound: [preserve('new')],
  },
  {
    rule: 'S2-I2',
    what: 'image 2 holds a block that the table gives to the base',
    past: preserved,
    fault: [overwrite(view, 5, 4711), read(3, at(5))],
    sound: [read(3, at(5))],
  },
  {
    rule: 'S2-I3',
    what: 'a read of a view finds another image than the last write went to',
    past: preserved,
    fault: [table((map) => void map.clear(1)), read(3, at(1))],
    sound: [read(3, at(1))],
  },
  {
    rule: 'S2-I3',
    what: 'a view lost a write to it',
    past: preserved,
    fault: [overwrite(view, 1, 4711)],
    sound: [],
  },
  {
    rule: 'S2-I4',
    what: 'a write to a view reaches image 1',
    past: preserved,
    fault: [
      ({ world: { volumes } }) => {
        volumes[view - 1] = { ...volumes[view - 1]!, map: volumes[0]!.map }
      },
      write(3, at(2)),
    ],
    sound: [write(3, at(2))],
  },
  {
    rule: 'S2-I4',
    what: 'a read of the base finds what no write to it left there',
    past: preserved,
    fault: [overwrite(1, 1, 2000), read(3, { at: 1 })],
    sound: [read(3, { at: 1 })],
  },
  {
    rule: 'S2-I5',
    what: 'a write to the base leaves its block in the table',
    past: preserved,
    fault: [
      table((map) => {
        map.clear = () => false
      }),
      write(3, { at: 1 }),
    ],
    sound: [write(3, { at: 1 })],
  },
  {
    rule: 'S2-I5',
    what: 'a write to a view leaves its block out of the table',
    past: preserved,
    fault: [
      table((map) => {
        map.set = () => false
      }),
      write(3, at(2)),
    ],
    sound: [write(3, at(2))],
  },
  {
    rule: 'S2-I6',
    what: 'a table changes beside the blocks that are locked',
    past: preserved,
    fault: [
      table((map) => {
        const set = map.set.bind(map)
        map.set = (b) => set(b) || set(b + 1)
      }),
      write(3, at(1, { count: 2 })),
    ],
    sound: [write(3, at(1, { count: 2 }))],
  },
  {
    rule: 'S2-I7',
    what: 'a view does not show what a process of before wrote to the base',
    past: preserved,
    fault: [
      table((map) => {
        map.clear = () => false
      }),
      write(3, { at: 1 }),
    ],
    sound: [write(3, { at: 1 }), read(4, at(1))],
  },
  {
    rule: 'S2-I8',
    what: 'a crash between table and store leaves the one without the other',
    past: [...preserved, { kind: 'engine.started', detail: { writer: 'w', epoch: 1, program: 'p' } }],
    fault: [table((map) => void map.clear(1)), { kind: 'engine.recover' }],
    sound: [{ kind: 'engine.recover' }],
  },
  {
    rule: 'S2-I8',
    what: 'image 2 holds a block after a crash that was never in its table',
    past: preserved,
    fault: [overwrite(view, 5, 4711), crash],
    sound: [crash],
  },
  {
    rule: 'S2-I9',
    what: 'a view is dropped while it is merged',
    past: preserved,
    fault: [plant(merge(view), merging(1), dropped)],
    sound: [plant(merge(view), merging(1), merged(1, 2000), finished)],
  },
  {
    rule: 'S2-I9',
    what: 'a drop changes the base',
    past: preserved,
    fault: [overwrite(1, 1, 2000), drop(view)],
    sound: [drop(view)],
  },
  {
    rule: 'S2-I9',
    what: 'a merge leaves the base another than the view was',
    past: preserved,
    fault: [overwrite(1, 5, 4711), merge(view)],
    sound: [merge(view)],
  },
  {
    rule: 'S2-I9',
    what: 'two merges run on one base',
    past: preserved,
    fault: [plant(merge(view), merging(1), merging(1))],
    sound: [merge(view)],
  },
  {
    rule: 'S2-I9',
    what: 'a merge begins with another table than it says',
    past: preserved,
    fault: [plant(merge(view), merging(2))],
    sound: [merge(view)],
  },
  {
    rule: 'S2-I9',
    what: 'a block is merged though no merge runs',
    past: preserved,
    fault: [plant(read(3), merged(1, 2000))],
    sound: [read(3)],
  },
  {
    rule: 'S2-I9',
    what: 'less than a block is merged',
    past: preserved,
    fault: [plant(merge(view), merging(1), merged(1, 2000, { length: 512 }))],
    sound: [merge(view)],
  },
  {
    rule: 'S2-I9',
    what: 'a merged block takes no effect',
    past: preserved,
    fault: [plant(merge(view), merging(1), merged(1, 2000, { fate: 'queued' }))],
    sound: [merge(view)],
  },
  {
    rule: 'S2-I9',
    what: 'a block is merged that the view shares',
    past: preserved,
    fault: [plant(merge(view), merging(1), merged(2, 1016))],
    sound: [merge(view)],
  },
  {
    rule: 'S2-I9',
    what: 'a block is merged with other content',
    past: preserved,
    fault: [plant(merge(view), merging(1), merged(1, 0, { op: 'zeroes' }))],
    sound: [merge(view)],
  },
  {
    rule: 'S2-I9',
    what: 'a merge ends that never began',
    past: preserved,
    fault: [plant(merge(view), finished)],
    sound: [merge(view)],
  },
  {
    rule: 'S2-I9',
    what: 'a merge ends with blocks left',
    past: preserved,
    fault: [plant(merge(view), merging(1), finished)],
    sound: [merge(view)],
  },
  {
    rule: 'G-I9',
    what: 'a view of a volume that is not there',
    past: preserved,
    fault: [plant(preserve('new', 9), created(4, 9))],
    sound: [preserve('new', 9)],
  },
  {
    rule: 'G-I9',
    what: 'a view of a view',
    past: preserved,
    fault: [plant(preserve('new', view), created(4, view))],
    sound: [preserve('new', view)],
  },
  {
    rule: 'G-I9',
    what: 'a volume is dropped that is no view',
    past: preserved,
    fault: [plant(drop(2), { ...dropped, volume: 2 })],
    sound: [drop(2)],
  },
  {
    rule: 'G-I1',
    what: 'a view gets a number that is taken',
    past: preserved,
    fault: [plant(preserve('new'), created(2))],
    sound: [preserve('new')],
  },
  {
    rule: 'G-I2',
    what: 'a view ends while somebody waits for it',
    past: [...restoring, read(2, at(9))],
    fault: [plant(drop(view), dropped)],
    sound: [drop(view)],
  },
  {
    rule: 'G-I2',
    what: 'a request to a view that is no more',
    past: [...preserved, drop(view)],
    fault: [plant(passed(write(3, at(1))))],
    sound: [write(3, at(1))],
  },
  {
    rule: 'S1-I2',
    what: 'a base is not held with its view',
    past: [...preserved, backup('b', [view])],
    fault: [plant(passed(write(3)))],
    sound: [plant(held(write(3)))],
  },
  {
    rule: 'S1-I4',
    what: 'a rebound session has its younger held write first',
    past: [...preserved, backup('b'), write(3), write(4, { at: 2 })],
    fault: [plant(rebind(view), rebound(), { ...released(write(4, { at: 2 })), volume: view })],
    sound: [rebind(view)],
  },
  {
    rule: 'S1-I4',
    what: 'a held write goes to a view though its session was not rebound',
    past: [...preserved, backup('b'), write(3)],
    fault: [plant(rebind(view, { session: 2 }), rebound(2), { ...released(write(3)), volume: view })],
    sound: [rebind(view)],
  },
  {
    rule: 'G-I9',
    what: 'a session is rebound that is not open',
    past: preserved,
    fault: [plant(rebind(view, { session: 9 }), rebound(9))],
    sound: [rebind(view, { session: 9 })],
  },
  {
    rule: 'G-I9',
    what: 'a session is rebound to a volume that is no view of the other',
    past: preserved,
    fault: [plant(rebind(2), rebound(1, 1, 2))],
    sound: [rebind(2)],
  },
  {
    rule: 'X-I2',
    what: 'a view read during a restore of its base finds neither the clone nor a later write',
    past: restoring,
    fault: [overwrite(2, 9, 4711), read(2, at(9)), copyEnds(1, 2)],
    sound: [read(2, at(9)), copyEnds(1, 2)],
  },
  {
    rule: 'S3-I3',
    what: 'a read of a view goes past the gate of its base',
    past: restoring,
    fault: [plant({ ...read(2, at(15)), fate: 'passed' })],
    sound: [read(2, at(15)), copied],
  },
  {
    rule: 'S3-I8',
    what: 'a read of a view waits for an extent it has blocks of its own in',
    past: [...restoring, write(2, at(9))],
    fault: [plant(queued(read(3, at(9))))],
    sound: [plant(passed(read(3, at(9))))],
  },
  {
    rule: 'X-I8',
    what: 'a session is rebound with a write on its way to the base',
    past: [...syncing, write(2)],
    fault: [plant(rebind(view), rebound())],
    sound: [rebind(view)],
  },
  {
    rule: 'X-I8',
    what: 'a write of a rebound session reaches the base',
    past: [...preserved, rebind(view)],
    fault: [plant(passed(write(3)))],
    sound: [write(3)],
  },
]
