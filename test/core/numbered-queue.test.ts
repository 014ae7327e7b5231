/** Requests in the order of their numbers, against a plain array, through compaction and removals from the middle. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NumberedQueue } from '../../src/core/numbered-queue.ts'

const test = suite('numbered queue')

interface Numbered {
  readonly io: number
}

test('it is what a plain array is', () => {
  const act = fc.oneof(
    fc.record({ push: fc.integer({ min: 1, max: 400 }) }),
    fc.record({ shift: fc.integer({ min: 1, max: 500 }) }),
    fc.record({ take: fc.array(fc.nat(3000), { maxLength: 50 }) }),
  )
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const queue = new NumberedQueue<Numbered>()
      const plain: Numbered[] = []
      let next = 0
      for (const act of acts) {
        if ('push' in act) {
          for (let k = 0; k < act.push; k++) {
            const item = { io: next }
            next += 2
            queue.push(item)
            plain.push(item)
          }
        } else if ('shift' in act) {
          for (let k = 0; k < act.shift; k++) assert.is(queue.shift(), plain.shift())
        } else {
          for (const io of act.take) {
            const at = plain.findIndex((item) => item.io === io)
            assert.is(queue.take(io), at < 0 ? undefined : plain.splice(at, 1)[0])
            assert.is(queue.take(io), undefined)
          }
        }
        assert.equal([queue.length, queue.peek(), queue.last()], [plain.length, plain[0], plain.at(-1)])
        assert.equal([...queue], plain)
      }
    }),
    { numRuns: 200 },
  )
})

test('an empty one has nothing', () => {
  const queue = new NumberedQueue<Numbered>()
  const nothing = () => [queue.length, queue.peek(), queue.last(), queue.shift(), queue.take(1)]
  assert.equal(nothing(), [0, undefined, undefined, undefined, undefined])
  queue.push({ io: 1 })
  queue.shift()
  assert.equal(nothing(), [0, undefined, undefined, undefined, undefined])
  queue.push({ io: 2 })
  queue.take(2)
  assert.equal(nothing(), [0, undefined, undefined, undefined, undefined])
})

test('a number that does not grow is refused', () => {
  const queue = new NumberedQueue<Numbered>()
  queue.push({ io: 3 })
  assert.throws(() => queue.push({ io: 3 }), /numbers only grow/)
  queue.shift()
  queue.push({ io: 1 })
  assert.is(queue.peek()?.io, 1)
})

test('a long queue is emptied: from the front, by number, every second one first', () => {
  const length = 200_000
  const ways = [
    (queue: NumberedQueue<Numbered>, _: number) => queue.shift(),
    (queue: NumberedQueue<Numbered>, k: number) => queue.take(k + 1),
    (queue: NumberedQueue<Numbered>, k: number) =>
      queue.take(k < length / 2 ? 2 * k + 1 : 2 * (k - length / 2) + 2),
  ]
  for (const [way, take] of ways.entries()) {
    const queue = new NumberedQueue<Numbered>()
    for (let k = 1; k <= length; k++) queue.push({ io: k })
    for (let k = 0; k < length; k++) if (take(queue, k) === undefined) assert.unreachable(`${way}: ${k}`)
    assert.is(queue.length, 0)
  }
})

test.run()
