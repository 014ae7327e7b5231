/** Planted faults of views beside other systems: restores of their base, backups, sessions sent to them. */

import { rebind } from '../support/asked.ts'
import { backup, copied, copyEnds, held, passed, queued, read, released, write } from '../support/given.ts'
import { type Canary, overwrite, plant } from './canary.ts'
import { at, preserved, rebound, restoring, syncing, view } from './views.ts'

export const rebindCanaries: readonly Canary[] = [
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
