/** The claims of seed S4, the protected restore: one test for each row of requirements, with an internal clone. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Prng } from '../../src/core/prng.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import {
  copied,
  copyEnds,
  fracture,
  given,
  pair,
  passed,
  read,
  refused,
  restore,
  type Step,
  session,
  sync,
  volume,
  write,
} from '../support/given.ts'
import { type History, reportsOf } from '../support/history.ts'

const test = suite('S4 claims')

const changed: readonly Step[] = [
  volume('disk', 64),
  volume('clone', 64),
  session(),
  write(1, { count: 64 }),
  pair('p'),
  sync('p'),
  copied,
  fracture('p'),
  write(2, { count: 40 }),
]
const restoring = [...changed, restore('p')]
const old = (at: number) => 1000 + at * 8
const cdm = ({ world }: History) => pairsOf(world).byTag.get(1)!.cdm.runs()
const copies = (history: History, from = 1) =>
  history.ledger
    .from(from)
    .filter(({ kind, volume }) => kind === 'copy.started' && volume === 1)
    .map(({ offset }) => (offset ?? 0) / 16_384)

test('S4 claims 1, 8, 15: hosts read and write the source during the restore, the clone is not overwritten', () => {
  given(...restoring).and((history) => {
    const clone = history.places(2, 64)
    const random = new Prng(1)
    let through = 0
    for (let k = 10; restoresOf(history.world).byTag.size > 0; k++) {
      const place = { at: random.below(60), count: 1 + random.below(4) }
      const [io] = history.enter(k % 2 === 0 ? read(k, place) : write(k, place))
      assert.is.not(io?.fate, 'refused')
      if (io?.fate === 'passed') through++
      const copy = reportsOf(history.world)[0]
      if (k % 3 === 0 && copy !== undefined) history.enter(copy)
      if (k % 100 === 0) assert.equal(history.places(2, 64), clone)
    }
    assert.ok(through > 5)
    assert.equal(history.places(2, 64), clone)
  })
})

test('S4 claims 1, 8, 15: a write to the clone is refused, a read of it is not', () => {
  const wrong = write(3, { volume: 2 })
  given(...restoring)
    .when(wrong)
    .then(refused(wrong, 'E_CLONE_PROTECTED'))
    .when(read(4, { volume: 2 }))
    .then(passed(read(4, { volume: 2 })))
})

test('S4 claims 2, 9, 16: source and clone are logical units that hosts use by themselves', () => {
  given(...restoring, copied)
    .when(write(3, { volume: 2 }), write(4))
    .and((history) => assert.equal([history.place(1, 0), history.place(2, 0)], [4000, 3000]))
})

test('S4 claims 3, 5, 10, 12, 17, 19: the protected restore map tracks the extents of the source that hosts changed', () => {
  given(...restoring, write(3, { at: 41 }), write(4, { at: 55, count: 3 }), read(5, { at: 45 }))
    .and(({ world }) => assert.equal(restoresOf(world).byTag.get(1)!.prm.runs(), [10, 1, 13, 2]))
    .when(write(6, { at: 3, count: 2 }), copyEnds(1, 0), copyEnds(1, 1))
    .and(({ world }) => assert.equal(restoresOf(world).byTag.get(1)!.prm.runs(), [0, 2, 10, 1, 13, 2]))
})

test('S4 claims 4, 11, 18: the clone delta map tracks what may differ, written on either side', () => {
  given(...changed, copied, write(3, { at: 60, volume: 2 })).and((history) => {
    assert.equal(cdm(history), [0, 10, 15, 1])
  })
})

test('S4 claims 6, 13, 20: only extents that differ are copied', () => {
  given(...restoring, copied).and((history) => assert.equal(copies(history), [...Array(10).keys()]))
})

test('S4 claims 7, 14, 21: copied is what the delta map marks and the protected map does not', () => {
  given(...restoring, write(3, { at: 32, count: 4 }), copied).and((history) => {
    assert.equal(copies(history), [0, 1, 2, 3, 4, 5, 6, 7, 9])
    assert.is(history.place(1, 32), 3000)
  })
})

test('S4 claims 7, 14, 21: at the end the protected map becomes the delta map, and a second restore copies exactly that', () => {
  given(...restoring, write(3, { at: 32, count: 4 }), write(4, { at: 50 }), copied).and((history) => {
    assert.equal(cdm(history), [8, 1, 12, 1])
    const from = history.world.seq + 1
    history.enter(restore('p'))
    copied(history)
    assert.equal(copies(history, from), [8, 12])
    assert.equal(history.places(1, 64), [...Array(64).keys()].map(old), 'the same content as the first time')
    assert.equal(cdm(history), [])
  })
})

test.run()
