/** What every folder of segments does: that of real files, and the simulated one. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { SegmentFolder } from '../../src/journal/segment-folder.ts'
import { Segments } from '../../src/journal/segments.ts'

/** Bytes that say where they are. */
export function counted(length: number, from = 0): Uint8Array {
  return new Uint8Array(length).map((_, k) => (k + from) * 7 + ((k + from) >> 8))
}

/** @param place gives a folder that does not exist yet, each time it is asked another view of the same one. */
export function segmentSuite(name: string, place: () => () => SegmentFolder) {
  const test = suite(`segment folder: ${name}`)

  test('there is none until it is made, and it is made once', () => {
    const folder = place()()
    assert.is(folder.numbers(), undefined)
    assert.throws(() => folder.create(1))
    folder.make()
    folder.syncOwnName()
    assert.equal(folder.numbers(), [])
    assert.throws(() => folder.make(), /EEXIST/)
  })

  test('a segment is made once, and found by its number', () => {
    const view = place()
    const folder = view()
    folder.make()
    for (const segment of [1, 2, 123_456_789]) folder.create(segment).close()
    folder.syncNames()
    assert.throws(() => folder.create(2), /EEXIST/)
    assert.equal(
      [...view().numbers()!].sort((a, b) => a - b),
      [1, 2, 123_456_789],
    )
    assert.is(view().open(3), undefined)
    assert.is(view().open(2)!.size(), 0)
  })

  test('what is written is read, by whoever has it open, up to the end of the file', async () => {
    const view = place()
    const folder = view()
    folder.make()
    const file = folder.create(1)
    for (const [at, length] of [
      [0, 100],
      [100, 600_000],
      [600_100, 1],
    ] as const) {
      await file.write(counted(length, at), at)
    }
    await file.sync()
    const reader = view().open(1)!
    assert.is(reader.size(), 600_101)
    const all = new Uint8Array(700_000)
    assert.is(reader.read(all, 0), 600_101)
    assert.ok(Buffer.from(all.subarray(0, 600_101)).equals(counted(600_101)))
    const some = new Uint8Array(10)
    assert.is(reader.read(some, 50), 10)
    assert.equal(some, counted(10, 50))
    assert.is(reader.read(some, 600_101), 0)
    await file.write(counted(5, 600_101), 600_101)
    assert.is(reader.size(), 600_106)
    file.close()
    reader.close()
  })

  test('a hole before what is written is zeros, and what is written over is gone', async () => {
    const folder = place()()
    folder.make()
    const file = folder.create(1)
    await file.write(Uint8Array.of(1, 2, 3, 4), 2)
    await file.write(Uint8Array.of(9), 3)
    const found = folder.open(1)!
    const bytes = new Uint8Array(6)
    assert.is(found.read(bytes, 0), 6)
    assert.equal(bytes, Uint8Array.of(0, 0, 1, 9, 3, 4))
  })

  test('segments append to it and read from it, and begin a segment of their own each time', async () => {
    const view = place()
    const parts = [counted(70_000), counted(3, 9), counted(0), counted(512, 1)]
    const first = new Segments(view())
    const stretches = [...(await first.append(parts, true)), ...(await first.append(parts, false))]
    first.close()
    const second = new Segments(view())
    stretches.push(...(await second.append(parts, true)))
    assert.equal([...new Set(stretches.map(({ segment }) => segment))], [1, 2])
    for (const [k, stretch] of stretches.entries()) {
      assert.ok(Buffer.from(second.read(stretch)).equals(parts[k % parts.length]!))
    }
    assert.is(second.read({ segment: 7, offset: 0, length: 10 }).length, 0)
    assert.is(second.read({ segment: 2, offset: 70_000, length: 10 ** 9 }).length, 515)
    second.close()
  })

  return test
}
