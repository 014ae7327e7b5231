/** A restore under control: paused and resumed, cancelled, and the clone that lives outside. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import { cancel, outsidePair, pause, remove, resize, resume } from '../support/asked.ts'
import { cloneKinds, deltaOf, runOf } from '../support/clone-kind.ts'
import {
  block,
  breaks,
  close,
  copied,
  copyEnds,
  copying,
  crash,
  fracture,
  freed,
  given,
  passed,
  queued,
  read,
  refusal,
  restore,
  session,
  volume,
  write,
} from '../support/given.ts'
import { outside } from '../support/history.ts'

const test = suite('control of a restore')

for (const { name, past, at: old } of cloneKinds) {
  /** Extents 0 to 5 differ; four copies are under way. */
  const restoring = [...past(32, 24), restore('p')]

  test(`paused, only what hosts need is copied (clone ${name})`, () => {
    given(...restoring)
      .when(pause('p'))
      .then(pause('p'), { kind: 'restore.paused', tag: 1 })
      .when(copyEnds(1, 0), copyEnds(1, 1), copyEnds(1, 2), copyEnds(1, 3))
      .and((history) => assert.is(runOf(history).gate.copying.count, 0, 'no copy follows'))
      .when(read(3, { at: 20 }))
      .then(queued(read(3, { at: 20 })), { ...copying(1, 5), flags: 8 })
      .when(copyEnds(1, 5))
      .and((history) => assert.is(history.place(1, 20), old(20)))
      .when(pause('p'))
      .then(...refusal(pause('p'), 'E_ALREADY'))
      .when(resume('p'))
      .then(resume('p'), { kind: 'restore.resumed', tag: 1, detail: { count: 1 } }, copying(1, 4))
      .when(copied, resume('p'))
      .then(...refusal(resume('p'), 'E_NOT_ACTIVE'))
  })

  test(`a pause survives a restart (clone ${name})`, () => {
    given(...restoring, pause('p'), crash)
      .and((history) => {
        assert.equal([runOf(history).paused, runOf(history).gate.copying.count], [true, 0])
      })
      .when(session(), { ...read(3), session: 2 })
      .then(queued({ ...read(3), session: 2 }), copying(1, 0))
      .when(copyEnds(1, 0), resume('p'), copied)
      .and((history) => assert.is(restoresOf(history.world).byTag.size, 0))
  })

  test(`given up after failures, it goes on when it is told to (clone ${name})`, () => {
    const fails = copyEnds(1, 0, 'E_IO')
    given(...restoring, fails, fails, fails)
      .and((history) => assert.not(runOf(history).background))
      .when(resume('p'), copied)
      .and((history) => assert.is(restoresOf(history.world).byTag.size, 0))
  })

  test(`a cancel needs quiet hosts or force (clone ${name})`, () => {
    given(...restoring)
      .when(cancel('p', false))
      .then(...refusal(cancel('p', false), 'E_MIXED'))
      .when(fracture('p'))
      .then(...refusal(fracture('p'), 'E_MIXED'))
      .when(close(), cancel('p', false), cancel('p', false))
      .then(...refusal(cancel('p', false), 'E_ALREADY'))
      .when(pause('p'))
      .then(...refusal(pause('p'), 'E_STATE'))
      .when(copied)
      .and((history) => assert.is(restoresOf(history.world).byTag.size, 0))
  })

  test(`cancelled, the copies in flight end and the others never begin (clone ${name})`, () => {
    given(...restoring, write(3, { at: 26 }))
      .when(cancel('p'))
      .then(cancel('p'), { kind: 'restore.cancel_accepted', tag: 1, detail: { force: true } })
      .when(copyEnds(1, 0), copyEnds(1, 1), copyEnds(1, 2, 'E_IO'), copyEnds(1, 3))
      .and((history) => {
        const last = history.ledger.from(history.world.seq)[0]
        assert.equal([last?.kind, last?.detail?.mixedExtents], ['restore.cancelled', 3])
        assert.equal(deltaOf(history).runs(), [2, 1, 4, 3], 'CDM or PRM')
        assert.is(pairsOf(history.world).byTag.get(1)!.phase, 'fractured')
        assert.equal(
          [0, 8, 16, 26].map((at) => history.place(1, at)),
          [old(0), 2064, 2128, 3000],
          'what was not copied is what it was before the restore',
        )
      })
  })

  test(`who waits when a restore is cancelled goes on, in order, and nobody fails (clone ${name})`, () => {
    const asked = [write(3, { at: 1 }), read(4, { at: 1 }), read(5, { at: 20 })]
    given(...restoring, ...asked.slice(0, 2), cancel('p'), asked[2]!)
      .then(queued(asked[2]!))
      .when(copyEnds(1, 1), copyEnds(1, 2), copyEnds(1, 3))
      .when(copyEnds(1, 0))
      .and((history) => {
        const events = history.ledger.from(history.world.seq - 4)
        assert.equal(
          events.map(({ kind, request }) => [kind, request]),
          [
            ['copy.report', undefined],
            ...[3, 4].map((request) => [freed(asked[0]!).kind, request]),
            ['restore.cancelled', undefined],
            ['cod.released', 5],
          ],
        )
        assert.equal([history.place(1, 1), history.place(1, 20)], [3000, 2160])
        assert.ok(deltaOf(history).get(0))
      })
  })

  test(`a cancel survives a restart (clone ${name})`, () => {
    given(...restoring, cancel('p'), crash).and((history) => {
      assert.is(restoresOf(history.world).byTag.size, 0)
      assert.equal(deltaOf(history).runs(), [0, 6])
    })
  })
}

test('a fracture during a restore is a cancel', () => {
  const forced = { kind: 'pair.fracture', detail: { name: 'p', force: true } } as const
  given(...cloneKinds[0]!.past(32, 24), restore('p'), forced, copied).and((history) => {
    assert.ok(history.ledger.from(1).some(({ kind }) => kind === 'restore.cancelled'))
    assert.is(pairsOf(history.world).byTag.get(1)!.phase, 'fractured')
  })
})

test('a restore is cancelled only when it was asked for and nothing is copied', () => {
  const cancelled = { kind: 'restore.cancelled', tag: 1, detail: { mixedExtents: 0 } } as const
  given(...cloneKinds[0]!.past(32, 24), restore('p')).and((history) => {
    breaks('G-I9', () => history.plant(cancelled))
  })
  given(...cloneKinds[0]!.past(32, 24), restore('p'), cancel('p')).and((history) => {
    breaks('S3-I12', () => history.plant(cancelled))
  })
})

test('a pair with a clone outside: it must fit, all of it differs, and its bytes come with the reports', () => {
  const wrong = outsidePair('p', 1, 15)
  given(volume('disk'), session(), write(1, { count: 16 }))
    .when(wrong)
    .then(...refusal(wrong, 'E_SIZE'))
    .when(outsidePair('p', 1, 16))
    .and((history) => assert.equal(deltaOf(history).runs(), [0, 4]))
    .when(restore('p'), (history) => {
      const about = [...runOf(history).gate.running()][0]![1]
      const bare = { kind: 'copy.report', tag: 1, volume: 1, offset: 0, length: 4 * block, about } as const
      assert.is(history.enter(bare)[1]?.code, 'E_SIZE', 'a report without bytes')
    })
    .when(copied)
    .and((history) => assert.equal(history.places(1, 16), [...Array(16).keys()].map(outside)))
})

test('volumes are resized and deleted when nothing is going on there, and their numbers stay theirs', () => {
  given(volume('disk'), volume('clone'), session(), write(1, { count: 16 }))
    .when(resize(1, 10), resize(1, 20))
    .and((history) => {
      assert.equal(
        [9, 10, 15, 19].map((at) => history.place(1, at)),
        [1072, 0, 0, 0],
        'zeros behind an old end',
      )
    })
    .when(write(2, { at: 19 }))
    .then(passed(write(2, { at: 19 })))
    .when(remove(1))
    .then(remove(1), { kind: 'volume.deleted', volume: 1 })
    .when(remove(1))
    .then(...refusal(remove(1), 'E_NO_VOLUME'))
    .when(volume('disk'))
    .then(volume('disk'), { kind: 'volume.created', volume: 3 })
    .when({ ...resize(3, 1), detail: { size: 100 } })
    .then(...refusal({ ...resize(3, 1), detail: { size: 100 } }, 'E_SIZE'))
  given(...cloneKinds[0]!.past(32, 24))
    .when(resize(2, 1))
    .then(...refusal(resize(2, 1), 'E_STATE'))
    .when(remove(1))
    .then(...refusal(remove(1), 'E_STATE'))
})

test.run()
