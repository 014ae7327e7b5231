/** The unprotected restore: no host on the clone, writes to both sides at once, in sync at the end. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import { cancel } from '../support/asked.ts'
import { cloneKinds, copiesOf, deltaOf, runOf, startOf } from '../support/clone-kind.ts'
import {
  breaks,
  copied,
  copyEnds,
  copying,
  crash,
  fracture,
  given,
  pair,
  passed,
  queued,
  read,
  refusal,
  refused,
  restore,
  sync,
  volume,
  write,
  zeroes,
} from '../support/given.ts'
import { type History, revived } from '../support/history.ts'

const test = suite('unprotected restore')

const { past, at: old } = cloneKinds[0]!
const changed = past(32, 24)
const restoring = [...changed, restore('p', false)]
const phase = ({ world }: History) => pairsOf(world).byTag.get(1)!.phase

test('hosts have no access to the clone while it runs, and none while it is in sync', () => {
  const now = given(...restoring)
  for (const asked of [read(3, { volume: 2 }), write(4, { volume: 2 })]) {
    now.when(asked).then(refused(asked, 'E_BUSY_RESTORE'))
  }
  now
    .when(copied, read(5, { volume: 2 }))
    .then(refused(read(5, { volume: 2 }), 'E_BUSY_SYNC'))
    .when(fracture('p'), read(6, { volume: 2 }))
    .then(passed(read(6, { volume: 2 })))
})

test('a write to an extent that is as the clone is goes to both at once', () => {
  given(...restoring)
    .when(write(3, { at: 26, count: 2 }))
    .then(passed(write(3, { at: 26, count: 2 })))
    .and((history) => {
      assert.equal(
        [25, 26, 27, 28].map((at) => history.place(1, at)),
        [old(25), 3000, 3008, old(28)],
      )
      assert.equal(
        [25, 26, 27, 28].map((at) => history.place(2, at)),
        [old(25), 3000, 3008, old(28)],
      )
      assert.equal([deltaOf(history).get(6), runOf(history).prm.count], [false, 0])
    })
})

test('a partial write to an extent still to copy has it copied first, and lands on both', () => {
  const asked = write(3, { at: 21 })
  given(...restoring)
    .when(asked)
    .then(queued(asked), { ...copying(1, 5), flags: 8 })
    .and((history) => assert.is(history.place(2, 21), old(21), 'nothing is written yet'))
    .when(copyEnds(1, 5))
    .and((history) => {
      for (const of of [1, 2]) {
        assert.equal(
          [20, 21, 22].map((at) => history.place(of, at)),
          [old(20), 3000, old(22)],
        )
      }
      assert.not(deltaOf(history).get(5))
    })
})

test('a write of a whole extent needs no copy: both sides have it, and the extent is equal', () => {
  const asked = zeroes(3, { at: 16, count: 5 })
  given(...restoring, copyEnds(1, 0), copyEnds(1, 1))
    .when(copyEnds(1, 5))
    .when(copyEnds(1, 4))
    .when(asked)
    .then(passed(asked))
    .when(copied)
    .and((history) => assert.equal(history.places(1, 32), history.places(2, 32)))
  const whole = write(3, { at: 16, count: 4 })
  given(...restoring)
    .when(whole)
    .then(passed(whole))
    .and((history) => assert.not(deltaOf(history).get(4)))
    .when(copied)
    .and((history) => {
      assert.not(copiesOf(history, startOf(history)).includes(4))
      assert.equal([history.place(1, 16), history.place(2, 16)], [3000, 3000])
    })
})

test('it ends in sync, with both sides equal, and says so', () => {
  given(...restoring, write(3, { at: 9 }), copied).and((history) => {
    assert.is(phase(history), 'in-sync')
    assert.is(deltaOf(history).count, 0)
    assert.equal(history.places(1, 32), history.places(2, 32))
    const ended = history.ledger.from(1).find(({ kind }) => kind === 'restore.completed')
    assert.equal([ended?.detail?.protected, ended?.detail?.prmCount], [false, 0])
    history.enter(write(4, { at: 0 }))
    assert.is(history.place(2, 0), 4000, 'writes go on to both')
  })
})

test('a crash in the middle converges: what was written is on both sides', () => {
  given(
    ...restoring,
    write(3, { at: 16, count: 4 }),
    copyEnds(1, 1),
    write(4, { at: 5 }),
    write(5, { at: 9 }),
  ).and((before) => {
    const history = revived(before)
    crash(history)
    const resumed = history.ledger.from(before.world.seq + 1).find(({ kind }) => kind === 'restore.resumed')
    assert.is(resumed?.detail?.count, 4)
    copied(history)
    assert.equal(history.places(1, 32), history.places(2, 32))
    assert.equal(
      [5, 9, 16].map((at) => history.place(1, at)),
      [4000, old(9), 3000],
    )
    assert.is(phase(history), 'in-sync')
  })
})

test('cancelled, what was not copied differs still, and the clone has what hosts wrote', () => {
  given(...restoring, write(3, { at: 26 }), write(4, { at: 16, count: 4 }), cancel('p'), copied).and(
    (history) => {
      assert.is(phase(history), 'fractured')
      assert.equal([history.place(2, 26), history.place(2, 16)], [3000, 4000])
      for (let block = 0; block < 32; block++) {
        if (history.place(1, block) !== history.place(2, block)) {
          assert.ok(deltaOf(history).get(Math.floor(block / 4)), `block ${block}`)
        }
      }
    },
  )
})

test('another clone of the source marks what hosts write meanwhile', () => {
  const three = [volume('third', 32), pair('q', 1, 3), sync('q'), copied, fracture('q')]
  given(...past(32, 24), ...three, restore('p', false), write(3, { at: 29 }), copied).and((history) => {
    assert.ok(pairsOf(history.world).byTag.get(2)!.cdm.get(7))
    assert.is(history.place(3, 29), old(29))
  })
})

test('a clone outside cannot be written, so it cannot be restored from unprotected, nor synced', () => {
  const outer = cloneKinds[1]!.past(32, 24)
  given(...outer)
    .when(restore('p', false))
    .then(...refusal(restore('p', false), 'E_READ_ONLY'))
    .when(sync('p'))
    .then(...refusal(sync('p'), 'E_READ_ONLY'))
})

test('an end that leaves the sides different, or writes the clone alone, breaks a rule', () => {
  given(...restoring).and((history) => {
    breaks('S3-I11', () => history.plant(passed(write(9, { volume: 2, at: 30 }))))
  })
  given(...restoring).and((history) => {
    const { cdm } = pairsOf(history.world).byTag.get(1)!
    const { gate } = restoresOf(history.world).byTag.get(1)!
    for (const e of [0, 1, 2, 3]) gate.ended(e)
    cdm.clearAll()
    const detail = { protected: false, prmCount: 0, cdmHash: '' }
    breaks('S3-I12', () => history.plant({ kind: 'restore.completed', tag: 1, detail }))
  })
})

test.run()
