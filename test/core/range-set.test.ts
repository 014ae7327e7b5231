/** Range sets against plain sets of bytes. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Range } from '../../src/core/range.ts'
import { nothing, RangeSet } from '../../src/core/range-set.ts'

const test = suite('range set')

const limit = 60
const range = fc.record({ offset: fc.nat(limit), length: fc.nat(12) })
const ranges = fc.array(range, { maxLength: 8 })
const bytesOf = (all: readonly Range[]) => {
  const bytes = new Set<number>()
  for (const { offset, length } of all) for (let at = offset; at < offset + length; at++) bytes.add(at)
  return bytes
}
const sorted = (bytes: Iterable<number>) => [...bytes].sort((a, b) => a - b)
const each = ({ offset, length }: Range) => Array.from({ length }, (_, k) => offset + k)

test('ranges are sorted, joined, and hold exactly the bytes given', () => {
  fc.assert(
    fc.property(ranges, (given) => {
      const set = RangeSet.of(given)
      assert.equal(sorted(bytesOf(set.ranges)), sorted(bytesOf(given)))
      assert.is(set.bytes, bytesOf(given).size)
      for (let k = 1; k < set.ranges.length; k++) {
        const before = set.ranges[k - 1]!
        assert.ok(before.offset + before.length < set.ranges[k]!.offset)
      }
      assert.equal(RangeSet.fromCounts(set.counts())!.ranges, set.ranges)
    }),
  )
})

test('touching, covering, joining and taking away are those of sets', () => {
  fc.assert(
    fc.property(ranges, ranges, range, (one, other, asked) => {
      const a = RangeSet.of(one)
      const b = RangeSet.of(other)
      const bytes = bytesOf(one)
      const inside = each(asked).filter((at) => bytes.has(at)).length
      assert.is(a.touches(asked), inside > 0)
      if (asked.length > 0) assert.is(a.covers(asked), inside === asked.length)
      const others = bytesOf(other)
      assert.is(
        a.meets(b),
        [...bytes].some((at) => others.has(at)),
      )
      assert.equal(sorted(bytesOf(a.with(b).ranges)), sorted(new Set([...bytes, ...others])))
      assert.equal(sorted(bytesOf(a.minus(b).ranges)), sorted([...bytes].filter((at) => !others.has(at))))
    }),
  )
})

test('a range is split where the set begins and ends', () => {
  fc.assert(
    fc.property(ranges, range, (given, asked) => {
      const bytes = bytesOf(given)
      const pieces = RangeSet.of(given).split(asked)
      assert.equal(pieces.flatMap(each), each(asked))
      for (const piece of pieces) {
        assert.ok(piece.length > 0)
        for (const at of each(piece)) assert.is(bytes.has(at), piece.inside)
      }
    }),
  )
})

test('positions count the bytes of the set alone', () => {
  fc.assert(
    fc.property(ranges, fc.integer({ min: 1, max: 9 }), (given, most) => {
      const set = RangeSet.of(given)
      const walked: number[] = []
      for (let next = set.from(0, most); next !== undefined; next = set.from(walked.length, most)) {
        assert.ok(next.length > 0 && next.length <= most)
        walked.push(...each(next))
      }
      assert.equal(walked, sorted(bytesOf(given)))
    }),
  )
})

test('numbers in odd count are no ranges, and nothing is nothing', () => {
  assert.is(RangeSet.fromCounts([1]), undefined)
  assert.equal(
    [nothing.bytes, nothing.from(0), nothing.touches({ offset: 0, length: 9 })],
    [0, undefined, false],
  )
})

test.run()
