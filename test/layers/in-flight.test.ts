/** Who waits where: counted on the way in, gone on the way out, the same after a checkpoint. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Lanes } from '../../src/core/lanes.ts'
import { admittedWrites, inFlight, inFlightOf, waiting } from '../../src/layers/in-flight.ts'
import { backup, cloned, close, copied, given, read, restore, stop, sync, write } from '../support/given.ts'
import type { History } from '../support/history.ts'

const test = suite('in-flight')

const counts = ({ world }: History) => [waiting(world), admittedWrites(world, 1), inFlightOf(world).held.size]
const restoring = [...cloned, write(1, { count: 16 }), restore('p')]

test('what passes is never here', () => {
  given(...cloned, write(1), read(2)).and((history) => assert.equal(counts(history), [0, 0, 0]))
})

test('held writes are not admitted, queued writes are, queued reads wait only', () => {
  given(...restoring, write(2), read(3, { at: 1 }))
    .and((history) => assert.equal(counts(history), [2, 1, 0]))
    .when(backup('b'), write(4), write(5, { at: 9 }))
    .and((history) => assert.equal(counts(history), [4, 1, 2]))
    .when(copied)
    .and((history) => assert.equal(counts(history), [2, 0, 2]))
    .when(stop('b'))
    .and((history) => assert.equal(counts(history), [0, 0, 0]))
})

test('a held write that is queued next is counted once', () => {
  given(...cloned, write(1, { count: 16 }), backup('b'), write(2), sync('p'), stop('b'))
    .and((history) => assert.equal(counts(history), [1, 1, 0]))
    .when(close())
    .and((history) => assert.equal(counts(history), [0, 0, 0]))
})

test('saved and loaded it says the same, and so does its hash', () => {
  given(...restoring, write(2), read(3, { at: 1 }), backup('b'), write(4)).and(({ world }) => {
    const saved = JSON.parse(JSON.stringify(inFlight.save(inFlightOf(world))))
    const loaded = inFlight.load(saved)
    const lanes = [inFlightOf(world), loaded].map((state) => {
      const sum = new Lanes()
      inFlight.hash(state, sum)
      return [sum.low, sum.high]
    })
    assert.equal(lanes[0], lanes[1])
    assert.equal([...loaded.queued.keys()], [...inFlightOf(world).queued.keys()])
    assert.equal([...loaded.admitted], [[1, 1]])
  })
})

test.run()
