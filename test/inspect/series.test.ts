/** Numbers over time in a bounded number of intervals. */

import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Series } from '../../src/inspect/series.ts'

const test = suite('series')

test('sums stay what they were, however often the intervals widen', () => {
  void fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(1e9), fc.nat(9))), (points) => {
      const series = new Series('sum', 7, 10)
      for (const [at, number] of points) series.add(at, number)
      const values = series.upTo(1e9)
      assert.ok(values.length <= 7)
      const naive = values.map((_, k) =>
        points.reduce((sum, [at, number]) => (Math.floor(at / series.width) === k ? sum + number : sum), 0),
      )
      assert.equal(values, naive)
    }),
  )
})

test('a level lasts until the next, and an interval says the highest', () => {
  const series = new Series('level', 10, 10)
  series.add(5, 3)
  series.add(42, 8)
  series.add(48, 1)
  assert.equal(series.upTo(79), [3, 3, 3, 3, 8, 1, 1, 1])
})

test.run()
