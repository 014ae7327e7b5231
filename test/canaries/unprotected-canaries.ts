/** Planted faults of restores that write their clone, that are cancelled, and whose clone lives outside: S3 and S4. */

import { cancel, outsidePair } from '../support/asked.ts'
import {
  block,
  cloned,
  copied,
  copyEnds,
  passed,
  queued,
  read,
  refused,
  restore,
  type Step,
  session,
  volume,
  write,
} from '../support/given.ts'
import { reportsOf } from '../support/history.ts'
import { type Canary, copyStarts, mark, overwrite, plant } from './canary.ts'

/** The source differs from its clone in the extents 0 and 1 of 4. */
const changed: readonly Step[] = [...cloned, write(1, { count: 8 })]
const restoring = [...changed, restore('p', false)]
const outer: readonly Step[] = [volume('disk'), session(), write(1, { count: 16 }), outsidePair('p')]
const bringing = [...outer, restore('p')]
const again = [...bringing, copied, write(2), restore('p')]
const recover = { kind: 'engine.recover' } as const
const starts = { kind: 'engine.started', detail: { writer: 'w', epoch: 1, program: 'p' } } as const
const recovered = { kind: 'engine.recovered', detail: { dropped: 0, lost: 0 } } as const
const resumed = (count: number) => ({ kind: 'restore.resumed', tag: 1, detail: { count } }) as const
const cancelled = { kind: 'restore.cancelled', tag: 1, detail: { mixedExtents: 0 } } as const
const ends = (isProtected: boolean) =>
  ({
    kind: 'restore.completed',
    tag: 1,
    detail: { protected: isProtected, prmCount: 0, cdmHash: '' },
  }) as const

/** Extent 0 comes again from the clone outside, with other bytes than the first time. */
const changedOutside: Step = (history) => {
  history.enter({ ...reportsOf(history.world)[0]!, digestLow: 99 })
}

export const unprotectedCanaries: readonly Canary[] = [
  {
    rule: 'S3-I1',
    what: 'unprotected, a read finds what was there before',
    past: restoring,
    fault: [overwrite(1, 9, 5), read(3, { at: 9 })],
    sound: [read(3, { at: 9 })],
  },
  {
    rule: 'S3-I2',
    what: 'unprotected, an extent is copied that does not differ',
    past: restoring,
    fault: [plant(copyStarts(1, 3))],
    sound: [],
  },
  {
    rule: 'S3-I3',
    what: 'unprotected, a write passes an extent during its copy',
    past: restoring,
    fault: [plant(passed(write(2, { count: 4 })))],
    sound: [plant(queued(write(2, { count: 4 }))), copied],
  },
  {
    rule: 'S3-I4',
    what: 'unprotected, a partial write passes an extent that needs its copy',
    past: restoring,
    fault: [starts, plant(recover, resumed(2), recovered, passed(write(2)))],
    sound: [starts, plant(recover, resumed(2), recovered, passed(write(2, { count: 4 })))],
  },
  {
    rule: 'S3-I9',
    what: 'unprotected, the clone lacks a write to the source',
    past: restoring,
    fault: [overwrite(2, 12, 5), write(2, { at: 13 }), overwrite(2, 13, 5), read(3, { at: 13 })],
    sound: [write(2, { at: 13 }), read(3, { at: 13 })],
  },
  {
    rule: 'S3-I11',
    what: 'unprotected, a write reaches the clone alone',
    past: restoring,
    fault: [plant(passed(write(2, { at: 12, volume: 2 })))],
    sound: [plant(refused(write(2, { at: 12, volume: 2 }), 'E_BUSY_RESTORE'))],
  },
  {
    rule: 'S3-I12',
    what: 'unprotected, a restore ends with sides that differ',
    past: [...restoring, copyEnds(1, 0)],
    fault: [overwrite(2, 12, 5), copied],
    sound: [copied],
  },
  {
    rule: 'S3-I12',
    what: 'a restore is cancelled while copies run',
    past: [...restoring, cancel('p')],
    fault: [plant(cancelled)],
    sound: [copied],
  },
  {
    rule: 'S3-I17',
    what: 'unprotected, a resume counts other extents than are needed',
    past: [...restoring, copyEnds(1, 0)],
    fault: [starts, plant(recover, resumed(2), recovered)],
    sound: [starts, plant(recover, resumed(1), recovered)],
  },
  {
    rule: 'S4-I5',
    what: 'an unprotected restore ends as a protected one',
    past: restoring,
    fault: [copyEnds(1, 0), mark(1, false), starts, plant(recover, resumed(0), recovered, ends(true))],
    sound: [copied],
  },
  {
    rule: 'S3-I1',
    what: 'a read of what came from outside finds something else',
    past: [...bringing, copyEnds(1, 0)],
    fault: [overwrite(1, 1, 5), read(3, { at: 1 })],
    sound: [read(3, { at: 1 })],
  },
  {
    rule: 'S3-I4',
    what: 'a read passes an extent that never came from outside',
    past: bringing,
    fault: [starts, plant(recover, resumed(4), recovered, passed(read(2)))],
    sound: [starts, plant(recover, resumed(4), recovered)],
  },
  {
    rule: 'S3-I9',
    what: 'the delta map forgets an extent that never came from outside',
    past: outer,
    fault: [mark(2, false)],
    sound: [],
  },
  {
    rule: 'S4-I1',
    what: 'a clone outside is synced',
    past: outer,
    fault: [plant({ kind: 'sync.started', tag: 1 })],
    sound: [],
  },
  {
    rule: 'S4-I4',
    what: 'a clone outside is not what it was when it is copied again',
    past: again,
    fault: [changedOutside],
    sound: [copied],
  },
  {
    rule: 'G-I9',
    what: 'a restore is cancelled that nobody asked to cancel',
    past: restoring,
    fault: [plant(cancelled)],
    sound: [cancel('p'), copied],
  },
  {
    rule: 'G-I9',
    what: 'a volume is deleted during a restore of it',
    past: restoring,
    fault: [plant({ kind: 'volume.deleted', volume: 1 })],
    sound: [],
  },
  {
    rule: 'G-I9',
    what: 'a volume that is not there is resized',
    past: restoring,
    fault: [plant({ kind: 'volume.resized', volume: 9, detail: { size: block } })],
    sound: [],
  },
]
