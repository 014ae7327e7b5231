/** What becomes of held writes when a bound, a deadline, a crash or the end of a session comes: the policies. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Code } from '../../src/events/code.ts'
import { holdQueueOf } from '../../src/layers/hold-queue.ts'
import { leave } from '../support/asked.ts'
import {
  backup,
  blocks,
  close,
  crash,
  deadline,
  dropped,
  flush,
  given,
  held,
  passed,
  read,
  refusal,
  refused,
  refusedLate,
  released,
  session,
  stop,
  volume,
  write,
} from '../support/given.ts'

const test = suite('backup policies')

const host = [volume('disk'), volume('other'), session()] as const
const stopping = { kind: 'backup.stopping', tag: 1 } as const
const stopped = { kind: 'backup.stopped', tag: 1 } as const
const cleared = { kind: 'backup.flag_cleared', volume: 1 } as const

test('error-writes: at the deadline held writes fail in order of arrival, the image stands, later ones are refused', () => {
  const other = write(2, { volume: 2 })
  const past = [...host, backup('b', [1, 2], { policy: 'error-writes' }), write(1), other, write(3)]
  const now = given(...past)
  now
    .when(deadline(1))
    .then(deadline(1), ...[write(1), other, write(3)].map((one) => refusedLate(one, 'E_DEADLINE')))
  now.when(write(4)).then(refused(write(4), 'E_DEADLINE'))
  for (const asked of [read(5), flush(6)]) now.when(asked).then(passed(asked))
  now.when(deadline(1)).then(...refusal(deadline(1), 'E_NOT_ACTIVE'))
  now.when(stop('b')).then(stop('b'), stopping, cleared, { ...cleared, volume: 2 }, stopped)
  now.and((history) => assert.equal([history.place(1, 0), history.place(2, 0)], [0, 0]))
  now.when(write(7)).then(passed(write(7)))
})

test('error-writes: past the deadline a write that nobody asks for still goes, unless it overlaps', () => {
  const terms = { policy: 'error-writes', scope: 'blocks', ranges: blocks(1, 0) }
  given(...host, backup('b', [], terms), deadline(1))
    .when(write(1))
    .then(refused(write(1), 'E_DEADLINE'))
    .when(write(2, { at: 1 }))
    .then(passed(write(2, { at: 1 })))
})

test('error-writes: a full queue fails, the write that overran it last, and the backup goes on', () => {
  const now = given(...host, backup('b', [1], { policy: 'error-writes', maxEntries: 1 }), write(1))
  now.when(write(2)).then(held(write(2)), refusedLate(write(1), 'E_BOUND'), refusedLate(write(2), 'E_BOUND'))
  now.when(write(3)).then(held(write(3)))
  now.when(stop('b')).then(stop('b'), stopping, released(write(3)), cleared, stopped)
})

test('backpressure: a full queue refuses new writes, what is held stays', () => {
  const now = given(...host, backup('b', [1], { policy: 'backpressure', maxEntries: 1 }), write(1))
  now.when(write(2)).then(refused(write(2), 'E_AGAIN'))
  now.when(read(3)).then(passed(read(3)))
  now.when(deadline(1)).then(deadline(1), { kind: 'backup.expired', tag: 1 }, released(write(1)), cleared)
})

test('of several full queues the mildest policy counts', () => {
  const terms = (policy: string) => ({ policy, maxEntries: 1 })
  const all = [backup('a', [1], terms('abort-backup')), backup('e', [1], terms('error-writes'))]
  given(...host, ...all, write(1))
    .when(write(2))
    .then(held(write(2)), refusedLate(write(1), 'E_BOUND'), refusedLate(write(2), 'E_BOUND'))
  given(...host, ...all, backup('p', [1], terms('backpressure')), write(1))
    .when(write(2))
    .then(refused(write(2), 'E_AGAIN'))
})

test('the session of a backup never waits for it: its writes are refused, its reads go', () => {
  const now = given(...host, session('saver'), backup('b', [1], { session: 2 }), write(1))
  const own = write(2, { session: 2 })
  now.when(own).then(refused(own, 'E_BUSY_HOLD'))
  for (const asked of [read(3, { session: 2 }), flush(4, { session: 2 })]) now.when(asked).then(passed(asked))
  const free = write(5, { session: 2, volume: 2 })
  now.when(free).then(passed(free))
})

test('a broken backup: its session reads no more of its volumes, until it begins another', () => {
  const past = [...host, session('saver'), backup('b', [1], { session: 2 }), deadline(1)]
  const own = read(1, { session: 2 })
  const answers = (code: Code) => (code === 'ok' ? passed(own) : refused(own, code))
  const now = given(...past)
  now.when(own).then(answers('E_BROKEN'))
  now.when(read(2)).then(passed(read(2)))
  now.when(write(3, { session: 2 })).then(passed(write(3, { session: 2 })))
  const elsewhere = read(4, { session: 2, volume: 2 })
  now.when(elsewhere).then(passed(elsewhere))
  now
    .when(backup('c', [1], { session: 2 }))
    .when(own)
    .then(answers('ok'))
  given(...past, close(2)).and(({ world }) => assert.is(holdQueueOf(world).broken.size, 0))
  given(...past, crash).and(({ world }) => assert.is(holdQueueOf(world).broken.size, 0))
})

test('a session that leaves in an orderly way: what it submitted is handled, nothing new is taken', () => {
  const now = given(...host, session('two'), backup('b'), write(1), write(2, { session: 2 }))
  now.when(leave(1)).then(leave(1), { kind: 'session.closed', session: 1 })
  now.when(write(3)).then(refused(write(3), 'E_NO_SESSION'))
  now.when(close(2)).then(close(2), dropped(write(2, { session: 2 }), 'E_SESSION_CLOSED'), {
    kind: 'session.closed',
    session: 2,
  })
  now.when(stop('b')).then(stop('b'), stopping, released(write(1)), cleared, stopped)
  now.and((history) => assert.is(history.place(1, 0), 1000))
})

const started = { kind: 'engine.started', detail: { writer: 'w', epoch: 1, program: 'p' } } as const
const recover = { kind: 'engine.recover' } as const
const recovered = (count: number) =>
  ({ kind: 'engine.recovered', detail: { dropped: count, lost: 0 } }) as const

test('crash policy requeue: held writes outlive the crash and take effect at the release', () => {
  const now = given(...host, backup('b', [1], { crash: 'requeue' }), write(1), started)
  now.when(recover).then(recover, recovered(0))
  now.and((history) => assert.is(history.place(1, 0), 0))
  now.when(session(), write(2, { session: 2 })).then(held(write(2, { session: 2 })))
  now
    .when(stop('b'))
    .then(stop('b'), stopping, released(write(1)), released(write(2, { session: 2 })), cleared, stopped)
  now.and((history) => assert.is(history.place(1, 0), 2000))
})

test('crash policy requeue counts only if every backup of the volume has it, and a clean stop drops all the same', () => {
  const past = [...host, backup('b', [1], { crash: 'requeue' }), write(1)]
  given(...past, backup('c', [1]), started)
    .when(recover)
    .then(recover, dropped(write(1), 'E_CRASH'), recovered(1))
  given(...past)
    .when({ kind: 'engine.stop' })
    .and((history) => {
      const [, end] = history.ledger.from(history.world.seq - 2)
      assert.equal([end?.kind, end?.code], ['hold.dropped', 'E_STOPPED'])
    })
})

test.run()
