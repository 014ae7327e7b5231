/** Copies of metadata against a plain map of blocks. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MetaCopy } from '../../src/layers/meta-copy.ts'

const test = suite('meta copy')

const put = fc.record({
  first: fc.nat(30),
  count: fc.integer({ min: 1, max: 6 }),
  place: fc.constantFrom(0, 100, 5000),
})
const step = 8

function made(puts: readonly { first: number; count: number; place: number }[]) {
  const copy = new MetaCopy(step)
  const plain = new Map<number, number>()
  for (const { first, count, place } of puts) {
    copy.put(first, count, place)
    for (let k = 0; k < count; k++) plain.set(first + k, place === 0 ? 0 : place + k * step)
  }
  return { copy, plain }
}

test('it has what was put, zeros told from nothing', () => {
  fc.assert(
    fc.property(fc.array(put), (puts) => {
      const { copy, plain } = made(puts)
      assert.is(copy.blocks, plain.size)
      for (let block = 0; block < 40; block++) {
        assert.is(copy.place(block), plain.get(block))
        assert.is(copy.has(block), plain.has(block))
      }
      const listed = copy
        .all()
        .flatMap(({ block, count, place }) =>
          Array.from({ length: count }, (_, k): [number, number] => [
            block + k,
            place === 0 ? 0 : place + k * step,
          ]),
        )
      assert.equal(
        listed,
        [...plain].sort(([a], [b]) => a - b),
      )
    }),
  )
})

test('what was saved is loaded, and has the same hash however it came about', () => {
  fc.assert(
    fc.property(fc.array(put), (puts) => {
      const { copy } = made(puts)
      const again = MetaCopy.load(step, JSON.parse(JSON.stringify(copy.save())))
      assert.equal([again.hashLow, again.hashHigh], [copy.hashLow, copy.hashHigh])
      assert.equal(again.all(), copy.all())
    }),
  )
})

test('what lies over another hides it', () => {
  fc.assert(
    fc.property(fc.array(put), fc.array(put), (under, over) => {
      const { copy, plain } = made(under)
      const top = made(over)
      copy.overlay(top.copy)
      const both = new Map([...plain, ...top.plain])
      for (let block = 0; block < 40; block++) assert.is(copy.place(block), both.get(block))
    }),
  )
})

test('runs of a range it has come in order, whole', () => {
  const { copy } = made([
    { first: 3, count: 4, place: 100 },
    { first: 5, count: 1, place: 0 },
  ])
  assert.equal(copy.runs(3, 4), [
    { block: 3, count: 2, place: 100 },
    { block: 5, count: 1, place: 0 },
    { block: 6, count: 1, place: 124 },
  ])
  assert.throws(() => copy.runs(2, 2))
})

test.run()
