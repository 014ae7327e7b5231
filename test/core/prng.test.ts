/** Seeded chance and content: the same on every machine and run, spread evenly, told apart by every part of its key. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Prng, syntheticContent } from '../../src/core/prng.ts'

const test = suite('prng')

test('the first numbers of a seed are these, for ever', () => {
  const random = new Prng(42)
  assert.equal([random.next(), random.next(), random.next()], [2581720956, 1925393290, 3661312704])
})

test('equal seeds give equal numbers, others other ones', () => {
  const draw = (seed: number) => {
    const random = new Prng(seed)
    return Array.from({ length: 20 }, () => random.next())
  }
  assert.equal(draw(7), draw(7))
  assert.equal(draw(7 + 2 ** 32), draw(7), 'a seed has 32 bits')
  assert.not.equal(draw(7), draw(8))
})

test('below is below, and every number comes', () => {
  const random = new Prng(1)
  const counts = new Array(10).fill(0)
  for (let k = 0; k < 10_000; k++) counts[random.below(10)]++
  assert.ok(
    counts.every((count) => count > 850 && count < 1150),
    counts.join(' '),
  )
})

test('content depends on seed, volume, place and version, sector by sector', () => {
  const key = { seed: 1, volume: 2, offset: 4096, version: 3 }
  const content = syntheticContent(key, 1024)
  assert.is(content.length, 1024)
  assert.equal(syntheticContent(key, 1024), content)
  assert.equal(syntheticContent({ ...key, offset: 4608 }, 512), content.slice(512))
  const others = [{ seed: 2 }, { volume: 3 }, { offset: 8192 }, { version: 4 }]
  const texts = [{}, ...others].map((other) => syntheticContent({ ...key, ...other }, 512).toString())
  assert.is(new Set(texts).size, texts.length)
})

test.run()
