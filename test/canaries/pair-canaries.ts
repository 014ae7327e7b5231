/** Planted faults of clone pairs and of copies source to clone: G-I9 and S3. */

import type { Code } from '../../src/events/code.ts'
import type { NewEvent } from '../../src/events/columns.ts'
import { commandKeysOf } from '../../src/layers/command-key.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { keyed, unpair } from '../support/asked.ts'
import {
  block,
  cloned,
  copied,
  copyEnds,
  fracture,
  pair,
  passed,
  queued,
  read,
  refused,
  restore,
  type Step,
  sync,
  write,
} from '../support/given.ts'
import { type Canary, copyStarts, mark, overwrite, plant } from './canary.ts'

/** The source differs from its clone in the extents 0 and 1 of 4. */
const changed: readonly Step[] = [...cloned, write(1, { count: 8 })]
const syncing = [...changed, sync('p')]
const resumed = (count: number) => ({ kind: 'restore.resumed', tag: 1, detail: { count } }) as const
const turn = (kind: 'sync.started' | 'sync.finished' | 'pair.fractured' | 'pair.deleted') =>
  ({ kind, tag: 1 }) as const

const mark0: NewEvent = { kind: 'mark', volume: 1, detail: { label: 'here' } }
/** The pair believes that its sync is over while writes still wait for it. */
const forgetsSync: Step = ({ world }) => {
  pairsOf(world).byTag.get(1)!.phase = 'fractured'
}

function refusedWith(code: Code): NewEvent {
  return { kind: 'command.refused', code, detail: { command: 'any' } }
}

const takesForRepetition: Step = (history) => {
  const { seq } = commandKeysOf(history.world).byKey.get('k')!
  history.plant(keyed(unpair('q'), 'k'))
  history.plant({ kind: 'command.repeated', about: seq, detail: { key: 'k', made: 0 } })
}

function restoreStarts(cloneHash: string): NewEvent {
  return { kind: 'restore.started', tag: 1, detail: { protected: true, cdmCount: 0, cdmHash: '', cloneHash } }
}
function restoreEnds(fields = {}): NewEvent {
  const detail = { protected: true, prmCount: 0, cdmHash: '', ...fields }
  return { kind: 'restore.completed', tag: 1, detail }
}

/** Pairs: their turns, and copies source to clone. */
export const pairCanaries: readonly Canary[] = [
  {
    rule: 'G-I9',
    what: 'a pair of one volume with itself',
    past: cloned,
    fault: [
      plant({ kind: 'pair.created', tag: 2, detail: { name: 'q', source: 1, clone: 1, extent: block } }),
    ],
    sound: [pair('q', 1, 1)],
  },
  {
    rule: 'G-I9',
    what: 'a pair that is not there is synced',
    past: changed,
    fault: [plant({ ...turn('sync.started'), tag: 2 })],
    sound: [sync('q')],
  },
  {
    rule: 'G-I9',
    what: 'a sync starts twice',
    past: syncing,
    fault: [plant(turn('sync.started'))],
    sound: [sync('p')],
  },
  {
    rule: 'G-I9',
    what: 'a sync ends that never began',
    past: changed,
    fault: [plant(turn('sync.finished'))],
    sound: [],
  },
  {
    rule: 'G-I9',
    what: 'a fractured pair is fractured',
    past: changed,
    fault: [plant(turn('pair.fractured'))],
    sound: [fracture('p')],
  },
  {
    rule: 'G-I9',
    what: 'a pair is deleted while it is synced',
    past: syncing,
    fault: [plant(turn('pair.deleted'))],
    sound: [copied, fracture('p'), unpair('p')],
  },
  {
    rule: 'G-I9',
    what: 'a pair is deleted while it is restored',
    past: [...changed, restore('p')],
    fault: [plant(turn('pair.deleted'))],
    sound: [copied, unpair('p')],
  },
  {
    rule: 'G-I2',
    what: 'a pair is deleted while a request waits for its copies',
    past: [...syncing, write(2)],
    fault: [forgetsSync, plant(turn('pair.deleted'))],
    sound: [fracture('p'), unpair('p')],
  },
  {
    rule: 'G-I2',
    what: 'a key is given to two commands',
    past: [...changed, keyed(unpair('q'), 'k'), keyed(mark0, 'k')],
    fault: [plant({ kind: 'command.keyed', about: 1, detail: { key: 'k', asked: '', made: 0 } })],
    sound: [keyed(mark0, 'k')],
  },
  {
    rule: 'G-I2',
    what: 'a repetition names another command than the one that had its key',
    past: [...changed, keyed(mark0, 'k')],
    fault: [plant({ kind: 'command.repeated', about: 1, detail: { key: 'k', made: 0 } })],
    sound: [keyed(mark0, 'k')],
  },
  {
    rule: 'G-I2',
    what: 'what had a key is refused when it is asked again',
    past: [...changed, keyed(mark0, 'k')],
    fault: [plant(keyed(mark0, 'k'), refusedWith('E_BUSY_HOLD'))],
    sound: [keyed(mark0, 'k')],
  },
  {
    rule: 'G-I2',
    what: 'a key that was given to something else is refused for another reason',
    past: [...changed, keyed(mark0, 'k')],
    fault: [plant(keyed(unpair('nobody'), 'k'), refusedWith('E_NO_PAIR'))],
    sound: [keyed(unpair('nobody'), 'k')],
  },
  {
    rule: 'G-I2',
    what: 'a key that nobody had is refused as used',
    past: [...changed, keyed(mark0, 'k')],
    fault: [plant(keyed(mark0, 'new'), refusedWith('E_KEY_USED'))],
    sound: [keyed(mark0, 'new')],
  },
  {
    rule: 'G-I2',
    what: 'something else is taken for a repetition of what had its key',
    past: [...changed, keyed(mark0, 'k')],
    fault: [takesForRepetition],
    sound: [keyed(unpair('q'), 'k')],
  },
  {
    rule: 'G-I9',
    what: 'a restore starts while the pair is synced',
    past: syncing,
    fault: [plant(restore('p'), restoreStarts(''))],
    sound: [restore('p')],
  },
  {
    rule: 'G-I9',
    what: 'a restore ends that never began',
    past: changed,
    fault: [plant(restoreEnds())],
    sound: [],
  },
  {
    rule: 'G-I9',
    what: 'a restore is resumed that never began',
    past: changed,
    fault: [plant(resumed(0))],
    sound: [],
  },
  {
    rule: 'S3-I2',
    what: 'an extent is copied twice at once',
    past: syncing,
    fault: [plant(copyStarts(2, 0))],
    sound: [],
  },
  {
    rule: 'S3-I2',
    what: 'an extent is copied to the clone that does not differ',
    past: syncing,
    fault: [plant(copyStarts(2, 3))],
    sound: [copied],
  },
  {
    rule: 'S3-I2',
    what: 'a copy to the clone starts though no sync runs',
    past: changed,
    fault: [plant(copyStarts(2, 0))],
    sound: [],
  },
  {
    rule: 'S3-I3',
    what: 'a write reaches an extent during its copy to the clone',
    past: syncing,
    fault: [plant(passed(write(2)))],
    sound: [plant(queued(write(2))), copied],
  },
  {
    rule: 'S3-I8',
    what: 'a write is queued though no copy runs on what it touches',
    past: syncing,
    fault: [plant(queued(write(2, { at: 9 })))],
    sound: [plant(passed(write(2, { at: 9 })))],
  },
  {
    rule: 'S3-I8',
    what: 'a write of a volume without a clone is queued',
    past: cloned.slice(0, 3),
    fault: [plant(queued(write(2)))],
    sound: [plant(passed(write(2)))],
  },
  {
    rule: 'S3-I8',
    what: 'a read is queued though no restore runs',
    past: syncing,
    fault: [plant(queued(read(2)))],
    sound: [plant(passed(read(2)))],
  },
  {
    rule: 'S3-I9',
    what: 'the delta map forgets an extent',
    past: changed,
    fault: [mark(0, false)],
    sound: [],
  },
  {
    rule: 'S3-I9',
    what: 'a copy to the clone does not arrive',
    past: syncing,
    fault: [copied, overwrite(2, 1, 99), plant(passed(write(2, { at: 2 })))],
    sound: [copied, plant(passed(write(2, { at: 2 })))],
  },
  {
    rule: 'S3-I11',
    what: 'a host writes the clone while it follows',
    past: syncing,
    fault: [plant(passed(write(2, { volume: 2 })))],
    sound: [plant(refused(write(2, { volume: 2 }), 'E_BUSY_SYNC'))],
  },
  {
    rule: 'S3-I12',
    what: 'a sync ends with extents still to copy',
    past: syncing,
    fault: [copyEnds(2, 0), plant(turn('sync.finished'))],
    sound: [copyEnds(2, 0), copyEnds(2, 1)],
  },
]
