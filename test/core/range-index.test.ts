/** The search among waiting requests: against a walk through all of them, and how little of them it looks at. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { overlap } from '../../src/core/range.ts'
import { RangeIndex } from '../../src/core/range-index.ts'

const test = suite('range index')

const base = 2 ** 44
const range = fc.record({
  offset: fc.oneof(
    fc.nat(5000),
    fc.nat(5000).map((at) => base + at),
  ),
  length: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 9000 })),
})

test('the index finds what a walk finds, oldest first, each once', () => {
  const act = fc.oneof(
    { weight: 3, arbitrary: fc.record({ what: fc.constant('add' as const), range, pick: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('remove' as const), range, pick: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('find' as const), range, pick: fc.nat() }) },
  )
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const index = new RangeIndex<{ offset: number; length: number; io: number }>()
      const all: { offset: number; length: number; io: number }[] = []
      for (const [k, { what, range, pick }] of acts.entries()) {
        if (what === 'add') {
          const item = { ...range, io: (k * 7919) % 1009 }
          all.push(item)
          index.add(item)
        } else if (what === 'remove' && all.length > 0) index.remove(all.splice(pick % all.length, 1)[0]!)
        const expected = all.filter((item) => overlap(item, range)).sort((a, b) => a.io - b.io)
        assert.equal(index.overlapping(range), expected)
        const io = pick % 1009
        const older = index.older(range, io)
        assert.is(
          older !== undefined,
          expected.some((item) => item.io < io),
        )
        if (older !== undefined) assert.ok(older.io < io && overlap(older, range))
      }
    }),
    { numRuns: 300 },
  )
})

/** A request that counts how often its place is looked at. */
class Counted {
  static looks = 0
  readonly io: number
  readonly length: number
  readonly #offset: number

  constructor(io: number, offset: number, length: number) {
    this.io = io
    this.#offset = offset
    this.length = length
  }

  get offset(): number {
    Counted.looks++
    return this.#offset
  }
}

const many = 64_000
const crowds: Readonly<Record<string, (k: number) => Counted>> = {
  'in one place': (k) => new Counted(k, 4096 * (k % 16), 4096),
  'over most of the volume': (k) => new Counted(k, 4096 * k, 2 ** 35 - 4096 * k),
  'far apart': (k) => new Counted(k, ((k * 40_503) % many) * 65_536, 4096),
}

for (const [where, made] of Object.entries(crowds)) {
  test(`beside ${many} that wait ${where}, few are looked at`, () => {
    const index = new RangeIndex<Counted>()
    for (let k = 1; k <= many; k++) index.add(made(k))
    const looks = (act: () => void) => {
      Counted.looks = 0
      act()
      return Counted.looks
    }
    const probes = [
      { offset: 2 ** 36, length: 4096 },
      { offset: 0, length: 4096 },
      { offset: 4096 * 7, length: 1 },
    ]
    for (const probe of probes) {
      for (const io of [1, many / 2, many + 1]) {
        const seen = looks(() => void index.older(probe, io))
        assert.ok(seen < 400, `${seen} looks for what is older than ${io} at ${probe.offset}`)
      }
    }
    const item = made(many / 2)
    assert.ok(looks(() => index.remove(item)) < 800)
    assert.ok(looks(() => index.add(item)) < 800)
  })
}

test.run()
