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
  for (const changes of [0, 1]) {
    const disk = new Disk()
    disk.write([put(1, 1), put(2, 2)])
    disk.powerLoss(0, { changes, bytes: 0 })
    assert.is(disk.content.size, changes)
  }
})

test('a torn batch may end within a value', () => {
  const disk = new Disk()
  disk.write([put(1, 1), { key: at(2), value: Uint8Array.of(2, 2, 2) }, put(3, 3)])
  disk.powerLoss(0, { changes: 1, bytes: 2 })
  assert.equal([...disk.content.values()], [Uint8Array.of(1), Uint8Array.of(2, 2)])
})

test('what tore is known until it is gone for good: a removal that is lost brings it back', () => {
  const disk = new Disk()
  const torn = () => disk.torn.map(([k]) => k)
  disk.write([{ key: at(2), value: Uint8Array.of(2, 2, 2) }])
  disk.powerLoss(0, { changes: 0, bytes: 1 })
  assert.equal(torn(), [2])
  const removal = [{ key: at(2), value: undefined }]
  disk.write(removal)
  assert.equal(torn(), [])
  disk.powerLoss(0)
  assert.equal(torn(), [2])
  disk.sync(disk.write(removal))
  disk.powerLoss(0)
  assert.equal(torn(), [])
})

test('what a lying sync promised is known to be gone when it is', () => {
  for (const kept of [0, 1]) {
    const disk = new Disk()
    disk.lie(disk.write([put(1, 1)]))
    disk.write([put(2, 2)])
    assert.is(disk.powerLoss(kept), kept === 0)
  }
  const disk = new Disk()
  disk.lie(disk.write([put(1, 1)]))
  disk.sync(disk.write([put(2, 2)]))
  assert.is(disk.powerLoss(0), false)
  assert.is(disk.content.size, 2)
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
  disk.rot(at(1), 0)
  disk.powerLoss(0)
  assert.equal(disk.content.get(at(1)), Uint8Array.of(9))
  assert.equal(disk.sound(at(1)), Uint8Array.of(8))
  assert.equal(disk.mended().content.get(at(1)), Uint8Array.of(8))
  disk.write([put(1, 5)])
  assert.is(disk.rotten, undefined)
})

test.run()
