/** Planted faults of backups and their queue: S1. */

import {
  backup,
  cloned,
  close,
  copyEnds,
  dropped,
  failed,
  flush,
  held,
  lost,
  passed,
  queued,
  read,
  released,
  type Step,
  session,
  stop,
  sync,
  volume,
  write,
  zeroes,
} from '../support/given.ts'
import { type Canary, overwrite, plant, seqOf } from './canary.ts'

const host: readonly Step[] = [volume('disk'), volume('other'), session()]
const holding = [...host, backup('b'), write(1), write(2, { at: 1 })]
const quiescing = [...cloned, write(1, { count: 16 }), sync('p'), write(2), backup('b')]
const flagSet = (name: string, tag: number, volumes = [1]) => {
  const detail = { name, volumes, deadlineMs: 1, maxEntries: 1, maxBytes: 1, atUs: 1 }
  return { kind: 'backup.flag_set', tag, detail } as const
}
const started = { kind: 'backup.started', tag: 1 } as const
const stopping = { kind: 'backup.stopping', tag: 1 } as const
const stopped = { kind: 'backup.stopped', tag: 1 } as const
const cleared = { kind: 'backup.flag_cleared', volume: 1 } as const

/** Backups and their queue. */
export const holdCanaries: readonly Canary[] = [
  {
    rule: 'S1-I1',
    what: 'a write enters the hold queue as an older one than the last',
    past: holding,
    fault: [(history) => history.plant({ ...held(write(3)), about: seqOf(history, 1) - 1 })],
    sound: [plant(held(write(3)))],
  },
  {
    rule: 'S1-I2',
    what: 'a write passes the gate while the flag is set',
    past: holding,
    fault: [plant(passed(write(3, { at: 5 })))],
    sound: [plant(held(write(3, { at: 5 })))],
  },
  {
    rule: 'S1-I2',
    what: 'a write is queued below the gate while the flag is set',
    past: quiescing,
    fault: [plant(queued(write(3)))],
    sound: [plant(held(write(3)))],
  },
  {
    rule: 'S1-I3',
    what: 'a backup starts while a write is on its way, which then takes effect',
    past: quiescing,
    fault: [plant(started), copyEnds(2, 0)],
    sound: [copyEnds(2, 0)],
  },
  {
    rule: 'S1-I3',
    what: 'the image changes between start and stop',
    past: holding,
    fault: [overwrite(1, 9, 4711), stop('b')],
    sound: [stop('b')],
  },
  {
    rule: 'S1-I4',
    what: 'a younger held write is released before an older one',
    past: holding,
    fault: [plant(stop('b'), stopping, released(write(2, { at: 1 })))],
    sound: [plant(stop('b'), stopping, released(write(1)), released(write(2, { at: 1 })), cleared, stopped)],
  },
  {
    rule: 'S1-I4',
    what: 'a write is released that is not held',
    past: [...host, write(1)],
    fault: [plant(released(write(1)))],
    sound: [],
  },
  {
    rule: 'S1-I5',
    what: 'a write overtakes an older one that is held',
    past: holding,
    fault: [plant(passed(zeroes(3)))],
    sound: [plant(held(zeroes(3)))],
  },
  {
    rule: 'S1-I6',
    what: 'a write of a volume that no backup covers is held',
    past: holding,
    fault: [plant(held(write(3, { volume: 2 })))],
    sound: [plant(passed(write(3, { volume: 2 })))],
  },
  {
    rule: 'S1-I7',
    what: 'a held write fails while it is held',
    past: holding,
    fault: [plant(failed(write(1)))],
    sound: [plant(dropped(write(1), 'E_SESSION_CLOSED'))],
  },
  {
    rule: 'S1-I7',
    what: 'a held write is lost while it is held',
    past: holding,
    fault: [plant(lost(write(1), 'E_CRASH'))],
    sound: [plant(dropped(write(1), 'E_CRASH'))],
  },
  {
    rule: 'S1-I9',
    what: 'a held write is released while a backup covers the volume',
    past: [...host, backup('a'), ...holding.slice(3)],
    fault: [plant(stop('a'), stopping, released(write(1)))],
    sound: [plant(stop('a'), stopping, stopped)],
  },
  {
    rule: 'S1-I9',
    what: 'the flag is cleared while writes are held',
    past: holding,
    fault: [plant(stop('b'), stopping, cleared)],
    sound: [stop('b')],
  },
  {
    rule: 'S1-I9',
    what: 'the flag is cleared while a backup covers the volume',
    past: holding.slice(0, 4),
    fault: [plant(cleared)],
    sound: [stop('b')],
  },
  {
    rule: 'S1-I9',
    what: 'a write is dropped that is not held',
    past: [...host, backup('b')],
    fault: [plant(read(1)), plant(dropped(read(1), 'E_CRASH'))],
    sound: [read(1)],
  },
  {
    rule: 'S1-I9',
    what: 'the entry of the last stop ends with writes still held',
    past: holding,
    fault: [plant(stop('b'), stopping, released(write(1)), stopped, passed(read(3, { volume: 2 })))],
    sound: [stop('b'), read(3, { volume: 2 })],
  },
  {
    rule: 'S1-I10',
    what: 'a read is held',
    past: holding,
    fault: [plant(held(read(3)))],
    sound: [plant(passed(read(3)))],
  },
  {
    rule: 'S1-I10',
    what: 'a read finds what is held',
    past: holding,
    fault: [overwrite(1, 0, 1000), read(3)],
    sound: [read(3)],
  },
  {
    rule: 'S1-I11',
    what: 'a flush is held',
    past: holding,
    fault: [plant(held(flush(3)))],
    sound: [plant(passed(flush(3)))],
  },
  {
    rule: 'S1-I12',
    what: 'a backup that is not active stops',
    past: host,
    fault: [plant(stop('b'), stopping)],
    sound: [stop('b')],
  },
  {
    rule: 'S1-I12',
    what: 'a backup starts twice',
    past: holding,
    fault: [plant(started)],
    sound: [],
  },
  {
    rule: 'S1-I12',
    what: 'a backup ends without a stop',
    past: holding,
    fault: [plant(stopped)],
    sound: [stop('b')],
  },
  {
    rule: 'S1-I12',
    what: 'two backups of one name',
    past: holding,
    fault: [plant(backup('b', [2]), flagSet('b', 2, [2]))],
    sound: [plant(backup('c', [2]), flagSet('c', 2, [2]))],
  },
  {
    rule: 'S1-I12',
    what: 'a backup gets a wrong number',
    past: host,
    fault: [plant(backup('b'), flagSet('b', 2))],
    sound: [plant(backup('b'), flagSet('b', 1))],
  },
  {
    rule: 'S1-I12',
    what: 'a backup of a volume that is not there',
    past: host,
    fault: [plant(backup('b', [9]), flagSet('b', 1, [9]))],
    sound: [backup('b', [9]), close()],
  },
]
