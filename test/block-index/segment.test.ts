/** Segments against looking at every touch: any volumes, blocks beyond 2^33, stretches of one block or a billion. */

import { crc32 } from 'node:zlib'
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { levelOf, maxCount } from '../../src/block-index/group.ts'
import { Segment, SegmentDamaged } from '../../src/block-index/segment.ts'
import { SegmentMaker } from '../../src/block-index/segment-maker.ts'
import { Prng } from '../../src/core/prng.ts'
import { isUnpolluted } from '../support/hostile.ts'

const test = suite('segment')

const hash = new Uint8Array(32).fill(3)

interface Touch {
  readonly seq: number
  readonly volume: number
  readonly first: number
  readonly count: number
  readonly what: number
}

const touch = fc.record({
  seq: fc.integer({ min: 99, max: 5000 }),
  volume: fc.integer({ min: 1, max: 3 }),
  first: fc.oneof(
    fc.nat(300),
    fc.nat(300).map((block) => 2 ** 40 + block),
  ),
  count: fc.oneof(
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 200 }),
    fc.constant(3 * 2 ** 30 + 1),
  ),
  what: fc.oneof(fc.constant(0), fc.integer({ min: -6, max: -1 })),
})

function segmentOf(touches: readonly Touch[]): { readonly segment: Segment; readonly bytes: Uint8Array } {
  const maker = new SegmentMaker(100, hash)
  maker.frame(100)
  for (const { seq, volume, first, count, what } of touches) maker.tell(seq, volume, first, count, what)
  const bytes = maker.encode(5000, hash)
  return { bytes, segment: new Segment((offset, length) => bytes.subarray(offset, offset + length)) }
}

/** What covers a block, as texts in order. */
function found(segment: Segment, volume: number, block: number): string[] {
  const all: string[] = []
  segment.find(volume, block, (seq, what) => void all.push(`${seq} ${what}`))
  return all.sort()
}

function naive(touches: readonly Touch[], volume: number, block: number): string[] {
  return touches
    .filter((one) => one.volume === volume && one.first <= block && block < one.first + one.count)
    .map(({ seq, what }) => `${seq} ${what}`)
    .sort()
}

test('a block finds what covers it, and nothing else', () => {
  void fc.assert(
    fc.property(
      fc.array(touch, { maxLength: 400 }),
      fc.array(fc.nat(600), { minLength: 5 }),
      (touches, blocks) => {
        const { segment } = segmentOf(touches)
        for (const near of blocks) {
          for (const block of [near, 2 ** 40 + near, 2 ** 30 + near, 3 * 2 ** 30 + near]) {
            for (const volume of [1, 2, 3]) {
              assert.equal(found(segment, volume, block), naive(touches, volume, block))
            }
          }
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('a segment that goes on has all that was in it', () => {
  void fc.assert(
    fc.property(fc.array(touch), fc.array(touch), fc.nat(600), (first, more, block) => {
      const maker = SegmentMaker.from(segmentOf(first).segment)
      for (const one of more) maker.tell(one.seq, one.volume, one.first, one.count, one.what)
      const bytes = maker.encode(5000, hash)
      const segment = new Segment((offset, length) => bytes.subarray(offset, offset + length))
      assert.equal(found(segment, 1, block), naive([...first, ...more], 1, block))
      assert.equal(segment.frames(), [0])
    }),
    { numRuns: 60 },
  )
})

test('frames are found by what they hold', () => {
  const maker = new SegmentMaker(100, hash)
  for (const first of [100, 101, 140, 300]) maker.frame(first)
  const bytes = maker.encode(400, hash)
  const segment = new Segment((offset, length) => bytes.subarray(offset, offset + length))
  const firsts = [100, 101, 139, 140, 299, 300, 400].map((seq) => segment.frameOf(seq))
  assert.equal(firsts, [100, 101, 101, 140, 140, 300, 300])
})

test('a flipped bit anywhere is noticed before anything of its part is believed', () => {
  const touches = Array.from({ length: 300 }, (_, k): Touch => {
    return { seq: 100 + k, volume: 1, first: k % 50, count: 1 + (k % 3), what: 0 }
  })
  const { bytes } = segmentOf(touches)
  for (let at = 0; at < bytes.length; at += 37) {
    const bad = bytes.slice()
    bad[at]! ^= 16
    try {
      const segment = new Segment((offset, length) => bad.subarray(offset, offset + length))
      for (let block = 0; block < 55; block++) {
        assert.equal(found(segment, 1, block), naive(touches, 1, block), `byte ${at}`)
      }
    } catch (error) {
      assert.instance(error, SegmentDamaged, `byte ${at}: ${error}`)
    }
  }
})

test('a head that lies and is sealed again: nothing but SegmentDamaged comes of it', () => {
  const { bytes } = segmentOf(
    Array.from({ length: 300 }, (_, k) => ({ seq: 100 + k, volume: 1, first: k, count: 3, what: 0 })),
  )
  const view = new DataView(bytes.buffer)
  const [groups, pages, frames, names] = [88, 92, 96, 100].map((at) => view.getUint32(at, true))
  const headBytes = 108 + 24 * groups! + 12 * pages! + 4 * frames! + names!
  const random = new Prng(31)
  let refused = 0
  for (let k = 0; k < 3000; k++) {
    const bad = bytes.slice()
    for (let n = random.below(3); n >= 0; n--) {
      const at = k % 2 === 0 ? 8 + random.below(96) : 108 + random.below(headBytes - 108)
      bad[at] = random.below(2) === 0 ? random.below(256) : [0, 1, 255, 127, 0x5b][random.below(5)]!
    }
    const sum = crc32(bad.subarray(108, headBytes), crc32(bad.subarray(0, 104)))
    new DataView(bad.buffer).setUint32(104, sum, true)
    try {
      const segment = new Segment((offset, length) => bad.subarray(offset, offset + length))
      segment.frameOf(150)
      segment.frames()
      segment.each(() => undefined)
      for (const block of [0, 7, 299, 2 ** 40]) segment.find(1, block, () => undefined)
    } catch (error) {
      refused++
      assert.instance(error, SegmentDamaged, `case ${k}: ${(error as Error).stack}`)
    }
  }
  assert.ok(refused > 500)
})

test('names at the end of a head that are none', () => {
  const honest = { is: 'session', seq: 1, id: 1, name: 'host' }
  for (const value of [
    ...[[null], [1], [[]], [{}], ['x']],
    [{ ...honest, is: '__proto__' }],
    [{ ...honest, is: 'constructor' }],
    [{ ...honest, id: -1 }],
    [{ ...honest, seq: 2 ** 60 }],
    [{ ...honest, name: 7 }],
    [honest, { ...honest, is: 'volume' }],
    JSON.parse('[{"__proto__":{"is":"session","seq":1,"id":1,"name":"x"}}]'),
  ]) {
    const maker = new SegmentMaker(100, hash)
    maker.frame(100)
    maker.roster.push(...(value as never[]))
    const bytes = maker.encode(5000, hash)
    const open = () => new Segment((offset, length) => bytes.subarray(offset, offset + length))
    assert.throws(open, (error: unknown) => error instanceof SegmentDamaged, JSON.stringify(value))
  }
  isUnpolluted('names')
})

test('levels are powers of two', () => {
  assert.equal([1, 2, 3, 4, 5, 1024, 1025, maxCount].map(levelOf), [0, 1, 2, 2, 3, 10, 11, 30])
})

test.run()
