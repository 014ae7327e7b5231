/** The hold queue: what it holds, when it starts, how it ends, its bounds, and what a crash leaves of it. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { holdQueueOf } from '../../src/layers/hold-queue.ts'
import {
  backup,
  cloned,
  close,
  copied,
  copyEnds,
  crash,
  deadline,
  discard,
  dropped,
  extentBlocks,
  flush,
  fracture,
  freed,
  given,
  held,
  lost,
  pair,
  passed,
  read,
  refusal,
  released,
  session,
  stop,
  sync,
  volume,
  write,
  zeroes,
} from '../support/given.ts'

const test = suite('hold queue')

const host = [volume('disk'), volume('other'), session()] as const
const started = { kind: 'backup.started', tag: 1 } as const
const stopping = { kind: 'backup.stopping', tag: 1 } as const
const stopped = { kind: 'backup.stopped', tag: 1 } as const
const cleared = { kind: 'backup.flag_cleared', volume: 1 } as const

test('without a backup a write goes straight down', () => {
  given(...host)
    .when(write(1))
    .then(passed(write(1)))
})

test('everything that changes content is held, reads and flushes are not', () => {
  const now = given(...host, backup('b'))
  for (const asked of [write(1), zeroes(2), discard(3)]) now.when(asked).then(held(asked))
  for (const asked of [read(4), flush(5)]) now.when(asked).then(passed(asked))
})

test('a backup of an idle volume starts in the entry of its command', () => {
  given(...host)
    .when(backup('b'))
    .then(backup('b'), { kind: 'backup.flag_set', tag: 1 }, started)
})

test('defaults are on record with the flag: a deadline and bounds for the queue', () => {
  const detail = { name: 'b', volumes: [1], deadlineMs: 10_000, maxEntries: 65_536, maxBytes: 2 ** 28 }
  given(...host)
    .when(backup('b'))
    .and((history) => {
      const [, set] = history.ledger.from(history.world.seq - 2)
      assert.equal({ ...set?.detail, atUs: 0 }, { ...detail, atUs: 0 })
    })
})

test('a write that waits for a copy keeps the backup quiescing, a new one is held meanwhile', () => {
  const syncing = [...host.slice(0, 2), session(), write(1, { count: 16 }), pair('p'), sync('p')]
  given(...syncing, write(2))
    .when(backup('b'))
    .then(backup('b'), { kind: 'backup.flag_set', tag: 1 })
    .when(write(3, { at: 5 }))
    .then(held(write(3, { at: 5 })))
    .when(copyEnds(2, 0))
    .and((history) => {
      const kinds = history.ledger.from(history.world.seq - 1).map(({ kind }) => kind)
      assert.equal(kinds, ['cod.released', 'backup.started'])
    })
})

test('the stop releases in order, and only then the flag is cleared', () => {
  given(...host, backup('b'), write(1), write(2), zeroes(3))
    .when(stop('b'))
    .then(stop('b'), stopping, released(write(1)), released(write(2)), released(zeroes(3)), cleared, stopped)
    .when(write(4))
    .then(passed(write(4)))
})

test('a released write that touches a running copy is queued below the gate', () => {
  const past = [
    ...host,
    write(1, { count: 16 }),
    pair('p'),
    backup('b'),
    write(2),
    write(3, { at: 5 }),
    sync('p'),
  ]
  const over = write(4, { at: 15 })
  given(...past, over)
    .when(stop('b'))
    .then(
      stop('b'),
      stopping,
      released(write(2), 'queued'),
      released(write(3, { at: 5 }), 'queued'),
      released(over, 'queued'),
      cleared,
      stopped,
    )
    .when(copyEnds(2, 1))
    .when(copied)
    .and((history) =>
      assert.equal(
        [0, 5, 15].map((block) => history.place(1, block)),
        [2000, 3000, 4000],
      ),
    )
})

test('backups nest: the flag stays until the last one ends', () => {
  given(...host, backup('a'), backup('b', [1, 2]), write(1), write(2, { volume: 2 }))
    .when(stop('a'))
    .then(stop('a'), stopping, stopped)
    .when(write(3))
    .then(held(write(3)))
    .when(stop('b'))
    .then(
      stop('b'),
      { kind: 'backup.stopping', tag: 2 },
      released(write(1)),
      released(write(3)),
      cleared,
      released(write(2, { volume: 2 })),
      { ...cleared, volume: 2 },
      { kind: 'backup.stopped', tag: 2 },
    )
})

test('the deadline aborts every backup of the volume and releases in order', () => {
  given(...host, backup('a'), backup('b', [1, 2]), write(1))
    .when(deadline(1))
    .then(
      deadline(1),
      { kind: 'backup.expired', tag: 1 },
      { kind: 'backup.aborted', tag: 2, code: 'E_DEADLINE' },
      released(write(1)),
      cleared,
      { ...cleared, volume: 2 },
    )
    .when(deadline(1))
    .then(...refusal(deadline(1), 'E_NOT_ACTIVE'))
})

test('the write that overruns the bound is held, and the backup gives up at once', () => {
  for (const terms of [{ maxEntries: 2 }, { maxBytes: 2 * 4096 }]) {
    given(...host, backup('b', [1], terms), write(1), write(2))
      .when(write(3))
      .then(
        held(write(3)),
        { kind: 'backup.aborted', tag: 1, code: 'E_BOUND' },
        released(write(1)),
        released(write(2)),
        released(write(3)),
        cleared,
      )
  }
})

test('a session that closes takes its held writes with it', () => {
  given(...host, session('two'), backup('b'), write(1), write(2, { session: 2 }), write(3))
    .when(close(1))
    .then(close(1), dropped(write(1), 'E_SESSION_CLOSED'), dropped(write(3), 'E_SESSION_CLOSED'), {
      kind: 'session.closed',
      session: 1,
    })
    .when(stop('b'))
    .then(stop('b'), stopping, released(write(2, { session: 2 })), cleared, stopped)
})

test('a crash drops what is held; a backup whose image stands goes on, another is aborted', () => {
  const past = [...host, backup('b'), write(1), write(2, { at: 1 })]
  const recover = { kind: 'engine.recover' } as const
  given(...past, { kind: 'engine.started', detail: { writer: 'w', epoch: 1, program: 'p' } })
    .when(recover)
    .then(recover, dropped(write(1), 'E_CRASH'), dropped(write(2, { at: 1 }), 'E_CRASH'), {
      kind: 'engine.recovered',
      detail: { dropped: 2, lost: 0 },
    })
    .when(session(), write(3, { session: 2 }))
    .then(held(write(3, { session: 2 })))
    .and((history) => assert.equal(history.places(1, 2), [0, 0]))

  const quiescing = [...host, write(1, { count: 16 }), pair('p'), sync('p'), write(2), backup('b')]
  given(...quiescing, { kind: 'engine.started', detail: { writer: 'w', epoch: 1, program: 'p' } })
    .when(recover)
    .and((history) => {
      const events = history.ledger
        .from(history.world.seq - 8)
        .filter(({ kind }) => /^(?:io\.lost|backup)/.test(kind))
      const brief = events.map(({ kind, code }) => `${kind} ${code ?? ''}`)
      assert.equal(brief, ['backup.aborted E_CRASH', 'io.lost E_CRASH', 'backup.flag_cleared '])
      assert.is(holdQueueOf(history.world).backups.size, 0)
    })
})

test('a clean stop ends what waits', () => {
  given(...cloned, write(1, { count: 16 }), sync('p'), write(2), backup('b'), write(3, { at: 9 }))
    .when({ kind: 'engine.stop' })
    .and((history) => {
      const ends = history.ledger.from(1).filter(({ kind }) => kind === 'io.lost' || kind === 'hold.dropped')
      assert.equal(
        ends.map(({ kind, request, code }) => [kind, request, code]),
        [dropped(write(3), 'E_STOPPED'), lost(write(2), 'E_STOPPED')].map(({ kind, request, code }) => [
          kind,
          request,
          code,
        ]),
      )
    })
})

test('fracturing a pair frees held writes that were queued for its copies', () => {
  const past = [...cloned, write(1, { count: 16 }), backup('b'), write(2), sync('p')]
  given(...past)
    .when(stop('b'))
    .then(stop('b'), stopping, released(write(2), 'queued'), cleared, stopped)
    .when(fracture('p'))
    .then(fracture('p'), { kind: 'pair.fractured', tag: 1 }, freed(write(2)))
    .and((history) => assert.is(history.place(1, 0), 2000))
    .when(crash)
    .and((history) => assert.is(history.place(2, extentBlocks), 0))
})

test('commands about backups that make no sense are refused', () => {
  const now = given(...host, backup('b'))
  now.when(stop('c')).then(...refusal(stop('c'), 'E_NOT_ACTIVE'))
  now.when(backup('b')).then(...refusal(backup('b'), 'E_ALREADY'))
  for (const volumes of [[], [9], [1, 1]]) {
    now.when(backup('c', volumes)).then(...refusal(backup('c', volumes), 'E_NO_VOLUME'))
  }
  for (const name of ['', '-a', 'a b', 'x'.repeat(65)]) {
    now.when(backup(name)).then(...refusal(backup(name), 'E_NAME'))
  }
  now
    .when(stop('b'))
    .when(stop('b'))
    .then(...refusal(stop('b'), 'E_NOT_ACTIVE'))
  now.when(read(1)).then(passed(read(1)))
})

test.run()
