/** Planted faults of scopes, devices, physical backups, policies and the request log: S1, X-I3, X-I7. */

import type { Detail } from '../../src/events/detail.ts'
import {
  backup,
  blocks,
  cloned,
  copied,
  crash,
  deadline,
  device,
  dropped,
  held,
  pair,
  passed,
  queued,
  refusedLate,
  type Step,
  session,
  stop,
  sync,
  volume,
  volumeOn,
  write,
} from '../support/given.ts'
import { type Canary, copyStarts, overwrite, plant, seqOf } from './canary.ts'

const host: readonly Step[] = [volume('disk'), volume('other'), session()]
const first = [...host, backup('b', [], { ranges: blocks(1, 0, 4), scope: 'blocks' }), write(1)]
const beyond = write(2, { at: 9 })
const onDevices: readonly Step[] = [
  ...[device('d1'), device('d2')],
  ...[volumeOn('one', [1]), volumeOn('both', [1, 2], 1), volumeOn('two', [2])],
  session(),
]
const physical = backup('b', [1], { mode: 'physical' })
const failing = [...host, backup('b', [1], { policy: 'error-writes' }), write(1), write(2, { at: 1 })]
const stopping = { kind: 'backup.stopping', tag: 1 } as const
const cleared = { kind: 'backup.flag_cleared', volume: 1 } as const
const flagSet = (volumes: number[], options: Detail = {}) => {
  const bounds = { deadlineMs: 1, maxEntries: 9, maxBytes: 2 ** 20, atUs: 1 }
  return { kind: 'backup.flag_set', tag: 1, detail: { name: 'b', volumes, ...bounds, ...options } } as const
}
/** A commit of metadata up to the log entry of write 1, as if it had been granted. */
const granted: Step = (history) => {
  const detail = { n: seqOf(history, 1) }
  history.plant({ kind: 'fsmeta.commit', volume: 1, detail }, { kind: 'fsmeta.committed', volume: 1, detail })
}
const asked: Step = (history) =>
  void history.enter({ kind: 'fsmeta.commit', volume: 1, detail: { n: seqOf(history, 1) } })

/** What a backup covers and asks for, and what depends on it. */
export const scopeCanaries: readonly Canary[] = [
  {
    rule: 'S1-I2',
    what: 'a write partly in the range under backup passes the gate',
    past: first,
    fault: [plant(passed(write(3, { at: 3, count: 2 })))],
    sound: [plant(held(write(3, { at: 3, count: 2 }))), plant(passed(beyond))],
  },
  {
    rule: 'S1-I2',
    what: 'a backup of a device leaves out a volume with a stripe on it',
    past: onDevices,
    fault: [plant(backup('b', [], { devices: [2] }), flagSet([3], { devices: [2] }))],
    sound: [plant(backup('b', [], { devices: [2] }), flagSet([2, 3], { devices: [2] }))],
  },
  {
    rule: 'S1-I2',
    what: 'a backup of a clone in sync leaves out its source',
    past: [...[volume('disk'), device('d'), volumeOn('clone', [1]), session()], pair('p'), sync('p'), copied],
    fault: [plant(backup('b', [], { devices: [1] }), flagSet([2], { devices: [1] }))],
    sound: [plant(backup('b', [], { devices: [1] }), flagSet([2, 1], { devices: [1] }))],
  },
  {
    rule: 'S1-I3',
    what: 'a block under backup changes',
    past: first,
    fault: [overwrite(1, 2, 4711), stop('b')],
    sound: [overwrite(1, 9, 4711), stop('b')],
  },
  {
    rule: 'S1-I5',
    what: 'a write out of scope overtakes a held one that it overlaps',
    past: [...first, write(2, { at: 3, count: 3 })],
    fault: [plant(passed(write(3, { at: 5 })))],
    sound: [plant(held(write(3, { at: 5 })))],
  },
  {
    rule: 'S1-I6',
    what: 'a write is held that no backup asks for',
    past: first,
    fault: [plant(held(beyond))],
    sound: [plant(passed(beyond))],
  },
  {
    rule: 'S1-I7',
    what: 'a held write fails though the policy does not say so',
    past: [...host, backup('b'), write(1)],
    fault: [plant(refusedLate(write(1), 'E_DEADLINE'))],
    sound: [plant(dropped(write(1), 'E_SESSION_CLOSED'))],
  },
  {
    rule: 'S1-I4',
    what: 'a younger held write fails before an older one',
    past: failing,
    fault: [plant(deadline(1), refusedLate(write(2), 'E_DEADLINE'))],
    sound: [plant(deadline(1), refusedLate(write(1), 'E_DEADLINE'), refusedLate(write(2), 'E_DEADLINE'))],
  },
  {
    rule: 'S1-I8',
    what: 'metadata is committed during a backup',
    past: [...host, write(1), backup('b')],
    fault: [granted],
    sound: [asked],
  },
  {
    rule: 'S1-I8',
    what: 'metadata is committed between the release and the end of the backup',
    past: [...host, write(1), backup('b')],
    fault: [plant(stop('b'), stopping, cleared), granted],
    sound: [stop('b'), granted],
  },
  {
    rule: 'S1-I8',
    what: 'metadata is committed up to a write that still waits',
    past: [...cloned, write(9, { count: 16 }), sync('p'), write(1)],
    fault: [granted],
    sound: [asked, copied, granted],
  },
  {
    rule: 'S1-I8',
    what: 'metadata is committed twice up to the same entry',
    past: [...host, write(1), granted],
    fault: [granted],
    sound: [asked],
  },
  {
    rule: 'S1-I9',
    what: 'held writes outlive a crash though the policy is to drop them',
    past: [...host, backup('b'), write(1)],
    fault: [
      plant({ kind: 'engine.started', detail: { writer: 'w', epoch: 1, program: 'p' } }),
      plant({ kind: 'engine.recover' }, { kind: 'engine.recovered', detail: { dropped: 0, lost: 0 } }),
    ],
    sound: [crash],
  },
  {
    rule: 'S3-I17',
    what: 'a queued write outlives a crash',
    past: [...cloned, write(9, { count: 16 }), sync('p')],
    fault: [
      plant({ kind: 'engine.started', detail: { writer: 'w', epoch: 1, program: 'p' } }),
      ({ world }) => Object.assign(world, { recovered: true }),
      plant(copyStarts(2, 0), queued(write(1))),
      plant({ kind: 'engine.recover' }, { kind: 'engine.recovered', detail: { dropped: 0, lost: 0 } }),
    ],
    sound: [crash],
  },
  {
    rule: 'X-I3',
    what: 'a copy into a physically held volume starts',
    past: [...cloned, write(1, { count: 16 }), backup('b', [2], { mode: 'physical' })],
    fault: [plant(copyStarts(2, 0))],
    sound: [sync('p')],
  },
  {
    rule: 'X-I3',
    what: 'a copy into a physically held volume takes effect',
    past: [...cloned, write(1, { count: 16 }), sync('p')],
    fault: [plant(backup('b', [2]), flagSet([2], { mode: 'physical' })), copied],
    sound: [backup('b', [2], { mode: 'physical' }), copied],
  },
  {
    rule: 'X-I3',
    what: 'the media of a physically held volume change',
    past: [...host, physical],
    fault: [overwrite(1, 9, 4711), stop('b')],
    sound: [stop('b')],
  },
  {
    rule: 'X-I7',
    what: 'a backup of one volume holds another',
    past: host,
    fault: [plant(backup('b', [1]), flagSet([1, 2]))],
    sound: [plant(backup('b', [1]), flagSet([1]))],
  },
  {
    rule: 'X-I7',
    what: 'a backup of a device holds a volume on another',
    past: onDevices,
    fault: [plant(backup('b', [], { devices: [2] }), flagSet([1, 2, 3], { devices: [2] }))],
    sound: [backup('b', [], { devices: [2] })],
  },
  {
    rule: 'G-I1',
    what: 'a device gets a wrong number',
    past: host,
    fault: [plant(device('d'), { kind: 'device.created', tag: 2, detail: { name: 'd' } })],
    sound: [device('d')],
  },
]
