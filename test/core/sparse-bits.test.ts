/** The sparse set of whole numbers against a plain set. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SparseBits } from '../../src/core/sparse-bits.ts'

const test = suite('sparse-bits')

const top = 2 ** 53 - 1

test('ranges are what a plain set makes of them', () => {
  const from = fc.oneof(
    fc.nat(20_000),
    fc.nat(20_000).map((value) => 2 ** 40 + value),
    fc.nat(9000).map((value) => top - 9000 - value),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(from, fc.nat(9000)), { maxLength: 12 }), (ranges) => {
      const bits = new SparseBits()
      const plain = new Set<number>()
      for (const [start, length] of ranges) {
        bits.addRange(start, start + length)
        for (let k = 0; k < length; k++) plain.add(start + k)
      }
      assert.is(bits.size, plain.size)
      for (const [start, length] of ranges) {
        for (const at of [start - 1, start, start + length - 1, start + length]) {
          if (at >= 0) assert.is(bits.has(at), plain.has(at), `${at}`)
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('an empty range adds nothing', () => {
  const bits = new SparseBits()
  bits.addRange(5, 5)
  bits.addRange(top, top)
  assert.is(bits.size, 0)
  assert.not(bits.has(5))
})

test('full pages cost no words', () => {
  const bits = new SparseBits()
  const before = process.memoryUsage().arrayBuffers
  bits.addRange(4095, 2 ** 28 + 4095)
  assert.is(bits.size, 2 ** 28)
  assert.ok(bits.has(2 ** 27))
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 20)
})

test('a range beyond 2^53 is a defect of the caller', () => {
  assert.throws(() => new SparseBits().addRange(0, 2 ** 53))
  assert.throws(() => new SparseBits().addRange(-1, 2))
})

test.run()
