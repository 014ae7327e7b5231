/** Planted faults of numbers, ends, order, recovery and refusals: G. */

import type { Event } from '../../src/events/columns.ts'
import { evolve } from '../../src/volume.ts'
import {
  backup,
  cloned,
  copied,
  dropped,
  failed,
  flush,
  freed,
  held,
  lost,
  pair,
  passed,
  queued,
  read,
  refusal,
  refused,
  released,
  restore,
  type Step,
  session,
  stop,
  sync,
  volume,
  write,
} from '../support/given.ts'
import { type Canary, mark, plant } from './canary.ts'

const host: readonly Step[] = [volume('disk'), volume('other'), session()]
const holding = [...host, backup('b'), write(1), write(2, { at: 1 })]
const quiescing = [...cloned, write(1, { count: 16 }), sync('p'), write(2), backup('b')]
const drop: Omit<Event, 'seq' | 'about'> = {
  ...{ kind: 'hold.dropped', fate: 'none', op: 'none', flags: 0, code: 'E_CRASH', session: 1, request: 1 },
  ...{ volume: 1, offset: 0, length: 0, payload: 0, tag: 0, digestHigh: 0, digestLow: 0, at: 0, detail: {} },
}
const stopping = { kind: 'backup.stopping', tag: 1 } as const
const starts = { kind: 'engine.started', detail: { writer: 'w', epoch: 1, program: 'p' } } as const
const recovered = { kind: 'engine.recovered', detail: { dropped: 0, lost: 0 } } as const
const created = (id: number) =>
  ({ kind: 'volume.created', volume: id, detail: { name: 'v', size: 4096, block: 4096 } }) as const
const opened = (id: number) => ({ kind: 'session.opened', session: id, detail: { name: 'x' } }) as const

/** Numbers, causes, ends, recovery. */
export const orderCanaries: readonly Canary[] = [
  {
    rule: 'G-I1',
    what: 'a sequence number is left out',
    past: host,
    fault: [({ world }) => void world.seq--, plant(passed(read(1)))],
    sound: [plant(passed(read(1)))],
  },
  {
    rule: 'G-I1',
    what: 'an event names itself as the one it is about',
    past: holding,
    fault: [({ world }) => evolve(world, { ...drop, seq: world.seq + 1, about: world.seq + 1 })],
    sound: [plant(dropped(write(1), 'E_SESSION_CLOSED'))],
  },
  {
    rule: 'G-I1',
    what: 'a volume gets a wrong number',
    past: host,
    fault: [plant(created(9))],
    sound: [plant(created(3))],
  },
  {
    rule: 'G-I1',
    what: 'a session gets a wrong number',
    past: host,
    fault: [plant(opened(9))],
    sound: [plant(opened(2))],
  },
  {
    rule: 'G-I1',
    what: 'a pair gets a wrong number',
    past: host,
    fault: [
      plant({ kind: 'pair.created', tag: 2, detail: { name: 'p', source: 1, clone: 2, extent: 4096 } }),
    ],
    sound: [
      plant({ kind: 'pair.created', tag: 1, detail: { name: 'p', source: 1, clone: 2, extent: 4096 } }),
    ],
  },
  {
    rule: 'G-I2',
    what: 'a queued write ends twice',
    past: [...quiescing.slice(0, -1)],
    fault: [plant(lost(write(2), 'E_CRASH'), lost(write(2), 'E_CRASH'))],
    sound: [plant(lost(write(2), 'E_CRASH'))],
  },
  {
    rule: 'G-I2',
    what: 'a request that never waited fails',
    past: [...host, write(1)],
    fault: [plant(failed(write(1)))],
    sound: [],
  },
  {
    rule: 'G-I2',
    what: 'a request that never waited is released',
    past: [...quiescing.slice(0, -1), read(3)],
    fault: [plant(freed(read(3)))],
    sound: [],
  },
  {
    rule: 'G-I2',
    what: 'a release says another payload than its submission',
    past: holding,
    fault: [plant(stop('b'), stopping, released({ ...write(1), payload: 77 }))],
    sound: [stop('b')],
  },
  {
    rule: 'G-I2',
    what: 'a write of a volume that is not there passes',
    past: host,
    fault: [plant(passed(write(1, { volume: 7 })))],
    sound: [plant(refused(write(1, { volume: 7 }), 'E_NO_VOLUME'))],
  },
  {
    rule: 'G-I2',
    what: 'a session that is not open closes',
    past: host,
    fault: [plant({ kind: 'session.closed', session: 2 })],
    sound: [plant({ kind: 'session.closed', session: 1 })],
  },
  {
    rule: 'G-I5',
    what: 'a write takes effect ahead of an older one in the queue',
    past: [...cloned, write(1, { at: 4, count: 4 }), sync('p'), write(2, { at: 7, count: 2 })],
    fault: [plant(passed(write(3, { at: 8 })))],
    sound: [plant(queued(write(3, { at: 8 }))), copied],
  },
  {
    rule: 'G-I5',
    what: 'a read goes ahead of an older write in the queue of a restore',
    past: [...cloned, write(1), restore('p'), write(2, { at: 3, count: 2 })],
    fault: [plant(passed(read(3, { at: 4 })))],
    sound: [plant(queued(read(3, { at: 4 }))), copied],
  },
  {
    rule: 'G-I7',
    what: 'a request is decided before the recovery ended',
    past: [...host, starts],
    fault: [plant(passed(flush(1)))],
    sound: [plant({ kind: 'engine.recover' }, recovered, passed(flush(1)))],
  },
  {
    rule: 'G-I7',
    what: 'a request is held before the recovery ended',
    past: [...holding, starts],
    fault: [plant(held(write(3)))],
    sound: [{ kind: 'engine.recover' }, plant(held(write(3)))],
  },
  {
    rule: 'G-I9',
    what: 'a refused command changes something',
    past: [...cloned, write(1)],
    fault: [plant(pair('p')), mark(3, true), plant(...refusal(pair('p'), 'E_ALREADY').slice(1))],
    sound: [pair('p')],
  },
  {
    rule: 'G-I9',
    what: 'a refusal names another command than was asked',
    past: host,
    fault: [plant(pair(''), ...refusal(sync('p'), 'E_NAME').slice(1))],
    sound: [plant(...refusal(pair(''), 'E_NAME'))],
  },
]
