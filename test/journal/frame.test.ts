/**
 * Frames: what is encoded is what is decoded; any changed byte is found; no length is believed before it is checked;
 * details that are not plain, known and packed the one way are damage, whatever hash somebody put under them.
 */

import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hex, sha256 } from '../../src/core/digest.ts'
import { codes } from '../../src/events/code.ts'
import { Columns, type NewEvent, rowBytes } from '../../src/events/columns.ts'
import { type Kind, kinds } from '../../src/events/kind.ts'
import { checkRows, decodeFrame, encodeFrame, type Frame, headerBytes } from '../../src/journal/frame.ts'
import { fails, marks, partsOf } from '../support/frames.ts'
import { kept } from '../support/ledger.ts'

const test = suite('frame')

const previous = sha256(Uint8Array.of(1))
const packr = new Packr({ useRecords: false })

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

/** A frame whose details are these bytes, its lengths and hash right. */
function withDetails(details: Uint8Array, events: readonly NewEvent[] = [{ kind: 'mark' }]): Uint8Array {
  const plain = encodeFrame(partsOf(7, events), 1, previous).bytes
  const bytes = new Uint8Array(plain.length + details.length)
  bytes.set(plain.subarray(0, plain.length - 32))
  bytes.set(details, plain.length - 32)
  const view = new DataView(bytes.buffer)
  view.setUint32(56, details.length, true)
  view.setUint32(60, bytes.length, true)
  return rehashed(bytes)
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
  const wide = rows + 32
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
  for (let fate = 5; fate < 256; fate++) await changed(at.fate + 1, fate, 8)
  for (let op = 6; op < 256; op++) await changed(at.op + 1, op, 8)
  for (const place of [at.op, at.fate, at.flags, at.code]) await changed(place, 1, 7)
  assert.is(wide, rows + 32)
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

test('details from outside: only plain ones of the row’s kind, packed the one way', async () => {
  const good = packr.pack([[0, { label: 'x' }]])
  assert.is(opened(withDetails(good), 7).open().detail.label, 'x')
  const nested = (depth: number) => new Uint8Array(depth).fill(0x91)
  const raw = (...bytes: number[]) => Uint8Array.from(bytes)
  const text = (value: string) => [0xa0 + value.length, ...Buffer.from(value)]
  const entry = (...value: number[]) => raw(0x91, 0x92, 0x00, ...value)
  const hostile: Record<string, Uint8Array> = {
    nothing: raw(0xc0),
    'a number': raw(0x07),
    'the byte nobody uses': raw(0xc1),
    'an empty list': raw(0x90),
    'an array that claims 2^32 items': raw(0xdd, 0xff, 0xff, 0xff, 0xff),
    'a map that claims 2^32 fields': entry(0xdf, 0xff, 0xff, 0xff, 0xff),
    'a text that claims 2^32 bytes': entry(0x81, ...text('label'), 0xdb, 0xff, 0xff, 0xff, 0xff),
    'bytes that claim 2^32 bytes': raw(0xc6, 0xff, 0xff, 0xff, 0xff),
    'a deep nest': nested(100_000),
    'a truncated list': good.subarray(0, good.length - 1),
    'trailing bytes': raw(...good, 0x00),
    'two rows of one number': packr.pack([
      [0, { label: 'x' }],
      [0, { label: 'y' }],
    ]),
    'a row beyond the frame': packr.pack([[1, { label: 'x' }]]),
    'a negative row': packr.pack([[-1, { label: 'x' }]]),
    'half a row': packr.pack([[0.5, { label: 'x' }]]),
    'a prototype': entry(
      0x82,
      ...text('label'),
      ...text('x'),
      ...text('__proto__'),
      0x81,
      ...text('label'),
      0x01,
    ),
    'only a prototype': entry(0x81, ...text('__proto__'), 0x81, ...text('label'), ...text('x')),
    'an unknown field': packr.pack([[0, { label: 'x', more: 1 }]]),
    'a missing field': packr.pack([[0, {}]]),
    'a field of another sort': packr.pack([[0, { label: 7 }]]),
    'a list for a record': packr.pack([[0, ['x']]]),
    'a field twice': entry(0x82, ...text('label'), ...text('x'), ...text('label'), ...text('y')),
    'a longer form of a short text': entry(0x81, ...text('label'), 0xd9, 0x01, 0x78),
    'a record definition': entry(0xd4, 0x72, 0x40, 0x91, ...text('label'), ...text('x')),
    'a time': entry(0x81, ...text('label'), 0xd6, 0xff, 0, 0, 0, 0),
    'an error extension': entry(0xc7, 0x03, 0x65, 0x92, 0xa1, 0x78),
    'a typed array extension': entry(0xc7, 0x05, 0x74, 0x06, 0, 0, 0, 0),
    'a reference': entry(0xd6, 0x69, 0, 0, 0, 1),
    undefined: entry(0x81, ...text('label'), 0xd4, 0x00, 0x00),
    'a long label': packr.pack([[0, { label: 'x'.repeat(5000) }]]),
  }
  for (const [what, details] of Object.entries(hostile)) {
    await fails('JOURNAL_CORRUPT', () => opened(withDetails(details), 7), 7).catch((error: Error) => {
      throw new Error(`${what}: ${error.message}`)
    })
  }
  assert.is(({} as Record<string, unknown>).label, undefined)
})

test('numbers in details: whole, not negative, below 2^53, and no -0', async () => {
  const detail = (size: unknown) => packr.pack([[0, { name: 'v', size, block: 4096 }]])
  const events: NewEvent[] = [{ kind: 'volume.create' }]
  assert.is(opened(withDetails(detail(2 ** 40), events), 7).count, 1)
  for (const bad of [
    -1,
    0.5,
    2 ** 53,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    10n ** 18n,
    null,
    '4096',
    [4096],
  ]) {
    await fails('JOURNAL_CORRUPT', () => opened(withDetails(detail(bad), events), 7), 7)
  }
  const seven = detail(7)
  const at = seven.lastIndexOf(7)
  const minusZero = [...seven.subarray(0, at), 0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0, ...seven.subarray(at + 1)]
  await fails('JOURNAL_CORRUPT', () => opened(withDetails(Uint8Array.from(minusZero), events), 7), 7)
})

test('a row whose kind has a detail must have one', async () => {
  for (const [name, { columns }] of Object.entries(kinds)) {
    const kind = name as Kind
    if (columns.length > 0 && kind !== 'mark') continue
    const input = kinds[kind].number < 128
    const rows: NewEvent[] = input ? [{ kind }] : [{ kind: 'engine.recover' }, { kind }]
    const { bytes } = encodeFrame(partsOf(7, rows), 1, previous)
    const bare = ['engine.recover', 'engine.stop']
    if (bare.includes(kind)) assert.is(opened(bytes, 7).count, 1)
    else await fails('JOURNAL_CORRUPT', () => opened(bytes, 7), input ? 7 : 8)
  }
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
