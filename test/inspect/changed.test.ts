/** Changed blocks against comparing every block. */

import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockMap } from '../../src/core/block-map.ts'
import { changedBlocks } from '../../src/inspect/changed.ts'

const test = suite('changed blocks')

const blocks = 9000
const writes = fc.array(
  fc.record({ at: fc.nat(blocks - 1), count: fc.integer({ min: 1, max: 40 }), place: fc.nat(3) }),
)

function apply(map: BlockMap, all: readonly { at: number; count: number; place: number }[]): void {
  for (const { at, count, place } of all) {
    const room = Math.min(count, blocks - at)
    if (place === 0) map.zero(at, room)
    else map.write(at, room, place * 1000)
  }
}

test('they are the blocks whose places differ, in stretches that do not touch', () => {
  void fc.assert(
    fc.property(writes, writes, fc.boolean(), (first, second, forks) => {
      const before = new BlockMap(8)
      apply(before, first)
      const after = forks ? before.fork() : new BlockMap(8)
      if (!forks) apply(after, first)
      apply(after, second)
      const naive: number[] = []
      for (let block = 0; block < blocks; block++)
        if (before.get(block) !== after.get(block)) naive.push(block)
      const found: number[] = []
      let last = -2
      for (const stretch of changedBlocks(before, after)) {
        assert.ok(stretch.first > last + 1, 'neighbours are joined')
        for (let k = 0; k < stretch.count; k++) found.push(stretch.first + k)
        last = stretch.first + stretch.count - 1
      }
      assert.equal(found, naive)
    }),
    { numRuns: 60 },
  )
})

test.run()
