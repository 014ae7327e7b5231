/** Bitmap against a plain set: bits, counts, searches, forks that stay as they were, and the hash. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Bitmap } from '../../src/core/bitmap.ts'
import { Lanes } from '../../src/core/lanes.ts'

const test = suite('bitmap')

const length = 9001
const index = fc.oneof(fc.nat(length - 1), fc.constantFrom(0, 31, 32, 4095, 4096, 8191, 8192, length - 1))

type Act = readonly ['set' | 'clear' | 'setRun' | 'setFar', number] | readonly ['fork' | 'or' | 'clearAll', 0]
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.constantFrom('set', 'clear', 'setRun'), index) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('setFar'), index) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('fork', 'or', 'clearAll'), fc.constant(0)) },
) as fc.Arbitrary<Act>

function hashOf(bits: Iterable<number>): [number, number] {
  const lanes = new Lanes()
  for (const bit of bits) lanes.add(bit, 1)
  return [lanes.low, lanes.high]
}

function agree(map: Bitmap, plain: ReadonlySet<number>): void {
  const sorted = [...plain].sort((a, b) => a - b)
  assert.is(map.count, plain.size)
  const found: number[] = []
  for (let at = map.next(0); at >= 0; at = map.next(at + 1)) found.push(at)
  assert.equal(found, sorted)
  assert.equal([map.hashLow, map.hashHigh], hashOf(plain))
  const runs = map.runs()
  const again = Bitmap.fromRuns(length, runs)
  assert.equal(again.runs(), runs)
  assert.is(again.count, map.count)
}

test('it is what a plain set is, and forks keep what they were', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const map = new Bitmap(length)
      const plain = new Set<number>()
      const forks: [Bitmap, Set<number>][] = []
      for (const [what, at] of acts) {
        if (what === 'set') assert.is(map.set(at), !plain.has(at) && Boolean(plain.add(at)))
        else if (what === 'clear') assert.is(map.clear(at), plain.delete(at))
        else if (what === 'setRun') {
          const end = Math.min(at + 70, length)
          map.setRange(at, end - at)
          for (let k = at; k < end; k++) plain.add(k)
        } else if (what === 'setFar') {
          map.setRange(at, length - at)
          for (let k = at; k < length; k++) plain.add(k)
        } else if (what === 'fork') forks.push([map.fork(), new Set(plain)])
        else if (what === 'or') {
          for (const [fork, kept] of forks) {
            map.or(fork)
            for (const bit of kept) plain.add(bit)
          }
        } else {
          map.clearAll()
          plain.clear()
        }
      }
      agree(map, plain)
      for (const [fork, kept] of forks) agree(fork, kept)
    }),
    { numRuns: 150 },
  )
})

test('a fork can be changed and leaves the original alone', () => {
  const map = Bitmap.fromRuns(length, [10, 3])
  const fork = map.fork()
  fork.set(100)
  fork.clear(10)
  map.set(5000)
  agree(map, new Set([10, 11, 12, 5000]))
  agree(fork, new Set([11, 12, 100]))
})

test('next finds the first bit at or after, also beyond the end', () => {
  const map = Bitmap.fromRuns(length, [0, 1, 4096, 1, length - 1, 1])
  assert.equal(
    [0, 1, 4096, 4097, length - 1, length].map((from) => map.next(from)),
    [...[0, 4096, 4096, length - 1, length - 1, -1]],
  )
})

test('what one map has and another lacks is found and counted', () => {
  const runs = fc.array(fc.tuple(index, fc.nat(5000)), { maxLength: 6 })
  const mapOf = (list: readonly (readonly [number, number])[]) => {
    const map = new Bitmap(length)
    for (const [from, count] of list) map.setRange(from, Math.min(count, length - from))
    return map
  }
  fc.assert(
    fc.property(runs, runs, runs, index, (shared, mine, theirs, from) => {
      const map = mapOf(shared)
      const other = map.fork()
      map.or(mapOf(mine))
      other.or(mapOf(theirs))
      const beyond = Array.from({ length }, (_, k) => k).filter((k) => map.get(k) && !other.get(k))
      assert.is(map.countBeyond(other), beyond.length)
      assert.is(map.nextBeyond(other, from), beyond.find((k) => k >= from) ?? -1)
      const end = from + 700
      assert.is(map.nextBeyond(other, from, end), beyond.find((k) => k >= from && k < end) ?? -1)
      let clear = from
      while (map.get(clear)) clear++
      assert.is(map.nextClear(from), clear)
    }),
    { numRuns: 100 },
  )
})

test('all bits of a short map', () => {
  const map = new Bitmap(33)
  map.setAll()
  assert.equal([map.count, map.runs()], [33, [0, 33]])
  assert.equal(new Bitmap(0).runs(), [])
})

test('a bit outside is a defect of the caller', () => {
  const map = new Bitmap(10)
  assert.throws(() => map.set(10))
  assert.throws(() => map.set(-1))
  assert.throws(() => new Bitmap(2 ** 31))
  assert.throws(() => new Bitmap(1.5))
  assert.throws(() => Bitmap.fromRuns(10, [9, 2]))
})

test('a map of 2^27 bits that begins full has no pages of its own but those that change', () => {
  const map = new Bitmap(2 ** 27)
  map.setAll()
  assert.equal([map.pages, map.count, map.next(5), map.nextClear(0)], [0, 2 ** 27, 5, 2 ** 27])
  map.clear(2 ** 26)
  const fork = map.fork()
  assert.equal([map.pages, fork.pages], [1, 1])
  fork.clear(0)
  assert.equal([map.pages, fork.pages], [1, 2])
  assert.equal(map.runs(), [0, 2 ** 26, 2 ** 26 + 1, 2 ** 26 - 1])
  const again = Bitmap.fromRuns(2 ** 27, map.runs())
  assert.equal([again.hashLow, again.hashHigh, again.pages], [map.hashLow, map.hashHigh, 1])
  const odd = new Bitmap(2 ** 27 - 3)
  odd.setAll()
  assert.equal([odd.pages, odd.count, odd.nextClear(0)], [1, 2 ** 27 - 3, 2 ** 27 - 3])
})

test('an empty map of 2^30 bits costs no pages', () => {
  const before = process.memoryUsage().arrayBuffers
  const map = new Bitmap(2 ** 30)
  map.set(2 ** 30 - 1)
  assert.is(map.next(0), 2 ** 30 - 1)
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 20)
})

test.run()
