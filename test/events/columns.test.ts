/** Columns: the hand-written ones are the declared ones, rows come back from bytes as they went, and cursors read them. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codes } from '../../src/events/code.ts'
import { Columns, columnWidths, type NewEvent, Row, rowBytes, takesEffect } from '../../src/events/columns.ts'
import { fates, kindNames, kinds, ops } from '../../src/events/kind.ts'

const test = suite('columns')

type Name = keyof typeof columnWidths
const names = Object.keys(columnWidths) as Name[]

test('every declared column is there, as wide as declared, and no other', () => {
  const columns = new Columns(4)
  for (const name of names) assert.is(columns[name].BYTES_PER_ELEMENT, columnWidths[name], name)
  const written = Object.entries(columns).filter(([, value]) => ArrayBuffer.isView(value))
  assert.equal(
    written.map(([name]) => name),
    names,
    'in the order they are stored',
  )
  assert.is(rowBytes, 63)
})

test('columns are stored widest first, so that each is aligned', () => {
  const widths = Object.values(columnWidths)
  assert.equal(
    widths,
    [...widths].sort((a, b) => b - a),
  )
})

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const u8 = fc.integer({ min: 0, max: 255 })
const whole = fc.integer({ min: 0, max: 2 ** 53 - 1 })
const event: fc.Arbitrary<NewEvent> = fc.record({
  kind: fc.constantFrom(...kindNames.filter((kind) => kind !== undefined)),
  fate: fc.constantFrom(...fates),
  op: fc.constantFrom(...ops),
  flags: u8,
  code: fc.constantFrom(...(Object.keys(codes) as (keyof typeof codes)[])),
  session: u32,
  request: u32,
  volume: fc.integer({ min: 0, max: 65_535 }),
  offset: fc.oneof(whole, fc.double({ noNaN: true })),
  length: whole,
  payload: whole,
  about: fc.nat(900),
  tag: u32,
  digestHigh: u32,
  digestLow: u32,
  at: fc.oneof(whole, fc.integer({ min: -(2 ** 40), max: 2 ** 40 })),
})

test('what goes in comes out, of memory and of bytes', () => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 1, maxLength: 40 }), fc.nat(16), (events, at) => {
      const columns = new Columns(1)
      for (const [k, one] of events.entries()) columns.push(one, 1000 + k)
      const bytes = new Uint8Array(events.length * rowBytes + at)
      assert.is(columns.store(bytes, at), events.length * rowBytes)
      const loaded = new Columns(1)
      loaded.load(bytes, at, events.length)
      for (const source of [columns, loaded]) {
        const row = new Row(source, 1000, new Map())
        for (const [k, one] of events.entries()) {
          row.index = k
          assert.is(row.seq, 1000 + k)
          for (const [field, value] of Object.entries(one)) {
            assert.ok(Object.is(row[field as keyof NewEvent], value), `${field} of row ${k}: ${value}`)
          }
        }
      }
      const again = new Uint8Array(bytes.length)
      loaded.store(again, at)
      assert.equal(again, bytes.fill(0, 0, at))
    }),
    { numRuns: 100 },
  )
})

test('what an event leaves out is zero, none and ok', () => {
  const columns = new Columns()
  columns.push({ kind: 'mark' }, 5)
  const row = new Row(columns, 5, new Map())
  const { fate, op, code, detail, about, offset, at } = row
  assert.equal(
    { fate, op, code, detail, about, offset, at },
    { fate: 'none', op: 'none', code: 'ok', detail: {}, about: 0, offset: 0, at: 0 },
  )
})

test('details belong to their row', () => {
  const columns = new Columns()
  columns.push({ kind: 'mark' }, 1)
  columns.push({ kind: 'mark' }, 2)
  const row = new Row(columns, 1, new Map([[1, { label: 'x' }]]))
  assert.equal(row.detail, {})
  row.index = 1
  assert.equal(row.detail, { label: 'x' })
})

test('an event is about an earlier one', () => {
  const columns = new Columns()
  assert.throws(() => columns.push({ kind: 'io.lost', about: 7 }, 7))
  assert.throws(() => columns.push({ kind: 'io.lost', about: 8 }, 7))
  assert.throws(() => columns.push({ kind: 'io.lost', about: 1 }, 2 ** 32 + 5))
  assert.is(columns.count, 0)
})

test('rows stay while room grows', () => {
  const columns = new Columns(1)
  for (let k = 0; k < 1000; k++) columns.push({ kind: 'io.read', offset: k, request: k }, k + 1)
  assert.equal(
    [columns.count, columns.offset[0], columns.offset[999], columns.request[500]],
    [1000, 0, 999, 500],
  )
  columns.clear()
  assert.is(columns.count, 0)
})

test('a write takes effect where it passed', () => {
  const columns = new Columns()
  const events: NewEvent[] = [
    { kind: 'io.write', op: 'write', fate: 'passed' },
    { kind: 'io.discard', op: 'discard', fate: 'passed' },
    { kind: 'cod.released', op: 'zeroes', fate: 'passed' },
    { kind: 'io.write', op: 'write', fate: 'held' },
    { kind: 'io.read', op: 'read', fate: 'passed' },
    { kind: 'io.flush', op: 'flush', fate: 'passed' },
  ]
  for (const [k, one] of events.entries()) columns.push(one, k + 1)
  const row = new Row(columns, 1, new Map())
  const found = events.map((_, k) => {
    row.index = k
    return takesEffect(row)
  })
  assert.equal(found, [true, true, true, false, false, false])
  assert.is(Object.keys(kinds).length, kindNames.filter((kind) => kind !== undefined).length)
})

test.run()
