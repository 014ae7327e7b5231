/** Set hashes of runs against the elements added one by one; every step that is kept is counted anew. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { laneSum } from '../../src/core/lane-sums.ts'
import { countRun, Lanes } from '../../src/core/lanes.ts'

const test = suite('lane sums')

const step = 2 ** 20

function added(from: number, to: number): [number, number] {
  const lanes = new Lanes()
  for (let k = from; k < to; k++) lanes.add(k, 1)
  return [lanes.low, lanes.high]
}

function sum(from: number, to: number): [number, number] {
  const { low, high } = laneSum(from, to)
  return [low, high]
}

test('a run is what its elements are, one by one', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 31 - 3000), fc.nat(2500), (from, count) => {
      assert.equal(sum(from, from + count), added(from, from + count))
    }),
    { numRuns: 100 },
  )
})

test('a long run is too, wherever it begins and ends', () => {
  const ends = [0, 1, step / 2 - 1, step / 2, step - 1, step, step + 1, step * 1.5 + 7, step * 2 + 3]
  for (const from of ends) {
    for (const to of ends.filter((end) => end >= from)) {
      const { low, high } = countRun(from, to)
      assert.equal(sum(from, to), [low, high], `${from} to ${to}`)
    }
  }
  assert.equal(sum(3, step + 5), added(3, step + 5))
})

test('each step that is kept is the one before and its elements', () => {
  let [low, high] = [0, 0]
  for (let k = 1; k <= 128; k++) {
    const one = countRun((k - 1) * step, k * step)
    low = (low + one.low) | 0
    high = (high + one.high) | 0
    assert.equal(laneSum(0, k * step), { low, high, counted: 0 }, `step ${k}`)
  }
})

test('no run up to 2^27 costs more than 2^20 elements, and those beyond what lies beyond', () => {
  const anywhere = fc.nat(2 ** 27)
  fc.assert(
    fc.property(anywhere, anywhere, (a, b) => {
      const { counted } = laneSum(Math.min(a, b), Math.max(a, b))
      assert.ok(counted <= step && counted <= Math.abs(a - b))
    }),
    { numRuns: 20 },
  )
  assert.is(laneSum(0, 2 ** 27 + 1000).counted, 1000)
})

test.run()
