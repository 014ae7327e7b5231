/**
 * Frames: what is encoded is what is decoded; any changed byte is found; no length is believed before it is checked,
 * no number before the vocabulary knows it.
 */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hex, sha256 } from '../../src/core/digest.ts'
import { codes } from '../../src/events/code.ts'
import { Columns, type NewEvent, rowBytes } from '../../src/events/columns.ts'
import { fates, kinds } from '../../src/events/kind.ts'
import { checkRows, decodeFrame, encodeFrame, type Frame, headerBytes } from '../../src/journal/frame.ts'
import { fails, marks, partsOf } from '../support/frames.ts'
import { kept } from '../support/ledger.ts'

const test = suite('frame')

const previous = sha256(Uint8Array.of(1))

/** Opens a frame as a reader does: shape, hash, rows, details. */
function opened(bytes: Uint8Array, first: number): Frame {
  const frame = decodeFrame(bytes, first)
  checkRows(frame, frame.open())
  return frame
}

/** The bytes with their hash made right again, as a forger would. */
function rehashed(bytes: Uint8Array): Uint8Array {
  bytes.set(sha256(bytes.subarray(0, bytes.length - 32)), bytes.length - 32)
  return bytes
}

const whole = fc.nat(2 ** 31 - 1)
const size = fc.maxSafeNat()
const mark: fc.Arbitrary<NewEvent> = fc.record({
  kind: fc.constant('mark' as const),
  session: whole,
  request: whole,
  volume: fc.nat(65_535),
  at: fc.integer(),
  detail: fc.record({ label: fc.string({ unit: 'grapheme', maxLength: 40 }) }, { noNullPrototype: true }),
})
const write: fc.Arbitrary<NewEvent> = fc.record({
  kind: fc.constant('io.write' as const),
  op: fc.constant('write' as const),
  fate: fc.constantFrom('passed' as const, 'held' as const, 'queued' as const),
  session: whole,
  request: whole,
  volume: fc.nat(65_535),
  offset: size,
  length: size,
  payload: fc.maxSafeNat().map((place) => Math.max(1, place)),
  flags: fc.nat(255),
  digestHigh: whole,
  digestLow: whole,
  at: fc.integer(),
})
const released: fc.Arbitrary<NewEvent> = fc.record({
  kind: fc.constant('hold.released' as const),
  op: fc.constant('zeroes' as const),
  fate: fc.constant('passed' as const),
  about: fc.integer({ min: -(2 ** 20), max: -1 }),
  offset: size,
  length: size,
})

test('what is encoded is what is decoded', () => {
  const property = fc.property(
    fc.tuple(mark, fc.array(fc.oneof(mark, write, released), { maxLength: 20 })),
    fc.integer({ min: 50, max: 2 ** 45 }),
    fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 4 }),
    fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
    fc.tuple(whole, whole, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
    ([input, rest], first, digests, instantNs, [epoch, replied, stateLow]) => {
      const events = [input, ...rest].map(
        (event): NewEvent =>
          event.about === undefined ? event : { ...event, about: Math.max(1, first + event.about) },
      )
      const more = {
        digests,
        instantNs,
        durableNs: -instantNs,
        replied,
        flags: 3,
        stateLow,
        stateHigh: -stateLow | 0,
      }
      const { bytes } = encodeFrame(partsOf(first, events, more), epoch, previous)
      const frame = opened(bytes, first)
      const { columns: _, details: __, ...head } = partsOf(first, events, more)
      const found = Object.fromEntries(Object.keys(head).map((name) => [name, frame[name as 'first']]))
      assert.equal({ ...found, digests: 0 }, { ...head, digests: 0 })
      assert.equal([frame.count, frame.last, frame.epoch], [events.length, first + events.length - 1, epoch])
      assert.equal(hex(frame.previous), hex(previous))
      assert.equal(hex(frame.hash), hex(sha256(bytes.subarray(0, bytes.length - 32))))
      assert.equal(
        digests.map((_digest, k) => hex(frame.digest(k))),
        digests.map(hex),
      )
      const row = frame.open(new Columns(3))
      for (const [k, event] of events.entries()) {
        row.index = k
        const { at = 0, digestHigh = 0, digestLow = 0, ...plain } = event
        assert.equal([row.at, row.digestHigh, row.digestLow], [at, digestHigh, digestLow])
        const wanted = Object.entries(plain).filter(([, value]) => value !== 0)
        assert.equal(kept(row), { seq: first + k, ...Object.fromEntries(wanted) })
      }
    },
  )
  fc.assert(property, { numRuns: 200, includeErrorInReport: true })
})

test('every changed bit and every truncation is found, with the first sequence number', async () => {
  const { bytes } = encodeFrame(
    partsOf(
      41,
      [
        { kind: 'mark', detail: { label: 'x' } },
        { kind: 'io.write', op: 'write', fate: 'passed', length: 4096, payload: 2 ** 21 },
      ],
      { digests: [previous] },
    ),
    3,
    previous,
  )
  assert.is(opened(bytes, 41).count, 2)
  for (let at = 0; at < bytes.length; at++) {
    for (const flip of [1, 0x80, 0xff]) {
      const changed = bytes.slice()
      changed[at]! ^= flip
      await fails('JOURNAL_CORRUPT', () => decodeFrame(changed, 41), 41)
    }
    await fails('JOURNAL_CORRUPT', () => decodeFrame(bytes.slice(0, at), 41), 41)
    const zeroed = bytes.slice()
    zeroed.fill(0, at)
    if (hex(zeroed) !== hex(bytes)) await fails('JOURNAL_CORRUPT', () => decodeFrame(zeroed, 41), 41)
  }
  await fails('JOURNAL_CORRUPT', () => decodeFrame(new Uint8Array([...bytes, 0]), 41), 41)
  await fails('JOURNAL_CORRUPT', () => decodeFrame(bytes, 42), 42)
  await fails('JOURNAL_GAP', () => decodeFrame(bytes, 39), 39)
})

test('lengths that lie are refused before anything is made of them', async () => {
  const { bytes } = encodeFrame(marks(7, 3), 1, previous)
  const before = process.memoryUsage().arrayBuffers
  for (const [at, lies] of [
    [6, [0, 111, 113, 0xffff]],
    [16, [0, 1, 2, 4, 2 ** 31, 2 ** 32 - 1]],
    [52, [1, 2 ** 27, 2 ** 32 - 1]],
    [56, [0, 2 ** 31, 2 ** 32 - 1]],
    [60, [0, bytes.length - 1, 2 ** 32 - 1]],
  ] as const) {
    for (const lie of lies) {
      const lying = bytes.slice()
      const view = new DataView(lying.buffer)
      if (at === 6) view.setUint16(at, lie, true)
      else view.setUint32(at, lie, true)
      await fails('JOURNAL_CORRUPT', () => opened(rehashed(lying), 7), 7)
    }
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 24)
})

test('a frame of a later version with a right hash is for a later program', async () => {
  const { bytes } = encodeFrame(marks(7), 1, previous)
  new DataView(bytes.buffer).setUint16(4, 2, true)
  await fails('JOURNAL_CORRUPT', () => decodeFrame(bytes, 7), 7)
  await fails('JOURNAL_VERSION', () => decodeFrame(rehashed(bytes), 7), 7)
  bytes[0] = 0x41
  await fails('JOURNAL_CORRUPT', () => decodeFrame(rehashed(bytes), 7), 7)
})

test('kinds, codes, fates and operations that are not known, and values where none belong', async () => {
  const rows = headerBytes
  /** Where the one-byte columns of a frame of two rows begin, and the other columns. */
  const at = {
    kind: rows + 58 * 2,
    op: rows + 59 * 2,
    fate: rows + 60 * 2,
    flags: rows + 61 * 2,
    code: rows + 62 * 2,
  }
  const events: NewEvent[] = [
    { kind: 'mark', detail: { label: 'x' } },
    { kind: 'io.write', op: 'write', fate: 'passed', length: 4096, payload: 2 ** 21 },
  ]
  const { bytes } = encodeFrame(partsOf(7, events), 1, previous)
  const known = new Set<number>(Object.values(kinds).map(({ number }) => number))
  const changed = async (place: number, value: number, seq: number) => {
    const copy = bytes.slice()
    copy[place] = value
    await fails('JOURNAL_CORRUPT', () => opened(rehashed(copy), 7), seq)
  }
  for (let kind = 0; kind < 256; kind++) {
    if (known.has(kind)) continue
    await changed(at.kind, kind, 7)
    await changed(at.kind + 1, kind, 8)
  }
  for (let code = Object.keys(codes).length; code < 256; code++) await changed(at.code + 1, code, 8)
  for (let fate = fates.length; fate < 256; fate++) await changed(at.fate + 1, fate, 8)
  for (let op = 6; op < 256; op++) await changed(at.op + 1, op, 8)
  for (const place of [at.op, at.fate, at.flags, at.code]) await changed(place, 1, 7)
  const outcome = encodeFrame(partsOf(7, [{ kind: 'engine.recovered' }]), 1, previous).bytes
  await fails('JOURNAL_CORRUPT', () => opened(outcome, 7), 7)
})

test('numbers in rows that no reducer may see', async () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, -1, 0.5, 2 ** 53]) {
    for (const column of ['offset', 'length', 'payload'] as const) {
      const events: NewEvent[] = [{ kind: 'io.write', op: 'write', fate: 'passed', [column]: bad }]
      const { bytes } = encodeFrame(partsOf(7, events), 1, previous)
      await fails('JOURNAL_CORRUPT', () => opened(bytes, 7), 7)
    }
  }
  const { bytes } = encodeFrame(partsOf(7, [{ kind: 'io.flush', op: 'flush', at: Number.NaN }]), 1, previous)
  await fails('JOURNAL_CORRUPT', () => opened(bytes, 7), 7)
})

test('random bytes are no frame', () => {
  const property = fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
    try {
      decodeFrame(bytes, 1)
    } catch (error) {
      assert.is((error as { code: string }).code, 'JOURNAL_CORRUPT')
      return
    }
    assert.unreachable('decoded')
  })
  fc.assert(property, { numRuns: 300 })
})

test('the layout is that of the format: header, rows, digests, details, hash', () => {
  const frame = encodeFrame(
    partsOf(7, [{ kind: 'io.flush', op: 'flush' }], { digests: [previous] }),
    1,
    previous,
  )
  assert.is(rowBytes, 63)
  assert.is(frame.bytes.length, 112 + 63 + 32 + 32)
  assert.is(hex(frame.bytes.subarray(0, 8)), '4242463101007000')
  assert.is(hex(frame.bytes.subarray(112 + 63, 112 + 63 + 32)), hex(previous))
})

test.run()
