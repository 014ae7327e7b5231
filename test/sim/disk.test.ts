/** What a crash leaves of a disk under test: synced writes always, a first part of the others, batches whole. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Disk } from '../../src/sim/disk.ts'

const test = suite('disk under test')
const at = (k: number) => Uint8Array.of(k)
const put = (k: number, value: number) => ({ key: at(k), value: Uint8Array.of(value) })

test('what was synced survives, what came before it too, and nothing in between is left out', () => {
  const write = fc.record({ k: fc.nat(5), value: fc.nat(255), sync: fc.boolean(), gone: fc.boolean() })
  fc.assert(
    fc.property(fc.array(write, { maxLength: 30 }), fc.nat(40), (writes, kept) => {
      const disk = new Disk()
      let synced = 0
      for (const [n, { k, value, sync, gone }] of writes.entries()) {
        const written = disk.write([gone ? { key: at(k), value: undefined } : put(k, value)])
        if (!sync) continue
        disk.sync(written)
        synced = n + 1
      }
      disk.powerLoss(kept)
      const expected = new Map<number, number>()
      for (const { k, value, gone } of writes.slice(0, Math.min(writes.length, synced + kept))) {
        if (gone) expected.delete(k)
        else expected.set(k, value)
      }
      const left = [...disk.content.entries()].map(([key, value]) => [key[0]!, value[0]!])
      assert.equal(
        left,
        [...expected].sort(([a], [b]) => a - b),
      )
    }),
  )
})

test('a batch is lost whole or, where that is asked for, torn', () => {
  for (const torn of [0, 1]) {
    const disk = new Disk()
    disk.write([put(1, 1), put(2, 2)])
    disk.powerLoss(0, torn)
    assert.is(disk.content.size, torn)
  }
})

test('a dying process loses nothing that it had written', () => {
  const disk = new Disk()
  disk.write([put(1, 1)])
  disk.processCrash()
  disk.powerLoss(0)
  assert.is(disk.content.size, 1)
})

test('rot flips one bit, durably', () => {
  const disk = new Disk()
  disk.sync(disk.write([put(1, 8)]))
  disk.rot(0, 0)
  disk.powerLoss(0)
  assert.equal(disk.content.get(at(1)), Uint8Array.of(9))
})

test.run()
