/** The heap gives back what it was given, smallest first, whatever was taken out in between. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Heap } from '../../src/core/heap.ts'

const test = suite('heap')

test('it is what a sorted array is', () => {
  const act = fc.oneof(
    { weight: 2, arbitrary: fc.nat(50) },
    { weight: 1, arbitrary: fc.constant('pop' as const) },
  )
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
      const heap = new Heap<{ io: number }>()
      const plain: number[] = []
      for (const act of acts) {
        if (act === 'pop') assert.is(heap.pop()?.io, plain.shift())
        else {
          heap.push({ io: act })
          plain.push(act)
          plain.sort((a, b) => a - b)
        }
        assert.equal([heap.size, heap.peek()?.io], [plain.length, plain[0]])
      }
      for (const io of plain) assert.is(heap.pop()?.io, io)
      assert.is(heap.pop(), undefined)
    }),
  )
})

test('cleared it is empty', () => {
  const heap = new Heap<{ io: number }>()
  heap.push({ io: 1 })
  heap.clear()
  assert.equal([heap.size, heap.peek(), heap.pop()], [0, undefined, undefined])
})

test.run()
