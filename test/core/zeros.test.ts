/** Zeros, against a look at every byte, wherever the bytes lie in their buffer. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isZeros } from '../../src/core/zeros.ts'

const test = suite('zeros')

test('one byte that is not zero is seen, wherever it is', () => {
  fc.assert(
    fc.property(
      fc.nat(20),
      fc.nat(70),
      fc.nat(90),
      fc.integer({ min: 1, max: 255 }),
      (from, length, at, byte) => {
        const buffer = new Uint8Array(100)
        buffer[at] = byte
        const bytes = buffer.subarray(from, from + length)
        assert.is(isZeros(bytes), !bytes.includes(byte))
      },
    ),
    { numRuns: 2000 },
  )
})

test('nothing but zeros, of any length', () => {
  for (let length = 0; length < 40; length++) assert.ok(isZeros(new Uint8Array(length)))
  assert.ok(isZeros(new Uint8Array(2 ** 20)))
})

test.run()
