/** Where requests go: each step against what its words say, and that a range never leaves the volume when wrapped. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isPlayed, parseScale, placed, plainRemap, type Remap } from '../../src/run/remap.ts'
import { askOf } from '../../src/run/trace-host.ts'
import type { TraceEvent } from '../../src/trace/event.ts'

const test = suite('remap')

const event = (more: Partial<TraceEvent>): TraceEvent => ({
  ...{ index: 0, op: 'write', offset: 0, length: 4096, tNs: null, dev: null, flags: [] },
  ...more,
})

test('devices, only and skip leave events out', () => {
  const played = (remap: Partial<Remap>, more: Partial<TraceEvent>) =>
    isPlayed({ ...plainRemap, ...remap }, event(more))
  assert.ok(played({}, { dev: 'sda' }))
  assert.ok(played({ devices: ['sda'] }, { dev: 'sda' }))
  assert.not(played({ devices: ['sda'] }, { dev: 'sdb' }))
  assert.not(played({ devices: ['sda'] }, { dev: null }))
  assert.not(played({ only: ['read'] }, { op: 'write' }))
  assert.not(played({ skip: ['write'] }, { op: 'write' }))
  assert.not(played({ only: ['write'], skip: ['write'] }, { op: 'write' }))
})

test('steps come in the order scale, shift, wrap, align', () => {
  const remap = { ...plainRemap, scale: [1, 2], shift: 1000, wrap: true, align: 4096 } as const
  const range = { offset: 200_000, length: 5000 }
  assert.equal(placed(remap, range, 65_536), { offset: 32_768, length: 8192, lead: 2696, body: 5000 })
  assert.equal(placed(plainRemap, range, 10), { ...range, lead: 0, body: 5000 })
  const back = { ...plainRemap, shift: -4096 }
  assert.is(placed(back, { offset: 0, length: 1 }, 65_536).offset, -4096)
  assert.is(placed({ ...back, wrap: true }, { offset: 0, length: 1 }, 65_536).offset, 61_440)
})

test('scales are read, and exact where the product passes 2^53', () => {
  assert.equal(parseScale('0.25'), [25, 100])
  assert.equal(parseScale('1/3'), [1, 3])
  assert.equal(parseScale('2'), [2, 1])
  for (const text of ['0', '-1', '1/0', '', 'x', '1e3']) assert.is(parseScale(text), undefined, text)
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 50 }),
      fc.integer({ min: 1, max: 10 ** 8 }),
      fc.integer({ min: 1, max: 10 ** 8 }),
      (offset, times, by) => {
        const exact = (BigInt(offset) * BigInt(times)) / BigInt(by)
        fc.pre(exact < 2n ** 53n)
        const { offset: found } = placed({ ...plainRemap, scale: [times, by] }, { offset, length: 1 }, 1)
        assert.is(BigInt(found), exact)
      },
    ),
  )
})

test('wrapped and aligned, a range stays on the volume and holds what was asked for', () => {
  const sizes = fc.integer({ min: 1, max: 1000 }).map((blocks) => blocks * 4096)
  const ranges = fc.record({
    offset: fc.integer({ min: 0, max: 2 ** 45 }),
    length: fc.integer({ min: 1, max: 2 ** 20 }),
  })
  fc.assert(
    fc.property(
      sizes,
      ranges,
      fc.constantFrom(0, 512, 4096, 65_536),
      fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
      (size, range, align, shift) => {
        const { offset, length, lead, body } = placed(
          { ...plainRemap, shift, wrap: true, align },
          range,
          size,
        )
        assert.ok(offset >= 0 && offset + length <= size)
        assert.ok(body <= range.length && lead + body <= length)
        assert.is(offset + lead, (((range.offset + shift) % size) + size) % size)
        if (align > 0) assert.is(offset % align, 0)
      },
    ),
  )
})

test('a write that is rounded out keeps its payload in its place', () => {
  const data = new Uint8Array(512).fill(9)
  const remap = { ...plainRemap, align: 4096 }
  const target = { session: 1, volume: 1, size: 65_536, seed: 1, remap }
  const ask = askOf(event({ offset: 4608, length: 512, data }), target)!
  assert.is('offset' in ask && ask.offset, 4096)
  const written = ask.data!
  assert.is(written.length, 4096)
  assert.equal([...written.subarray(512, 1024)], [...data])
  const made = askOf(event({ offset: 4608, length: 512 }), target)!.data!
  assert.equal(written.subarray(0, 512), made.subarray(0, 512))
  assert.equal(written.subarray(1024), made.subarray(1024))
  assert.ok(written.subarray(0, 512).some((byte) => byte !== 0))
})

test.run()
