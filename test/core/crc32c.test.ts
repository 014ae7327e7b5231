/** CRC-32C against the check value of the Castagnoli polynomial and the vectors of RFC 3720, B.4. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { crc32c } from '../../src/core/crc32c.ts'

const test = suite('crc32c')

test('known values', () => {
  assert.is(crc32c(new TextEncoder().encode('123456789')), 0xe3069283)
  assert.is(crc32c(new Uint8Array(32)), 0x8a9136aa)
  assert.is(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43)
  assert.is(crc32c(Uint8Array.from({ length: 32 }, (_, k) => k)), 0x46dd794e)
  assert.is(crc32c(new Uint8Array(0)), 0)
})

test('in pieces it is the same', () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, k) => (k * 7) % 256)
  for (const cut of [0, 1, 7, 8, 9, 500, 999]) {
    assert.is(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut))), crc32c(bytes))
  }
})

test.run()
