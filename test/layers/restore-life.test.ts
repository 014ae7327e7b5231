/** The life of a protected restore: failures, crashes, other clones, backups, and commands that are refused. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import {
  backup,
  block,
  close,
  copied,
  copyEnds,
  copying,
  crash,
  failed,
  fracture,
  given,
  held,
  lost,
  pair,
  queued,
  read,
  refusal,
  restore,
  type Step,
  session,
  sync,
  volume,
  write,
} from '../support/given.ts'
import type { History } from '../support/history.ts'

const test = suite('life of a restore')

/** A clone of the old content; the source is written anew in the extents 0, 1, 4, 5, 6 and 7 of 8. */
const changed: readonly Step[] = [
  volume('disk', 32),
  volume('clone', 32),
  volume('third', 32),
  session(),
  write(1, { count: 32 }),
  pair('p'),
  sync('p'),
  copied,
  fracture('p'),
  write(2, { count: 8 }),
  write(3, { at: 16, count: 16 }),
]
const restoring: readonly Step[] = [...changed, restore('p')]
/** What the clone holds at a block. */
const old = (at: number) => 1000 + at * 8
const run = (history: History) => restoresOf(history.world).byTag.get(1)!
const cdm = (history: History) => pairsOf(history.world).byTag.get(1)!.cdm.runs()

test('a failed copy fails who waits for it; its extent is tried again', () => {
  given(...restoring, read(4), write(5, { at: 1 }))
    .when(copyEnds(1, 0, 'E_IO'))
    .and((history) => {
      const events = history.ledger.from(history.world.seq - 3).map(({ kind, request }) => [kind, request])
      assert.equal(events, [
        ['copy.report', undefined],
        [failed(read(4)).kind, 4],
        ['io.failed', 5],
        ['copy.started', undefined],
      ])
    })
    .when(copied)
    .and((history) => assert.is(history.place(1, 0), old(0)))
})

test('a failed copy fails nobody who can do without it: a write of the whole extent goes', () => {
  given(...restoring, read(4), write(5, { count: 4 }), write(6, { at: 2, count: 4 }), read(7, { at: 4 }))
    .when(copyEnds(1, 0, 'E_IO'))
    .and((history) => {
      const events = history.ledger.from(history.world.seq - 4).map(({ kind, request }) => [kind, request])
      assert.equal(events, [
        ['copy.report', undefined],
        ['io.failed', 4],
        ['io.failed', 6],
        ['cod.released', 5],
        ['copy.started', undefined],
      ])
      assert.ok(run(history).prm.get(0), 'the host has the extent')
    })
    .when(copied)
    .and((history) => assert.is(restoresOf(history.world).byTag.size, 0, 'complete'))
})

test('after three failures in a row only demand copies go on, until the next start', () => {
  given(...restoring)
    .when(copyEnds(1, 0, 'E_IO'), copyEnds(1, 0, 'E_IO'), copyEnds(1, 0, 'E_IO'))
    .and((history) => {
      const last = history.ledger.from(history.world.seq)[0]
      assert.equal([last?.kind, last?.code], ['restore.failed', 'E_IO'])
    })
    .when(copyEnds(1, 1))
    .and((history) => assert.is([...run(history).gate.running()].length, 2, 'no copy follows'))
    .when(read(4))
    .then(queued(read(4)), copying(1, 0))
    .when(crash, copied)
    .and((history) => {
      assert.is(restoresOf(history.world).byTag.size, 0, 'complete')
      assert.equal(history.places(1, 32), history.places(2, 32))
    })
})

test('a crash loses who waits and resumes with exactly what is needed', () => {
  const past = [
    ...restoring,
    copyEnds(1, 0),
    write(4, { at: 28, count: 4 }),
    write(5, { at: 1 }),
    read(6, { at: 4 }),
  ]
  const recover = { kind: 'engine.recover' } as const
  given(...past, { kind: 'engine.started', detail: { writer: 'w', epoch: 1, program: 'p' } })
    .when(recover)
    .then(
      recover,
      lost(read(6), 'E_CRASH'),
      { kind: 'restore.resumed', tag: 1, detail: { count: 4 } },
      { kind: 'engine.recovered', detail: { dropped: 0, lost: 1 } },
      ...[1, 4, 5, 6].map((e) => copying(1, e)),
    )
    .when(copied)
    .and((history) => {
      assert.equal(
        [0, 1, 2, 28, 31].map((at) => history.place(1, at)),
        [old(0), 5000, old(2), 4000, 4024],
      )
      assert.equal(cdm(history), [0, 1, 7, 1])
    })
})

test('a report of a process that is gone is refused, even when its restore has ended', () => {
  given(...restoring).when((history) => {
    const [e, about] = [...run(history).gate.running()][0]!
    const report = {
      kind: 'copy.report',
      tag: 1,
      volume: 1,
      offset: e * 16_384,
      length: 16_384,
      about,
    } as const
    crash(history)
    assert.is(history.enter(report)[1]?.code, 'E_NOT_ACTIVE')
    copied(history)
    assert.is(history.enter(report)[1]?.code, 'E_NOT_ACTIVE')
    assert.equal(history.places(1, 32), history.places(2, 32))
  })
})

test('another clone of the source is fractured and marks what the restore changes', () => {
  const past = [
    ...changed.slice(0, 9),
    pair('q', 1, 3, block),
    sync('q'),
    copied,
    write(2, { at: 4, count: 2 }),
  ]
  given(...past)
    .when(restore('p'))
    .and((history) => {
      const other = pairsOf(history.world).byTag.get(2)!
      assert.equal([other.phase, other.cdm.runs()], ['fractured', [4, 4]])
    })
    .when(write(3, { at: 20 }), copied)
    .and((history) => {
      assert.equal(pairsOf(history.world).byTag.get(2)!.cdm.runs(), [4, 4, 20, 1])
      assert.equal(
        [4, 5, 20].map((at) => history.place(3, at)),
        [2000, 2008, old(20)],
      )
    })
})

test('a backup of a restoring source starts when what was admitted is through', () => {
  given(...restoring, write(4))
    .when(backup('b'))
    .then(backup('b'), { kind: 'backup.flag_set', tag: 1 })
    .when(write(5))
    .then(held(write(5)))
    .when(copied)
    .and((history) => {
      assert.is(history.place(1, 0), 4000)
      const started = history.ledger.from(1).filter(({ kind }) => kind === 'backup.started')
      assert.is(started.length, 1)
    })
})

test('a session that closes loses what it has in the queue', () => {
  given(...restoring, write(4))
    .when(close())
    .then(close(), lost(write(4), 'E_SESSION_CLOSED'), { kind: 'session.closed', session: 1 })
})

test('restores that cannot be are refused', () => {
  given(...changed)
    .when(restore('q'))
    .then(...refusal(restore('q'), 'E_NO_PAIR'))
    .when(sync('p'), copied, restore('p'))
    .then(...refusal(restore('p'), 'E_STATE'))
})

test.run()
