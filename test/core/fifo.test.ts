/** First in, first out, against a plain array, through compaction. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Fifo } from '../../src/core/fifo.ts'

const test = suite('fifo')

test('it is what a plain array is', () => {
  const act = fc.oneof(
    fc.record({ push: fc.integer({ min: 1, max: 400 }) }),
    fc.record({ shift: fc.integer({ min: 1, max: 500 }) }),
  )
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const fifo = new Fifo<number>()
      const plain: number[] = []
      let next = 0
      for (const act of acts) {
        if ('push' in act) {
          for (let k = 0; k < act.push; k++) {
            fifo.push(next)
            plain.push(next++)
          }
        } else for (let k = 0; k < act.shift; k++) assert.is(fifo.shift(), plain.shift())
        assert.equal([fifo.length, fifo.peek(), fifo.last()], [plain.length, plain[0], plain.at(-1)])
      }
      assert.equal([...fifo], plain)
    }),
    { numRuns: 300 },
  )
})

test('an empty one has nothing', () => {
  const fifo = new Fifo<number>()
  fifo.push(1)
  fifo.shift()
  assert.equal([fifo.length, fifo.peek(), fifo.last(), fifo.shift()], [0, undefined, undefined, undefined])
})

test('a long queue is emptied from the front', () => {
  const fifo = new Fifo<number>()
  for (let k = 0; k < 200_000; k++) fifo.push(k)
  for (let k = 0; k < 200_000; k++) if (fifo.shift() !== k) assert.unreachable(`item ${k}`)
  assert.is(fifo.length, 0)
})

test.run()
