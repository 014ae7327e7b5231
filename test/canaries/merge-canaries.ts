/** Planted faults at the end of views: merges and drops, S2-I9. */

import { drop, merge, passed, read, write } from '../support/given.ts'
import { type Canary, overwrite, plant } from './canary.ts'
import { at, dropped, finished, merged, merging, preserved, restoring, view } from './views.ts'

export const mergeCanaries: readonly Canary[] = [
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
    what: 'a volume is dropped that is no view',
    past: preserved,
    fault: [plant(drop(2), { ...dropped, volume: 2 })],
    sound: [drop(2)],
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
]
