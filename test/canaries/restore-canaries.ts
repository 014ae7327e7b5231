/** Planted faults of restores: S3 and S4. */

import type { NewEvent } from '../../src/events/columns.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import {
  cloned,
  copied,
  copyEnds,
  passed,
  queued,
  read,
  refused,
  restore,
  type Step,
  write,
} from '../support/given.ts'
import { reportsOf } from '../support/history.ts'
import { type Canary, copyStarts, mark, overwrite, plant } from './canary.ts'

/** The source differs from its clone in the extents 0 and 1 of 4. */
const changed: readonly Step[] = [...cloned, write(1, { count: 8 })]
const restoring = [...changed, restore('p')]
const recover = { kind: 'engine.recover' } as const
const starts = { kind: 'engine.started', detail: { writer: 'w', epoch: 1, program: 'p' } } as const
const recovered = { kind: 'engine.recovered', detail: { dropped: 0, lost: 0 } } as const
const resumed = (count: number) => ({ kind: 'restore.resumed', tag: 1, detail: { count } }) as const

function restoreStarts(cloneHash: string): NewEvent {
  return { kind: 'restore.started', tag: 1, detail: { protected: true, cdmCount: 0, cdmHash: '', cloneHash } }
}
function restoreEnds(fields = {}): NewEvent {
  const detail = { protected: true, prmCount: 0, cdmHash: '', ...fields }
  return { kind: 'restore.completed', tag: 1, detail }
}
function protects(e: number, on: boolean): Step {
  return ({ world }) => {
    const { prm } = restoresOf(world).byTag.get(1)!
    if (on) prm.set(e)
    else prm.clear(e)
  }
}

/** Restores: S3. */
export const restoreCanaries: readonly Canary[] = [
  {
    rule: 'S3-I1',
    what: 'a read finds what was there before the restore',
    past: restoring,
    fault: [overwrite(1, 9, 5), read(3, { at: 9 })],
    sound: [read(3, { at: 9 })],
  },
  {
    rule: 'S3-I2',
    what: 'an extent is copied to the source that does not differ',
    past: restoring,
    fault: [plant(copyStarts(1, 3))],
    sound: [],
  },
  {
    rule: 'S3-I2',
    what: 'an extent is copied to the source twice at once',
    past: restoring,
    fault: [plant(copyStarts(1, 0))],
    sound: [],
  },
  {
    rule: 'S3-I3',
    what: 'a read passes an extent during its copy',
    past: restoring,
    fault: [plant(passed(read(2)))],
    sound: [plant(queued(read(2))), copied],
  },
  {
    rule: 'S3-I3',
    what: 'a write of a whole extent passes during its copy',
    past: restoring,
    fault: [plant(passed(write(2, { count: 4 })))],
    sound: [plant(queued(write(2, { count: 4 }))), copied],
  },
  {
    rule: 'S3-I4',
    what: 'a read passes an extent that needs its copy',
    past: restoring,
    fault: [starts, plant(recover, resumed(2), recovered, passed(read(2)))],
    sound: [starts, plant(recover, resumed(2), recovered)],
  },
  {
    rule: 'S3-I4',
    what: 'a partial write passes an extent that needs its copy',
    past: restoring,
    fault: [starts, plant(recover, resumed(2), recovered, passed(write(2)))],
    sound: [starts, plant(recover, resumed(2), recovered, passed(write(2, { count: 4 })))],
  },
  {
    rule: 'S3-I5',
    what: 'a copy starts over what a host wrote',
    past: restoring,
    fault: [plant(passed(write(2, { at: 9 })), copyStarts(1, 2))],
    sound: [plant(passed(write(2, { at: 9 })))],
  },
  {
    rule: 'S3-I6',
    what: 'an extent is copied that did not differ at the start',
    past: restoring,
    fault: [mark(3, true), plant(copyStarts(1, 3))],
    sound: [copied],
  },
  {
    rule: 'S3-I6',
    what: 'an extent is copied a second time',
    past: restoring,
    fault: [copyEnds(1, 0), mark(0, true), plant(copyStarts(1, 0)), copyEnds(1, 0)],
    sound: [copyEnds(1, 0)],
  },
  {
    rule: 'S3-I7',
    what: 'a read waits for a copy that never starts',
    past: restoring,
    fault: [starts, plant(recover, resumed(2), recovered, queued(read(2)))],
    sound: [starts, plant(recover, resumed(2), recovered, queued(read(2)), copyStarts(1, 0))],
  },
  {
    rule: 'S3-I8',
    what: 'a read is queued that has nothing to wait for',
    past: restoring,
    fault: [plant(queued(read(2, { at: 9 })))],
    sound: [plant(passed(read(2, { at: 9 })))],
  },
  {
    rule: 'S3-I9',
    what: 'the protected map forgets an extent',
    past: [...restoring, write(2, { at: 9 })],
    fault: [protects(2, false)],
    sound: [],
  },
  {
    rule: 'S3-I10',
    what: 'the protected map marks what no host wrote',
    past: restoring,
    fault: [protects(3, true)],
    sound: [write(2, { at: 13 })],
  },
  {
    rule: 'S3-I10',
    what: 'the protected map lacks what a host wrote',
    past: [...restoring, write(2, { at: 9, payload: 5 })],
    fault: [protects(2, false), plant(passed(read(4, { at: 9 })))],
    sound: [plant(passed(read(4, { at: 9 })))],
  },
  {
    rule: 'S3-I12',
    what: 'a restore ends with extents still to copy',
    past: restoring,
    fault: [starts, plant(recover, resumed(2), recovered, restoreEnds())],
    sound: [starts, recover, copied],
  },
  {
    rule: 'S3-I12',
    what: 'a restore ends while a read waits',
    past: [...restoring, read(2)],
    fault: [(history) => history.plant(...reportsOf(history.world)), plant(restoreEnds())],
    sound: [copied],
  },
  {
    rule: 'S3-I12',
    what: 'a restore ends while copies run',
    past: restoring,
    fault: [plant(restoreEnds())],
    sound: [copied],
  },
  {
    rule: 'S3-I17',
    what: 'a recovery ends while requests wait',
    past: [...restoring, read(2)],
    fault: [starts, plant(recover, resumed(2), recovered)],
    sound: [starts, recover],
  },
  {
    rule: 'S3-I17',
    what: 'a resume counts other extents than are needed',
    past: [...restoring, copyEnds(1, 0)],
    fault: [starts, plant(recover, resumed(2), recovered)],
    sound: [starts, plant(recover, resumed(1), recovered)],
  },
  {
    rule: 'S4-I1',
    what: 'a copy goes into the clone of a restore',
    past: restoring,
    fault: [plant(copyStarts(2, 0))],
    sound: [],
  },
  {
    rule: 'S4-I1',
    what: 'a copy goes into a volume that is not in the pair',
    past: restoring,
    fault: [plant(copyStarts(3, 0))],
    sound: [],
  },
  {
    rule: 'S4-I1',
    what: 'the clone changes during its restore',
    past: restoring,
    fault: [overwrite(2, 15, 3), copied],
    sound: [copied],
  },
  {
    rule: 'S4-I2',
    what: 'a write to the clone of a restore passes',
    past: restoring,
    fault: [plant(passed(write(2, { volume: 2 })))],
    sound: [plant(refused(write(2, { volume: 2 }), 'E_CLONE_PROTECTED'))],
  },
  {
    rule: 'S4-I3',
    what: 'a request is refused because a restore runs',
    past: restoring,
    fault: [plant(refused(read(2), 'E_BUSY_RESTORE'))],
    sound: [plant(queued(read(2))), copied],
  },
  {
    rule: 'S4-I4',
    what: 'a restore starts from another clone than is on record',
    past: changed,
    fault: [plant(restore('p'), restoreStarts('0123456789abcdef'))],
    sound: [restore('p')],
  },
  {
    rule: 'S4-I4',
    what: 'the clone changes between two restores and nobody wrote it',
    past: [...restoring, copied],
    fault: [overwrite(2, 0, 77), mark(0, true), restore('p')],
    sound: [restore('p')],
  },
  {
    rule: 'S4-I4',
    what: 'at the end the source is not the clone where no host wrote',
    past: restoring,
    fault: [copyEnds(1, 0), overwrite(1, 3, 12), copied],
    sound: [copied],
  },
  {
    rule: 'S4-I5',
    what: 'a restore ends in another mode than it began in',
    past: restoring,
    fault: [
      copyEnds(1, 0),
      mark(1, false),
      starts,
      plant(recover, resumed(0), recovered, restoreEnds({ protected: false })),
    ],
    sound: [copied],
  },
]
