/** Views of a base that is being restored: what they show, who waits, and what a crash or a snapshot keeps. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { volumeOf } from '../../src/layers/layer.ts'
import { preservesOf } from '../../src/layers/preserve-state.ts'
import { imageOf } from '../../src/volume/content.ts'
import { loadWorld, saveWorld, stateHashText } from '../../src/volume/snapshot.ts'
import {
  copied,
  copyEnds,
  copying,
  crash,
  drop,
  failed,
  flush,
  fracture,
  freed,
  given,
  merge,
  pair,
  passed,
  preserve,
  queued,
  read,
  restore,
  type Step,
  session,
  sync,
  volume,
  write,
  zeroes,
} from '../support/given.ts'
import { History } from '../support/history.ts'
import { placesOf, shown, witnessed } from '../support/witness.ts'

const test = suite('preserve: restore of the base')

const old = (at: number) => 1000 + at * 8
const on = (id: number, at = 0, count = 1) => ({ volume: id, at, count })

// A restore of the base while views are used: the clone holds 1000..., the source was written anew.
const changed: readonly Step[] = [
  volume('disk', 32),
  volume('clone', 32),
  session(),
  write(1, { count: 32 }),
  pair('p'),
  sync('p'),
  copied,
  fracture('p'),
  write(2, { count: 32 }),
]
const restoring: readonly Step[] = [...changed, restore('p')]

test('a view taken during a restore of its base shows the clone, the writes to the base and its own', () => {
  given(...restoring, preserve('view'))
    .and((history) => assert.equal(shown(history, 3), [...Array(32).keys()].map(old), 'the clone at once'))
    .when(write(3, on(3, 30)), write(4, on(1, 24, 4)), write(5, on(1, 31)), copied)
    .and((history) => {
      const expected = [...Array(32).keys()].map(old)
      for (let k = 0; k < 4; k++) expected[24 + k] = 4000 + k * 8
      expected[31] = 5000
      assert.equal(shown(history, 1), expected)
      expected[30] = 3000
      assert.equal(shown(history, 3), expected)
    })
})

test('a read of a view waits for the copies its base needs, and for no other', () => {
  const asked = read(4, on(3, 23, 3))
  given(...restoring, preserve('view'), write(3, on(3, 24, 2)))
    .when(read(5, on(3, 24, 2)))
    .then(passed(read(5, on(3, 24, 2))))
    .when(write(6, on(3, 20)))
    .then(passed(write(6, on(3, 20))))
    .when(flush(7, on(3)))
    .then(passed(flush(7, on(3))))
    .when(asked)
    .then(queued(asked), { ...copying(1, 5), flags: 8 })
    .when(copyEnds(1, 5))
    .and((history) => {
      const [, freedRead] = history.ledger.from(history.world.seq - 1)
      assert.equal([freedRead?.kind, freedRead?.request, freedRead?.volume], [freed(asked).kind, 4, 3])
    })
})

test('what a waiting read of a view finds is what is true when it goes', () => {
  const { witness } = witnessed(
    ...restoring,
    preserve('view'),
    read(3, on(3, 2, 2)),
    write(4, on(3, 3)),
    write(5, on(1, 2)),
    copied,
  )
  assert.equal(witness.answers.get(3), [old(2), 4000])
})

test('a failed copy fails the read of a view that asked for it', () => {
  const asked = read(3, on(3, 2))
  given(...restoring, preserve('view'), asked)
    .when(copyEnds(1, 0, 'E_IO'))
    .and((history) => {
      const end = history.ledger.from(1).find(({ kind }) => kind === 'io.failed')
      assert.equal([end?.kind, end?.request, end?.code], [failed(asked).kind, 3, 'E_IO'])
    })
})

test('a drop ends who waits for the view', () => {
  const asked = read(3, on(3, 2))
  given(...restoring, preserve('view'), asked)
    .when(drop(3))
    .then(drop(3), failed(asked, 'E_NO_VOLUME'), { kind: 'preserve.dropped', volume: 3 })
    .when(copied)
    .and((history) => assert.equal(history.places(1, 32), history.places(2, 32)))
})

test('the image of a view is what its readers see, whatever its base is doing', () => {
  given(
    ...restoring,
    preserve('view'),
    write(3, on(3, 5, 2)),
    zeroes(4, on(3, 25)),
    write(5, on(1, 24, 4)),
  ).and((history) => {
    const { world } = history
    const view = volumeOf(world, 3)!
    const { map } = imageOf(world, view)
    assert.equal(
      Array.from({ length: 32 }, (_, k) => map.get(k)),
      placesOf(world, view, 0, 32),
    )
    assert.equal(placesOf(world, view, 24, 2), [5000, 5008])
  })
})

test('a crash keeps tables and images; a snapshot of them goes on', () => {
  given(
    ...restoring,
    preserve('a'),
    preserve('b'),
    write(3, on(3, 7, 3)),
    zeroes(4, on(4, 1)),
    read(5, on(4, 2)),
  )
    .when(crash)
    .and((history) => {
      assert.equal(shown(history, 3, 7, 3), [3000, 3008, 3016])
      const { plain, pages, seq } = saveWorld(history.world)
      const world = loadWorld({ seq, plain: JSON.parse(JSON.stringify(plain)), pages })
      assert.is(stateHashText(world), stateHashText(history.world))
      assert.equal([...preservesOf(world).byView.keys()], [3, 4])
      const again = new History(undefined, world)
      for (const each of [history, again]) {
        each.enter(session())
        each.enter(write(6, { ...on(1, 8), session: 2 }))
        each.enter(drop(4))
        copied(each)
        each.enter(merge(3))
      }
      assert.is(stateHashText(again.world), stateHashText(history.world))
      assert.equal(shown(again, 1, 7, 3), [3000, 6000, 3016])
    })
})

test.run()
