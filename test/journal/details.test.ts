/**
 * Details of frames from outside: what is not plain, known, complete and packed the one way is damage, whatever hash
 * somebody put under it, and costs nothing to refuse.
 */

import { Packr } from 'msgpackr'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sha256 } from '../../src/core/digest.ts'
import type { NewEvent } from '../../src/events/columns.ts'
import { type Kind, kinds } from '../../src/events/kind.ts'
import { checkRows, decodeFrame, encodeFrame, type Frame } from '../../src/journal/frame.ts'
import { fails, partsOf } from '../support/frames.ts'

const test = suite('details')

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

test.run()
