/** Merges: a base becomes what a view is, past copies, waiting writes, other views and clones. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { overlayOf } from '../../src/layers/preserve-state.ts'
import {
  backup,
  block,
  cloned,
  copied,
  copyEnds,
  crash,
  fracture,
  given,
  merge,
  preserve,
  read,
  refusal,
  type Step,
  session,
  sync,
  volume,
  write,
  zeroes,
} from '../support/given.ts'
import type { History } from '../support/history.ts'
import { shown } from '../support/witness.ts'

const test = suite('preserve: merge')

const host: readonly Step[] = [volume('disk'), session(), write(1, { count: 16 })]
const old = (at: number) => 1000 + at * 8
const on = (id: number, at = 0, count = 1) => ({ volume: id, at, count })
const table = ({ world }: History, id: number) => overlayOf(world, id)!.table.runs()
const merged = (base: number, at: number, count: number, payload: number) =>
  ({
    kind: 'merge.block',
    fate: 'passed',
    op: payload === 0 ? 'zeroes' : 'write',
    volume: base,
    offset: at * block,
    length: count * block,
    payload,
  }) as const
const finished = (id: number) => ({ kind: 'merge.finished', volume: id }) as const
const kindsFrom = (history: History, seq: number) => history.ledger.from(seq).map(({ kind }) => kind)

test('a merge makes the base what the view is, run by run, and the view ends', () => {
  const past = [preserve('view'), write(2, on(2, 3, 2)), write(3, on(2, 5)), zeroes(4, on(2, 9, 2))]
  given(...host, ...past)
    .when(merge(2))
    .then(
      merge(2),
      { kind: 'merge.started', volume: 2, detail: { blocks: 5 } },
      merged(1, 3, 2, 2000),
      merged(1, 5, 1, 3000),
      merged(1, 9, 2, 0),
      finished(2),
    )
    .and((history) => {
      assert.equal(shown(history, 1, 2, 5), [old(2), 2000, 2008, 3000, old(6)])
      assert.equal(shown(history, 1, 9, 3), [0, 0, old(11)])
      assert.is(history.enter(read(5, on(2)))[0]?.code, 'E_NO_VOLUME')
    })
})

test('a view with nothing of its own is merged at once', () => {
  given(...host, preserve('view'))
    .when(merge(2))
    .then(merge(2), { kind: 'merge.started', volume: 2 }, finished(2))
})

test('what is merged is a write to the base for other views and for the pairs it is in', () => {
  given(
    ...cloned,
    write(1, { count: 16 }),
    preserve('a'),
    preserve('b'),
    write(2, on(3, 2)),
    write(3, on(4, 2)),
  )
    .when(merge(3))
    .and((history) => {
      assert.equal(table(history, 4), [])
      assert.equal(
        [1, 4].map((id) => shown(history, id)[2]),
        [2000, 2000],
      )
    })
  given(...cloned, sync('p'), copied, preserve('a'), write(2, on(3, 2)), merge(3)).and((history) =>
    assert.is(history.place(2, 2), 2000, 'a clone in sync follows'),
  )
})

test('a merge waits for copies and waiting writes on its blocks, and goes on by itself', () => {
  const waits = write(3, on(1, 6))
  const past = [...cloned, write(1, { count: 16 }), preserve('view'), write(2, on(3, 5, 9)), sync('p')]
  given(...past, waits)
    .when(merge(3))
    .then(merge(3), { kind: 'merge.started', volume: 3, detail: { blocks: 9 } })
    .when(backup('b'))
    .then(...refusal(backup('b'), 'E_BUSY_MERGE'))
    .when(write(4, on(3, 0)))
    .and((history) => assert.equal(table(history, 3), [0, 1, 5, 9], 'the view is in use meanwhile'))
    .when(copyEnds(2, 1))
    .and((history) => {
      const kinds = kindsFrom(history, history.world.seq - 3)
      assert.equal(kinds, ['copy.report', 'merge.block', 'merge.block', 'cod.released'])
      assert.equal(shown(history, 1, 5, 3), [2000, 3000, 2016])
      assert.equal(shown(history, 3, 5, 3), [2000, 3000, 2016])
    })
    .when(crash)
    .and((history) => {
      assert.ok(kindsFrom(history, 1).includes('merge.finished'), 'a recovered merge goes on')
      assert.equal(shown(history, 1, 12, 2), [2056, 2064])
      assert.is(shown(history, 1)[0], 4000)
    })
})

test('a fracture lets a merge go on', () => {
  given(...cloned, write(1, { count: 16 }), preserve('view'), write(2, on(3, 5)), sync('p'), merge(3))
    .when(fracture('p'))
    .then(fracture('p'), { kind: 'pair.fractured', tag: 1 }, merged(1, 5, 1, 2000), finished(3))
})

test('a merge of more than 2^18 pieces is refused', () => {
  const pieces = 2 ** 18 + 1
  given(volume('disk', pieces * 2), session(), preserve('view'))
    .and((history) => {
      for (let k = 0; k < pieces; k++) history.enter(write(k + 1, on(2, k * 2)))
    })
    .when(merge(2))
    .then(...refusal(merge(2), 'E_BOUND'))
    .when(write(1, on(1, 0)), merge(2))
    .and((history) => {
      assert.is(kindsFrom(history, history.world.seq).at(0), 'merge.finished')
      assert.is(history.place(1, 2), 2000)
    })
})

test.run()
