/** A pair that is given up: only while nothing runs on it; both volumes stay, and may be deleted or paired anew. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { loadWorld, saveWorld, stateHashText } from '../../src/volume/snapshot.ts'
import { outsidePair, remove, unpair } from '../support/asked.ts'
import { cloned, copied, fracture, given, pair, refusal, restore, sync, write } from '../support/given.ts'

const test = suite('pair deleted')

test('a fractured pair is deleted, and its volumes are free', () => {
  given(...cloned, write(1, { count: 8 }))
    .when(remove(2))
    .then(...refusal(remove(2), 'E_STATE'))
    .when(unpair('p'))
    .then(unpair('p'), { kind: 'pair.deleted', tag: 1 })
    .and(({ world }) => {
      assert.is(pairsOf(world).byTag.size, 0)
      assert.is(pairsOf(world).byVolume.size, 0)
      assert.is(stateHashText(loadWorld(saveWorld(world))), stateHashText(world))
    })
    .when(write(2, { volume: 2 }), restore('p'))
    .then(...refusal(restore('p'), 'E_NO_PAIR'))
    .when(remove(2))
    .then(remove(2), { kind: 'volume.deleted', volume: 2 })
})

test('the number of a pair is not given again, its name is; all that differs is found anew', () => {
  given(...cloned, write(1, { count: 8 }), unpair('p'), write(2, { at: 15 }))
    .when(pair('p'))
    .then(pair('p'), { kind: 'pair.created', tag: 2 })
    .and(({ world }) => assert.equal(pairsOf(world).byTag.get(2)!.cdm.runs(), [0, 2, 3, 1]))
    .when(restore('p'), copied)
    .and((history) => assert.equal(history.places(1, 16), history.places(2, 16)))
})

test('another pair of the same source goes on', () => {
  const third = { kind: 'volume.create', detail: { name: 'third', size: 16 * 4096, block: 4096 } } as const
  given(...cloned, third, pair('q', 1, 3), sync('q'), unpair('p'))
    .when(copied, write(1))
    .and((history) => {
      assert.equal(history.place(3, 0), 1000)
      assert.is(pairsOf(history.world).byTag.get(2)!.phase, 'in-sync')
    })
})

test('it is refused while something runs on the pair, and for a pair that is not there', () => {
  const from = [...cloned, write(1, { count: 8 })]
  given(...from, sync('p'))
    .when(unpair('p'))
    .then(...refusal(unpair('p'), 'E_BUSY_SYNC'))
    .when(copied, unpair('p'))
    .then(...refusal(unpair('p'), 'E_BUSY_SYNC'))
    .when(fracture('p'), unpair('p'))
    .then(unpair('p'), { kind: 'pair.deleted' })
    .when(unpair('p'))
    .then(...refusal(unpair('p'), 'E_NO_PAIR'))
  given(...from, restore('p'))
    .when(unpair('p'))
    .then(...refusal(unpair('p'), 'E_BUSY_RESTORE'))
})

test('a copy that comes back after its pair is gone changes nothing', () => {
  const late = { kind: 'copy.report', tag: 1, volume: 2, offset: 0, length: 4 * 4096, about: 1 } as const
  given(...cloned, write(1, { count: 8 }), sync('p'), fracture('p'), unpair('p'))
    .when(late)
    .then(...refusal(late, 'E_NO_PAIR'))
})

test('a pair whose clone lives outside is given up likewise', () => {
  given(...cloned, outsidePair('s'), unpair('s')).and(({ world }) => {
    assert.equal([...pairsOf(world).byTag.keys()], [1])
    assert.is(pairsOf(world).byVolume.get(1)!.length, 1)
  })
})

test.run()
