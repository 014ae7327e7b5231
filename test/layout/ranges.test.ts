/** Explicit ranges: rounded outwards to whole blocks, checked against the volume, written as people write them. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { raiseDetail } from '../../src/layout/layout.ts'
import { fencingOf, parseRanges } from '../../src/layout/ranges.ts'
import { readerOf } from '../support/ext4-image.ts'

const test = suite('ranges')

const reader = readerOf(new Uint8Array(16 * 4096))
const at = (offset: number, length: number) => ({ offset, length })

test('whole blocks, outwards; full without covered ranges', () => {
  const { meta, covered, full, last } = fencingOf(reader, { meta: [at(100, 1), at(5000, 4000)] })
  assert.equal(meta.counts(), [0, 3 * 4096])
  assert.equal([covered.bytes, full, last], [16 * 4096, true, 0])
})

test('partial with covered ranges, and the last block where it is said', () => {
  const given = { meta: [at(4096, 8192)], covered: [at(40_000, 10)], last: 8192 }
  const { covered, full, last } = fencingOf(reader, given)
  assert.equal([covered.counts(), full, last], [[36_864, 4096], false, 8192])
})

test('what makes no fence is said', () => {
  assert.throws(() => fencingOf(reader, { meta: [] }), /at least one/)
  assert.throws(() => fencingOf(reader, { meta: [at(16 * 4096, 1)] }), /beyond the volume/)
  assert.throws(() => fencingOf(reader, { meta: [at(0, 1)], last: 5000 }), /no metadata/)
  const sparse = readerOf(new Uint8Array(4096 * 512), 512)
  const many = Array.from({ length: 2049 }, (_, k) => at(k * 1024, 512))
  assert.throws(() => fencingOf({ ...sparse, size: 2 ** 30 }, { meta: many }), /pieces/)
})

test('ranges as people write them', () => {
  assert.equal(parseRanges('0+4096, 8192+1'), [at(0, 4096), at(8192, 1)])
  for (const text of ['', '5', '1+0', '-1+5', '1+x', '1+2,'])
    assert.throws(() => parseRanges(text), /no range/)
})

test('the detail of the command says all of it', () => {
  const detail = raiseDetail('f', fencingOf(reader, { meta: [at(0, 1)] }), { advisory: true, deadlineMs: 5 })
  assert.equal(detail, {
    name: 'f',
    meta: [0, 4096],
    covered: [],
    full: true,
    last: 0,
    advisory: true,
    metaFirst: false,
    deadlineMs: 5,
  })
})

test.run()
