/** Ranges, and the cells they touch. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cellsOf, overlap } from '../../src/core/range.ts'

const test = suite('range')

const base = 2 ** 44
const range = fc.record({
  offset: fc.oneof(
    fc.nat(5000),
    fc.nat(5000).map((at) => base + at),
  ),
  length: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 9000 })),
})

test('two ranges overlap when they share a byte', () => {
  assert.ok(overlap({ offset: 0, length: 10 }, { offset: 9, length: 1 }))
  assert.not(overlap({ offset: 0, length: 10 }, { offset: 10, length: 1 }))
  fc.assert(
    fc.property(range, range, (a, b) => {
      const shared = Math.min(a.offset + a.length, b.offset + b.length) > Math.max(a.offset, b.offset)
      assert.is(overlap(a, b), shared)
      assert.is(overlap(b, a), shared)
    }),
  )
})

test('cells are those that a range touches', () => {
  assert.equal(cellsOf({ offset: 4095, length: 2 }, 4096), { first: 0, last: 1 })
  assert.equal(cellsOf({ offset: base, length: 4096 }, 4096), { first: base / 4096, last: base / 4096 })
  const { first, last } = cellsOf({ offset: 4096, length: 0 }, 4096)
  assert.ok(last < first, 'an empty range touches none')
})

test.run()
