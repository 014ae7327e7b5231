/** Ranges, and the search among waiting ones against a walk through all of them. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cellsOf, overlap, RangeIndex } from '../../src/core/range.ts'

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

test('the index finds what a walk finds, oldest first, each once', () => {
  const act = fc.oneof(
    { weight: 3, arbitrary: fc.record({ what: fc.constant('add' as const), range, pick: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('remove' as const), range, pick: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('find' as const), range, pick: fc.nat() }) },
  )
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), fc.constantFrom(16, 64, 4096), (acts, cell) => {
      const index = new RangeIndex<{ offset: number; length: number; io: number }>(cell)
      const all: { offset: number; length: number; io: number }[] = []
      for (const [k, { what, range, pick }] of acts.entries()) {
        if (what === 'add') {
          const item = { ...range, io: (k * 7919) % 1009 }
          all.push(item)
          index.add(item)
        } else if (what === 'remove' && all.length > 0) index.remove(all.splice(pick % all.length, 1)[0]!)
        const expected = all.filter((item) => overlap(item, range)).sort((a, b) => a.io - b.io)
        assert.equal(index.overlapping(range), expected)
        const io = pick % 1009
        const older = index.older(range, io)
        assert.is(
          older !== undefined,
          expected.some((item) => item.io < io),
        )
        if (older !== undefined) assert.ok(older.io < io && overlap(older, range))
      }
    }),
    { numRuns: 300 },
  )
})

test.run()
