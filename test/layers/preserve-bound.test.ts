/** A view with a bound: what happens when image 2 is full. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { overlayOf } from '../../src/layers/preserve-state.ts'
import { loadWorld, saveWorld, stateHashText } from '../../src/volume/snapshot.ts'
import {
  backup,
  block,
  crash,
  discard,
  drop,
  given,
  held,
  merge,
  passed,
  preserve,
  read,
  refusal,
  refused,
  released,
  type Step,
  session,
  stop,
  volume,
  write,
  zeroes,
} from '../support/given.ts'
import { shown } from '../support/witness.ts'

const test = suite('bound of a view')

const view = 2
const on = (at: number, count = 1) => ({ at, count, volume: view })
/** The view may keep 4 blocks, and has 3. */
const nearlyFull: readonly Step[] = [
  ...[volume('disk'), session(), write(1, { count: 16 }), preserve('view', 1, 4), write(2, on(0, 3))],
]
const old = (at: number) => 1000 + at * 8

test('a write that image 2 has no room for is refused before the table changes, and the view stays as it is', () => {
  given(...nearlyFull)
    .when(write(3, on(8, 2)))
    .then(refused(write(3, on(8, 2)), 'E_NOSPC'))
    .and(({ world }) => assert.is(overlayOf(world, view)!.table.count, 3))
    .and((history) => assert.equal(shown(history, view, 8, 2), [old(8), old(9)]))
    .when(write(4, on(8)))
    .then(passed(write(4, on(8))))
    .when(write(5, on(9)))
    .then(refused(write(5, on(9)), 'E_NOSPC'))
    .when(read(6, on(0, 16)))
    .then(passed(read(6, on(0, 16))))
})

test('zeros and discards take a block as data does; what lies there may be written again', () => {
  given(...nearlyFull, discard(3, on(8)))
    .when(zeroes(4, on(9)))
    .then(refused(zeroes(4, on(9)), 'E_NOSPC'))
    .when(write(5, on(0, 3)), write(6, on(8)))
    .and((history) => assert.equal(shown(history, view, 0, 3), [5000, 5008, 5016]))
    .when(write(7, on(2, 2)))
    .then(refused(write(7, on(2, 2)), 'E_NOSPC'))
})

test('a write to the base is never refused, and makes room', () => {
  given(...nearlyFull, write(3, on(8)))
    .when(write(4, { at: 9 }), write(5, { at: 8 }))
    .and((history) => assert.equal(shown(history, view, 8, 2), [5000, 4000]))
    .when(write(6, on(12)))
    .then(passed(write(6, on(12))))
})

test('a held write finds out when it is released', () => {
  given(...nearlyFull, write(3, on(8)), backup('b', [view]))
    .when(write(4, on(9)))
    .then(held(write(4, on(9))))
    .when(write(5, on(0)))
    .then(held(write(5, on(0))))
    .when(stop('b'))
    .and((history) => {
      const ends = history.ledger.from(1).filter(({ kind }) => kind === 'hold.released')
      assert.equal(
        ends.map(({ request, fate, code }) => [request, fate, code]),
        [
          [4, 'refused', 'E_NOSPC'],
          [5, released(write(5)).fate, undefined],
        ],
      )
      assert.equal(shown(history, view, 9, 1), [old(9)])
      assert.equal(shown(history, view, 0, 1), [5000])
    })
})

test('the bound outlives a crash and a snapshot, and is part of the state', () => {
  given(...nearlyFull, write(3, on(8)), crash, session())
    .and(({ world }) => {
      const again = loadWorld(saveWorld(world))
      assert.is(overlayOf(again, view)!.maxBlocks, 4)
      assert.is(stateHashText(again), stateHashText(world))
    })
    .when({ ...write(4, on(9)), session: 2 })
    .then(refused({ ...write(4, on(9)), session: 2 }, 'E_NOSPC'))
  const hash = (most: number) => {
    let text = ''
    given(volume('disk'), preserve('view', 1, most)).and(({ world }) => {
      text = stateHashText(world)
    })
    return text
  }
  assert.is(new Set([0, 1, 2].map(hash)).size, 3)
})

test('a full view is merged and dropped like any other', () => {
  given(...nearlyFull, write(3, on(8)), merge(view)).and((history) =>
    assert.equal(history.places(1, 3), [2000, 2008, 2016]),
  )
  given(...nearlyFull, write(3, on(8)), drop(view)).and((history) =>
    assert.equal(history.places(1, 2), [old(0), old(1)]),
  )
})

test('a bound is whole blocks', () => {
  const odd = { ...preserve('view'), detail: { name: 'view', base: 1, maxBytes: block + 512 } }
  given(volume('disk'))
    .when(odd)
    .then(...refusal(odd, 'E_SIZE'))
})

test.run()
