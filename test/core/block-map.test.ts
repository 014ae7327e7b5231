/** Block map against a plain map: places, runs, forks, the hash, volumes of 16 TiB, and what zeroing costs. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockMap } from '../../src/core/block-map.ts'
import { Lanes } from '../../src/core/lanes.ts'

const test = suite('block map')

const step = 8
/** The last blocks of 16 TiB in blocks of 512 bytes lie past 2^32. */
const far = 2 ** 35 - 20_000
const first = fc.oneof(
  fc.nat(9000),
  fc.nat(9000).map((block) => far + block),
  fc.nat(300).map((block) => 2 ** 32 - 150 + block),
)
const act = fc.oneof(
  fc.record({
    what: fc.constant('write' as const),
    first,
    count: fc.integer({ min: 1, max: 5000 }),
    place: fc.integer({ min: 1, max: 2 ** 50 }),
  }),
  fc.record({
    what: fc.constantFrom('zero' as const, 'copy' as const),
    first,
    count: fc.integer({ min: 1, max: 9000 }),
    place: fc.constant(0),
  }),
  fc.record({ what: fc.constant('fork' as const), first, count: fc.constant(0), place: fc.constant(0) }),
)

type Plain = Map<number, number>

function agree(map: BlockMap, plain: Plain): void {
  assert.is(map.mapped, plain.size)
  const lanes = new Lanes()
  const found: Plain = new Map()
  map.eachMapped(0, 2 ** 35, (block, place) => found.set(block, place))
  assert.is(found.size, plain.size)
  for (const [block, place] of plain) {
    lanes.add(block, place)
    if (found.get(block) !== place || map.get(block) !== place)
      assert.is(map.get(block), place, `block ${block}`)
  }
  assert.equal([map.hashLow, map.hashHigh], [lanes.low, lanes.high])
}

test('it is what a plain map is, and forks keep what they were', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 12 }), (acts) => {
      const map = new BlockMap(step)
      const plain: Plain = new Map()
      const forks: [BlockMap, Plain][] = []
      for (const { what, first, count, place } of acts) {
        if (what === 'write') {
          map.write(first, count, place)
          for (let k = 0; k < count; k++) plain.set(first + k, place + k * step)
        } else if (what === 'zero') {
          map.zero(first, count)
          for (let k = 0; k < count; k++) plain.delete(first + k)
        } else if (what === 'fork') forks.push([map.fork(), new Map(plain)])
        else {
          const [other, kept] = forks[0] ?? [new BlockMap(step), new Map()]
          map.copy(other, first, count)
          for (let k = first; k < first + count; k++) {
            const place = kept.get(k)
            if (place === undefined) plain.delete(k)
            else plain.set(k, place)
          }
          assert.ok(map.same(other, first, count))
        }
      }
      agree(map, plain)
      for (const [fork, kept] of forks) agree(fork, kept)
    }),
    { numRuns: 60 },
  )
})

test('forks of forks each change by themselves', () => {
  const one = new BlockMap(step)
  one.write(0, 3, 100)
  const two = one.fork()
  two.write(1, 1, 500)
  const three = two.fork()
  two.zero(0, 1)
  three.write(4095, 2, 900)
  agree(
    one,
    new Map([
      [0, 100],
      [1, 108],
      [2, 116],
    ]),
  )
  agree(
    two,
    new Map([
      [1, 500],
      [2, 116],
    ]),
  )
  agree(
    three,
    new Map([
      [0, 100],
      [1, 500],
      [2, 116],
      [4095, 900],
      [4096, 908],
    ]),
  )
})

test('equal content has an equal hash, whatever way it came about', () => {
  const one = new BlockMap(step)
  one.write(10, 4, 1000)
  const two = new BlockMap(step)
  for (const block of [13, 11, 10, 12]) two.write(block, 1, 77)
  two.write(2 ** 34, 9, 5)
  two.zero(0, 2 ** 35)
  for (const block of [12, 10, 13, 11]) two.write(block, 1, 1000 + (block - 10) * step)
  assert.equal([two.hashLow, two.hashHigh], [one.hashLow, one.hashHigh])
  assert.is(two.mapped, 4)
  two.write(10, 1, 1001)
  assert.not.equal([two.hashLow, two.hashHigh], [one.hashLow, one.hashHigh])
})

test('swapped and shifted content has another hash', () => {
  const hashes = [
    [10, 20],
    [20, 10],
    [11, 20],
    [10, 0],
    [0, 10],
  ].map((places) => {
    const map = new BlockMap(step)
    places.forEach((place, block) => {
      if (place > 0) map.write(block, 1, place)
    })
    return `${map.hashHigh} ${map.hashLow}`
  })
  assert.is(new Set(hashes).size, hashes.length)
})

test('runs say a range whole, in order, in as few pieces as there are', () => {
  const map = new BlockMap(step)
  map.write(2, 3, 100)
  map.write(5, 1, 124)
  map.write(6, 2, 900)
  assert.equal(map.runs(0, 10), [
    { block: 0, count: 2, place: 0 },
    { block: 2, count: 4, place: 100 },
    { block: 6, count: 2, place: 900 },
    { block: 8, count: 2, place: 0 },
  ])
  assert.equal(map.runs(3, 1), [{ block: 3, count: 1, place: 108 }])
  assert.equal(map.runs(3, 0), [])
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(60), fc.nat(9), fc.nat(300)), { maxLength: 20 }), (writes) => {
      const many = new BlockMap(step)
      for (const [block, count, place] of writes) {
        if (place % 3 === 0) many.zero(block, count + 1)
        else many.write(block, count + 1, place)
      }
      const runs = many.runs(0, 80)
      let at = 0
      for (const { block, count, place } of runs) {
        assert.is(block, at)
        for (let k = 0; k < count; k++) assert.is(many.get(block + k), place === 0 ? 0 : place + k * step)
        at += count
      }
      assert.is(at, 80)
    }),
  )
})

test('zeroing what was never written makes no page, over 16 TiB', () => {
  const map = new BlockMap(step)
  map.write(2 ** 35 - 5000, 5000, 1)
  map.write(7, 1, 3)
  const pages = () => [...map.pages()].length
  assert.is(pages(), 3)
  const before = process.memoryUsage().arrayBuffers
  for (let k = 0; k < 50; k++) map.zero(8, 2 ** 35 - 5008)
  assert.is(pages(), 3)
  assert.is(map.mapped, 5001)
  map.zero(0, 2 ** 35)
  assert.equal([pages(), map.mapped, map.hashLow, map.hashHigh], [0, 0, 0, 0])
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 22)
})

test('pages of a checkpoint make the same map', () => {
  const map = new BlockMap(step)
  map.write(4090, 20, 100)
  map.write(far, 3, 900)
  map.zero(4095, 1)
  const loaded = new BlockMap(step)
  for (const [page, cells] of map.pages()) loaded.loadPage(page, cells)
  assert.equal([loaded.hashLow, loaded.hashHigh, loaded.mapped], [map.hashLow, map.hashHigh, 22])
  assert.ok(loaded.same(map, 4080, 40))
  loaded.write(0, 1, 5)
  assert.is(map.get(0), 0)
})

test('a place is needed to write, and equal steps to copy', () => {
  assert.throws(() => new BlockMap(step).write(0, 1, 0))
  assert.throws(() => new BlockMap(step).copy(new BlockMap(1), 0, 1))
})

test.run()
