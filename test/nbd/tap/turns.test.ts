/** Turns: what overlaps goes in the order in which it came, and nothing else waits. */

import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { overlap } from '../../../src/core/range.ts'
import { type Turn, Turns } from '../../../src/nbd/tap/turns.ts'

const test = suite('turns')

interface Asked {
  readonly offset: number
  readonly length: number
  readonly changes: boolean
}

const asked: fc.Arbitrary<Asked> = fc.record({
  offset: fc.integer({ min: 0, max: 40 }).map((cell) => cell * 16_384),
  length: fc.constantFrom(0, 1, 16_384, 100_000),
  changes: fc.boolean(),
})

const excludes = (a: Asked, b: Asked) =>
  a.length > 0 && b.length > 0 && (a.changes || b.changes) && overlap(a, b)

test('what is under way never overlaps a change; everything is sent once, as soon as it may be, in order', () => {
  void fc.assert(
    fc.property(fc.array(asked, { maxLength: 40 }), fc.infiniteStream(fc.nat()), (all, chance) => {
      const turns = new Turns()
      const sent: number[] = []
      const open = new Map<number, Turn>()
      const done = new Set<number>()
      const check = () => {
        const going = sent.filter((k) => !done.has(k))
        for (const a of going) {
          for (const b of going) assert.ok(a === b || !excludes(all[a]!, all[b]!), `${a} and ${b} overlap`)
        }
        for (const k of open.keys()) {
          const before = all.slice(0, k).some((other, j) => !done.has(j) && excludes(other, all[k]!))
          assert.is(sent.includes(k), !before, `request ${k} is sent when nothing before it excludes it`)
        }
      }
      const end = () => {
        const going = sent.filter((k) => !done.has(k))
        const k = going[chance.next().value % going.length]!
        done.add(k)
        const turn = open.get(k)!
        open.delete(k)
        turns.done(turn)
      }
      for (const [k, one] of all.entries()) {
        open.set(
          k,
          turns.take(one, one.changes, () => sent.push(k)),
        )
        check()
        if (chance.next().value % 3 === 0 && open.size > 0) end()
        check()
      }
      while (open.size > 0) {
        end()
        check()
      }
      assert.is(new Set(sent).size, all.length)
      assert.is(sent.length, all.length)
      assert.is(turns.going, 0)
    }),
    { numRuns: 300 },
  )
})

test.run()
