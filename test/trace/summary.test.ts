/** The summary of a trace and the lines of its events. */

import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { TraceEvent, TraceOp } from '../../src/trace/event.ts'
import { eventLine } from '../../src/trace/line.ts'
import { summarise, summaryMaxRange } from '../../src/trace/summary.ts'

const test = suite('summary')

type Part = Partial<TraceEvent> & { op: TraceOp }

function summaryOf(parts: readonly Part[]) {
  const sum = summarise()
  for (const [index, part] of parts.entries()) {
    sum.add({ index, offset: null, length: null, tNs: null, dev: null, flags: [], ...part })
  }
  return sum.result()
}

test('an empty trace', () => {
  assert.equal(summaryOf([]), {
    events: 0,
    ops: {},
    read_bytes: 0,
    write_bytes: 0,
    discard_zero_bytes: 0,
    unique_4k_blocks_touched: 0,
    unique_4k_blocks_written: 0,
    devices: 0,
    duration_ns: null,
    max_end_offset: 0,
    io_sequence_sha256: createHash('sha256').digest('hex'),
  })
})

test('every op counts where it should', () => {
  const sum = summaryOf([
    { op: 'write', offset: 4095, length: 2, dev: 'a', tNs: 50 },
    { op: 'read', offset: 0, length: 8192, dev: 'b', tNs: 20 },
    { op: 'discard', offset: 8192, length: 4096, dev: 'a', tNs: 70 },
    { op: 'zero', offset: 0, length: 512, dev: 'a' },
    { op: 'flush', dev: 'c', tNs: 60 },
    { op: 'other', offset: 0, length: 2 ** 40, dev: 'd' },
    { op: 'write', offset: 512, length: 0, dev: 'a' },
  ])
  assert.equal(sum, {
    events: 7,
    ops: { write: 2, read: 1, discard: 1, zero: 1, flush: 1, other: 1 },
    read_bytes: 8192,
    write_bytes: 2,
    discard_zero_bytes: 4608,
    unique_4k_blocks_touched: 5,
    unique_4k_blocks_written: 2,
    devices: 2,
    duration_ns: 50,
    max_end_offset: 12288,
    io_sequence_sha256: createHash('sha256')
      .update(
        'write 4095 2\nread 0 8192\ndiscard 8192 4096\nzero 0 512\nflush - -\nother 0 1099511627776\nwrite 512 0\n',
      )
      .digest('hex'),
  })
})

test('a range above a gigabyte is in the bytes, not in the blocks', () => {
  const sum = summaryOf([
    { op: 'discard', offset: 0, length: summaryMaxRange + 1 },
    { op: 'discard', offset: 2 ** 52, length: summaryMaxRange },
  ])
  assert.is(sum.unique_4k_blocks_touched, summaryMaxRange / 4096)
  assert.is(sum.discard_zero_bytes, summaryMaxRange * 2 + 1)
  assert.is(sum.max_end_offset, 2 ** 52 + summaryMaxRange)
})

test('blocks and digest are those of a plain count', () => {
  const anyEvent = fc.record({
    op: fc.constantFrom<TraceOp>('read', 'write', 'discard', 'zero', 'flush'),
    offset: fc.oneof(
      fc.nat(200_000),
      fc.nat(100_000).map((value) => 2 ** 52 + value),
    ),
    length: fc.nat(60_000_000 / 1000),
    dev: fc.constantFrom(null, 'a', 'b'),
  })
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
      const touched = new Set<string>()
      const written = new Set<string>()
      for (const { op, offset, length, dev } of events) {
        if (op === 'flush' || length === 0) continue
        for (let block = Math.floor(offset / 4096); block * 4096 < offset + length; block++) {
          touched.add(`${dev} ${block}`)
          if (op === 'write') written.add(`${dev} ${block}`)
        }
      }
      const sum = summaryOf(events)
      assert.is(sum.unique_4k_blocks_touched, touched.size)
      assert.is(sum.unique_4k_blocks_written, written.size)
      const lines = events.map(({ op, offset, length }) => `${op} ${offset} ${length}\n`).join('')
      assert.is(sum.io_sequence_sha256, createHash('sha256').update(lines).digest('hex'))
    }),
  )
})

test('the line of an event', () => {
  const base = { index: 0, tNs: 123_000, offset: 4096, length: 8192, dev: 'sda' }
  assert.is(
    eventLine({ ...base, op: 'write', flags: ['FUA'] }),
    '{"i":0,"t_ns":123000,"op":"write","offset":4096,"length":8192,"dev":"sda","flags":["FUA"]}',
  )
  assert.is(
    eventLine({
      ...base,
      index: 7,
      tNs: null,
      dev: null,
      op: 'write',
      flags: [],
      data: new TextEncoder().encode('abc'),
    }),
    '{"i":7,"t_ns":null,"op":"write","offset":4096,"length":8192,"dev":null,"flags":[],' +
      '"data_sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}',
  )
  assert.is(
    eventLine({ ...base, op: 'mark', offset: 0, length: 0, flags: [], label: 'a "b"' }),
    '{"i":0,"t_ns":123000,"op":"mark","offset":0,"length":0,"dev":"sda","flags":[],"label":"a \\"b\\""}',
  )
})

test.run()
