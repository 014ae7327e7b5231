/** Quantiles and the heaviest few, against sorting. */

import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Spread, Top } from '../../src/inspect/spread.ts'

const test = suite('spread')

test('of few durations it is exact', () => {
  void fc.assert(
    fc.property(
      fc.array(fc.nat(1e9), { minLength: 1, maxLength: 300 }),
      fc.nat(100),
      (durations, percent) => {
        const spread = new Spread()
        for (const one of durations) spread.add(one)
        const sorted = [...durations].sort((a, b) => a - b)
        const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length))
        assert.is(spread.quantile(percent / 100), sorted[rank - 1])
        const { count, min_ns, max_ns, sum_ns } = spread.record()!
        const sum = durations.reduce((a, b) => a + b, 0)
        assert.equal([count, min_ns, max_ns, sum_ns], [sorted.length, sorted[0], sorted.at(-1), sum])
      },
    ),
  )
})

test('of many it is right within 3.2 %', () => {
  const spread = new Spread()
  const all: number[] = []
  for (let k = 0; k < 200_000; k++) {
    const ns = Math.floor(1000 * 1.00006 ** k)
    all.push(ns)
    spread.add(ns)
  }
  for (const part of [0.01, 0.5, 0.9, 0.99, 1]) {
    const exact = all[Math.ceil(part * all.length) - 1]!
    const error = Math.abs(spread.quantile(part) / exact - 1)
    assert.ok(error <= 0.032, `quantile ${part} is ${spread.quantile(part)}, not ${exact}`)
  }
})

test('of none there is nothing to say', () => {
  assert.is(new Spread().record(), undefined)
})

test('the top are the heaviest, in order', () => {
  void fc.assert(
    fc.property(fc.array(fc.nat(50)), fc.integer({ min: 1, max: 5 }), (weights, most) => {
      const top = new Top<number>(most, (weight) => weight)
      for (const weight of weights) top.add(weight)
      assert.equal(top.items, [...weights].sort((a, b) => b - a).slice(0, most))
    }),
  )
})

test.run()
