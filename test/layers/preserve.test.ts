/** Views: how they begin and end, what they show, who is held with them. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { holdQueueOf } from '../../src/layers/hold-queue.ts'
import { volumeOf } from '../../src/layers/layer.ts'
import { heldTogether, overlayOf } from '../../src/layers/preserve-state.ts'
import { stateHashText } from '../../src/volume/snapshot.ts'
import {
  backup,
  block,
  deadline,
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
  type Step,
  session,
  stop,
  volume,
  write,
  zeroes,
} from '../support/given.ts'
import type { History } from '../support/history.ts'
import { shown } from '../support/witness.ts'

const test = suite('preserve')

const host: readonly Step[] = [volume('disk'), session(), write(1, { count: 16 })]
const old = (at: number) => 1000 + at * 8
const created = (id: number, name: string, base = 1) =>
  ({ kind: 'preserve.created', volume: id, detail: { name, base } }) as const
const on = (id: number, at = 0, count = 1) => ({ volume: id, at, count })
const table = ({ world }: History, id: number) => overlayOf(world, id)!.table.runs()

test('a view is a volume that shows its base', () => {
  given(...host)
    .when(preserve('view'))
    .then(preserve('view'), created(2, 'view'))
    .and((history) => {
      assert.equal(shown(history, 2), shown(history, 1))
      const { name, size } = volumeOf(history.world, 2)!
      assert.equal([name, size], ['view', 16 * block])
    })
})

test('writes, zeroes and discards of the view are its own, those of the base show in both', () => {
  given(...host, preserve('view'), write(2, on(2, 0)), zeroes(3, on(2, 1)), discard(4, on(2, 2)))
    .and((history) => {
      assert.equal(shown(history, 2, 0, 4), [2000, 0, 0, old(3)])
      assert.equal(shown(history, 1, 0, 4), [0, 1, 2, 3].map(old))
      assert.equal(table(history, 2), [0, 3])
    })
    .when(zeroes(5, on(1, 0)), write(6, on(1, 2)), discard(7, on(1, 3)))
    .and((history) => {
      assert.equal(shown(history, 2, 0, 4), [0, 0, 6000, 0])
      assert.equal(shown(history, 1, 0, 4), [0, old(1), 6000, 0])
      assert.equal(table(history, 2), [1, 1])
      assert.equal(history.places(2, 16), new Array(16).fill(0), 'image 2 keeps nothing it does not need')
    })
})

test('several views of a base have tables of their own', () => {
  given(...host, preserve('a'), preserve('b'), write(2, on(2, 4)), write(3, on(3, 4)), write(4, on(3, 5)))
    .and((history) => {
      assert.equal(
        [table(history, 2), table(history, 3)],
        [
          [4, 1],
          [4, 2],
        ],
      )
      assert.equal(
        [1, 2, 3].map((id) => shown(history, id)[4]),
        [old(4), 2000, 3000],
      )
    })
    .when(write(5, on(1, 4)))
    .and((history) => {
      assert.equal([table(history, 2), table(history, 3)], [[], [5, 1]])
      assert.equal(
        [1, 2, 3].map((id) => shown(history, id)[4]),
        [5000, 5000, 5000],
      )
    })
})

test('a dropped view is gone and its number is not given again; its name is', () => {
  const asked = read(3, on(2))
  given(...host, preserve('view'), write(2, on(2)))
    .when(drop(2))
    .then(drop(2), { kind: 'preserve.dropped', volume: 2 })
    .and((history) => assert.equal(shown(history, 1, 0, 2), [old(0), old(1)]))
    .when(asked)
    .then(refused(asked, 'E_NO_VOLUME'))
    .when(drop(2))
    .then(...refusal(drop(2), 'E_NO_VOLUME'))
    .when(preserve('view'))
    .then(preserve('view'), created(3, 'view'))
    .when(volume('other'))
    .and(({ world }) => assert.is(world.volumes.length, 4))
})

test('commands that make no sense are refused', () => {
  const now = given(...host, volume('other'), preserve('view'))
  now.when(preserve('-x')).then(...refusal(preserve('-x'), 'E_NAME'))
  now.when(preserve('other')).then(...refusal(preserve('other'), 'E_ALREADY'))
  now.when(preserve('new', 9)).then(...refusal(preserve('new', 9), 'E_NO_VOLUME'))
  now.when(preserve('new', 3)).then(...refusal(preserve('new', 3), 'E_CHAIN'))
  for (const wrong of [1, 2, 9]) {
    now.when(drop(wrong)).then(...refusal(drop(wrong), 'E_NO_VOLUME'))
    now.when(merge(wrong)).then(...refusal(merge(wrong), 'E_NO_VOLUME'))
  }
})

test('a base of 2^31 blocks has no lookup table', () => {
  const big = preserve('view', 2)
  given(...host, volume('big', 2 ** 31, 512), volume('fits', 2 ** 31 - 1, 512))
    .when(big)
    .then(...refusal(big, 'E_SIZE'))
    .when(preserve('view', 3))
    .then(preserve('view', 3), created(4, 'view', 3))
})

test('a backup of a view holds the writes of its base with it', () => {
  const past = [...host, preserve('view'), volume('other'), backup('b', [2, 3])]
  given(...past)
    .and(({ world }) => {
      assert.equal(holdQueueOf(world).backups.get(1)?.volumes, [2, 3, 1])
      assert.equal(heldTogether(world, [3]), [3])
      assert.equal(heldTogether(world, [1, 2]), [1, 2])
    })
    .when(write(2, on(1)))
    .then(held(write(2, on(1))))
    .when(write(3, on(2, 1)))
    .then(held(write(3, on(2, 1))))
    .when(stop('b'))
    .and((history) => {
      assert.equal(shown(history, 1, 0, 2), [2000, old(1)])
      assert.equal(shown(history, 2, 0, 2), [2000, 3000])
    })
})

test('a backup of a base leaves its views alone; what it held is a write to the base when it goes', () => {
  const past = [...host, backup('b'), write(2, on(1, 3)), preserve('view')]
  given(...past)
    .when(write(3, on(2, 3)))
    .then(passed(write(3, on(2, 3))))
    .when(write(4, on(2, 4)), stop('b'))
    .and((history) => {
      assert.equal(shown(history, 2, 3, 2), [2000, 4000])
      assert.equal(shown(history, 1, 3, 2), [2000, old(4)])
    })
    .when(deadline(1))
    .then(...refusal(deadline(1), 'E_NOT_ACTIVE'))
})

test('every part of a view is in the hash of the state', () => {
  const hashes = [
    [],
    [preserve('a')],
    [preserve('b', 2)],
    [preserve('a'), zeroes(2, on(3, 1))],
    [preserve('a'), zeroes(2, on(3, 2))],
    [preserve('a'), drop(3)],
  ].map((steps) => {
    let hash = ''
    given(volume('disk'), volume('other'), session(), ...steps).and(({ world }) => {
      hash = stateHashText(world)
    })
    return hash
  })
  assert.is(new Set(hashes).size, hashes.length)
})

test.run()
