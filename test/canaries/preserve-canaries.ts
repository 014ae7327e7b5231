/** Planted faults of views: what they show, their tables and locks, how they begin: S2-I1 to S2-I8. */

import {
  crash,
  drop,
  lost,
  passed,
  preserve,
  read,
  refused,
  session,
  volume,
  write,
} from '../support/given.ts'
import { type Canary, overwrite, plant } from './canary.ts'
import { at, created, preserved, syncing, table, view } from './views.ts'

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
    rule: 'G-I1',
    what: 'a view gets a number that is taken',
    past: preserved,
    fault: [plant(preserve('new'), created(2))],
    sound: [preserve('new')],
  },
  {
    rule: 'S2-I8',
    what: 'a write to a view goes where image 2 has no room',
    past: [volume('disk'), session(), preserve('view', 1, 2), write(1, { volume: 2, count: 2 })],
    fault: [plant(passed(write(2, { volume: 2, at: 5 })))],
    sound: [
      plant(refused(write(2, { volume: 2, at: 5 }), 'E_NOSPC'), passed(write(3, { volume: 2, at: 1 }))),
    ],
  },
]
