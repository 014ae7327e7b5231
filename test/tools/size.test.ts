/** Sizes on the command line: every form that is read, every form that is refused, and the way back. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { formatSize, parseSize } from '../../tools/size.ts'

const test = suite('sizes')

const refuses = (text: string, why: RegExp) =>
  assert.throws(
    () => parseSize(text),
    (error: unknown) => error instanceof BlockboxError && error.code === 'USAGE' && why.test(error.message),
    `"${text}" is refused with ${why}`,
  )

test('plain bytes and suffixes', () => {
  const known: [string, number][] = [
    ['0', 0],
    ['512', 512],
    ['512B', 512],
    ['4K', 4096],
    ['4k', 4096],
    ['4Ki', 4096],
    ['4KiB', 4096],
    [' 4 KiB ', 4096],
    ['64M', 64 * 2 ** 20],
    ['1G', 2 ** 30],
    ['1.5G', 1.5 * 2 ** 30],
    ['0.5K', 512],
    ['1T', 2 ** 40],
    ['7P', 7 * 2 ** 50],
    ['9007199254740991', 2 ** 53 - 1],
  ]
  for (const [text, bytes] of known) assert.is(parseSize(text), bytes, text)
})

test('what is not a size is refused', () => {
  for (const text of ['', 'K', 'many', '1e3', '0x10', '1,5G', '4KK', '1 2', '.5K', '5.', 'Infinity', '٤']) {
    refuses(text, /is no size/)
  }
})

test('negative sizes are refused', () => {
  refuses('-1', /negative/)
  refuses('-4K', /negative/)
})

test('a fraction of a byte is refused', () => {
  refuses('0.5', /whole number/)
  refuses('1.0001K', /whole number/)
})

test('2^53 and more is refused, however it is written', () => {
  for (const text of ['9007199254740992', '8P', '8192T', '9999999999999999P']) refuses(text, /too large/)
  refuses('9'.repeat(400), /is no size/)
})

test('KB is refused, since it may mean 1000', () => {
  for (const text of ['4KB', '4kb', '1.5 GB']) refuses(text, /powers of 1000/)
})

test('property: what is formatted reads back as the same number', () => {
  const sizes = fc.oneof(
    fc.maxSafeNat(),
    fc.tuple(fc.nat(8191), fc.constantFrom(2 ** 10, 2 ** 20, 2 ** 30, 2 ** 40)).map(([n, unit]) => n * unit),
  )
  fc.assert(fc.property(sizes, (bytes) => parseSize(formatSize(bytes)) === bytes))
})

test('property: a fraction of a unit is exact or refused, never rounded', () => {
  fc.assert(
    fc.property(fc.nat(9999), fc.nat(9999), (whole, thousandths) => {
      const text = `${whole}.${String(thousandths).padStart(4, '0')}K`
      const exact = (whole * 10_000 + thousandths) * 1024
      if (exact % 10_000 !== 0) refuses(text, /whole number/)
      else assert.is(parseSize(text), exact / 10_000)
    }),
  )
})

test('property: any text gives a safe whole number or a USAGE error', () => {
  const pieces = fc.array(fc.constantFrom(...'0123456789.-kKMGTPiB '), { maxLength: 24 })
  fc.assert(
    fc.property(pieces, (chars) => {
      try {
        const bytes = parseSize(chars.join(''))
        assert.ok(Number.isSafeInteger(bytes) && bytes >= 0)
      } catch (error) {
        assert.ok(error instanceof BlockboxError && error.code === 'USAGE', String(error))
      }
    }),
  )
})

test.run()
