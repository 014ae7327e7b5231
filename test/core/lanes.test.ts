/** The set hash: order does not matter, removal undoes, structured numbers do not collide, parts keep their places. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Lanes, laneHigh, laneLow, lanesText } from '../../src/core/lanes.ts'

const test = suite('lanes')

const number = fc.oneof(fc.nat(1000), fc.integer({ min: 0, max: 2 ** 53 - 1 }))
const element = fc.tuple(number, number)

function sum(elements: readonly (readonly [number, number])[]): [number, number] {
  const lanes = new Lanes()
  for (const [a, b] of elements) lanes.add(a, b)
  return [lanes.low, lanes.high]
}

test('the order of elements does not matter, and removing undoes adding', () => {
  fc.assert(
    fc.property(fc.array(element), element, (elements, extra) => {
      assert.equal(sum([...elements].reverse()), sum(elements))
      const lanes = new Lanes()
      for (const [a, b] of [extra, ...elements]) lanes.add(a, b)
      lanes.remove(...extra)
      assert.equal([lanes.low, lanes.high], sum(elements))
    }),
  )
})

test('block numbers in a row have different lanes, each lane for itself', () => {
  const low = new Set<number>()
  const high = new Set<number>()
  let pairs = 0
  for (let block = 0; block < 400; block++) {
    for (let place = 1; place < 400; place++) {
      low.add(laneLow(block, place * 8))
      high.add(laneHigh(block, place * 8))
      pairs++
    }
  }
  // Of n values out of 2^32 about n^2 / 2^33 collide by chance: three here.
  assert.ok(pairs - low.size < 20, `${pairs - low.size} collisions in the low lane`)
  assert.ok(pairs - high.size < 20, `${pairs - high.size} collisions in the high lane`)
})

test('numbers past 2^32 count whole', () => {
  for (const lane of [laneLow, laneHigh]) {
    const values = [0, 2 ** 32, 2 ** 33, 2 ** 52].flatMap((high) => [lane(5 + high, 9), lane(5, 9 + high)])
    assert.is(new Set(values).size, values.length - 1, 'all differ but the two of nothing added')
  }
})

test('a and b change places: another element', () => {
  assert.not.equal(sum([[3, 4]]), sum([[4, 3]]))
})

test('the same part at another place is another whole', () => {
  const at = (place: number) => {
    const lanes = new Lanes()
    lanes.include(place, 17, -5)
    return [lanes.low, lanes.high]
  }
  assert.not.equal(at(1), at(2))
  assert.equal(at(1), at(1))
})

test('texts differ by their characters, their order and their length', () => {
  const hash = (text: string) => {
    const lanes = new Lanes()
    lanes.text(0, text)
    return lanesText(lanes.low, lanes.high)
  }
  const texts = ['', 'a', 'ab', 'ba', 'abc', 'fractured', 'syncing']
  assert.is(new Set(texts.map(hash)).size, texts.length)
})

test('sixteen digits, the high lane first', () => {
  assert.is(lanesText(-1, 1), '00000001ffffffff')
  const lanes = new Lanes()
  lanes.set(2 ** 31, 5)
  lanes.add(1, 1)
  lanes.clear()
  assert.is(lanesText(lanes.low, lanes.high), '0000000000000000')
})

test.run()
