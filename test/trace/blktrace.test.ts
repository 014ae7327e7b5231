/** Binary block traces: what counts, in which order, from one file and several, and the text of the same. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { blkparse } from '../../src/trace/blkparse.ts'
import { blktrace } from '../../src/trace/blktrace.ts'
import type { TraceEvent, TraceOptions } from '../../src/trace/event.ts'
import { encodeRecords, kinds, type RawRecord, steps } from './block-encode.ts'
import { feed } from './feed.ts'

const test = suite('blktrace')

const { queue, issue, complete, cgroup } = steps
const read = (records: readonly RawRecord[], options?: TraceOptions, big = false) =>
  feed(blktrace(options), encodeRecords(records, big))

function refusal(bytes: Uint8Array): string {
  try {
    feed(blktrace(), bytes)
  } catch (error) {
    assert.instance(error, BlockboxError)
    assert.is((error as BlockboxError).code, 'TRACE_FORMAT')
    return (error as BlockboxError).message
  }
  return assert.unreachable('the trace was taken') as never
}

const shape = ({ op, offset, length, flags }: TraceEvent) => [op, offset, length, flags.join()]

test('requests are what their bits say, in either byte order', () => {
  const { read: r, write, flush, sync, meta, discard, fua } = kinds
  const records: RawRecord[] = [
    { time: 5n, action: queue | r | meta, sector: 8n, bytes: 4096 },
    { time: 6n, action: queue | write | sync, sector: 16n, bytes: 512 },
    { time: 7n, action: queue | flush | write | sync },
    { time: 8n, action: queue + flush + write + fua + sync + meta, sector: 1n, bytes: 1024 },
    { time: 9n, action: queue | discard | write, sector: 2n ** 33n, bytes: 2 ** 31 },
    { time: 10n, action: queue | cgroup | r, sector: 0n, bytes: 512, extra: new Uint8Array(8) },
  ]
  const wanted = [
    ['read', 4096, 4096, 'META'],
    ['write', 8192, 512, 'SYNC'],
    ['flush', null, 0, 'SYNC'],
    ['write', 512, 1024, 'FLUSH,FUA,META,SYNC'],
    ['discard', 2 ** 42, 2 ** 31, ''],
    ['read', 0, 512, ''],
  ]
  for (const big of [false, true]) {
    const events = read(records, {}, big)
    assert.equal(events.map(shape), wanted)
    assert.equal(
      events.map(({ tNs }) => tNs),
      [0, 1, 2, 3, 4, 5],
    )
    assert.is(events[0]!.dev, '8,1')
  }
})

test('only records of the step count; notes and passed-through commands never do', () => {
  const bytes = 512
  const records: RawRecord[] = [
    { time: 1n, action: queue | kinds.read, bytes },
    { time: 2n, action: issue | kinds.read, bytes, sector: 1n },
    { time: 3n, action: complete | kinds.read, bytes, sector: 2n, extra: new Uint8Array(3) },
    { time: 4n, action: queue | kinds.notify, extra: new Uint8Array(16) },
    { time: 5n, action: queue | kinds.packet | kinds.read, bytes },
    { time: 6n, action: 2 | kinds.write, bytes },
  ]
  const offsets = (options: TraceOptions) => read(records, options).map(({ offset }) => offset)
  assert.equal(offsets({}), [0])
  assert.equal(offsets({ action: 'D' }), [512])
  assert.equal(offsets({ action: 'C' }), [1024])
})

test('events are sorted by time, then by place, over all files; the earliest is zero', () => {
  const base = 2n ** 63n
  const at = (time: bigint, sector: number): RawRecord => ({
    time: base + time,
    action: queue | kinds.read,
    sector: BigInt(sector),
    bytes: 512,
  })
  const parser = blktrace()
  const events = [
    ...parser.push(encodeRecords([at(50n, 1), at(20n, 2), at(20n, 3)])),
    ...(parser.nextFile!() ?? []),
    ...parser.push(encodeRecords([at(20n, 4), at(10n, 5), at(60n, 6)], true)),
    ...parser.end(),
  ]
  assert.equal(
    events.map(({ offset, tNs }) => [offset! / 512, tNs]),
    [
      [5, 0],
      [2, 10],
      [3, 10],
      [4, 10],
      [1, 40],
      [6, 50],
    ],
  )
  assert.equal(
    events.map(({ index }) => index),
    [0, 1, 2, 3, 4, 5],
  )
})

test('records that make no sense are refused with their byte', () => {
  const good: RawRecord = { time: 1n, action: queue | kinds.read, bytes: 512, extra: new Uint8Array(10) }
  const after = (bad: RawRecord) => refusal(encodeRecords([good, bad]))
  assert.match(after({ ...good, version: 6 }), 'byte 58: a record has version 6')
  assert.match(after({ ...good, sector: 2n ** 60n }), 'byte 74: sector')
  assert.match(after({ ...good, time: 2n ** 62n }), 'byte 66: the time is more than 104 days')
  const bytes = encodeRecords([good, good])
  assert.match(refusal(bytes.slice(0, 57)), 'byte 57: the file ends inside a record')
  assert.match(refusal(bytes.slice(0, 60)), 'byte 60: the file ends inside a record')
  assert.match(refusal(bytes.subarray(1)), 'byte 0: no magic number')
  const parser = blktrace()
  parser.push(bytes.subarray(0, 50))
  assert.throws(() => parser.nextFile!(), /byte 50/)
  assert.equal(feed(blktrace(), new Uint8Array(0)), [])
})

const anyRecord = fc.record({
  time: fc.bigInt({ min: 0n, max: 40n }),
  sector: fc.bigInt({ min: 0n, max: 2n ** 40n }),
  bytes: fc.nat(100).map((count) => count * 512),
  device: fc.constantFrom((7 << 20) | 0, (259 << 20) | 3),
  kind: fc.subarray(['read', 'write', 'flush', 'sync', 'meta', 'discard', 'fua'] as const),
  step: fc.constantFrom(queue, issue, complete, 3),
  extra: fc.uint8Array({ maxLength: 20 }),
})

test('sorting is what a stable sort of the whole gives, however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(anyRecord, { maxLength: 60 }),
      fc.array(fc.integer({ min: 1, max: 130 }), { minLength: 1 }),
      (all, lengths) => {
        const records = all.map(({ kind, step, ...record }) => ({
          ...record,
          action: kind.reduce((sum, name) => sum + kinds[name], step as number),
        }))
        const kept = all.filter(({ step }) => step === queue).sort((a, b) => Number(a.time - b.time))
        const events = feed(blktrace(), encodeRecords(records), lengths)
        assert.equal(
          events.map(({ offset, length, tNs, dev }) => [offset, length, tNs, dev]),
          kept.map(({ sector, bytes, time, device }) => [
            bytes === 0 ? null : Number(sector) * 512,
            bytes,
            Number(time - kept[0]!.time),
            `${device >> 20},${device & 0xfffff}`,
          ]),
        )
      },
    ),
    { numRuns: 200 },
  )
})

/** The line blkparse prints for a record, with its own rules for the letters. */
function line(record: {
  kind: readonly string[]
  time: bigint
  sector: bigint
  bytes: number
  device: number
}): string {
  const has = (name: string) => record.kind.includes(name)
  const letters = [
    has('flush') ? 'F' : '',
    has('discard') ? 'D' : has('write') ? 'W' : record.bytes > 0 ? 'R' : 'N',
    has('fua') ? 'F' : '',
    has('sync') ? 'S' : '',
    has('meta') ? 'M' : '',
  ].join('')
  const { device, bytes, sector, time } = record
  const dev = `${String(device >> 20).padStart(3)},${String(device & 0xfffff).padEnd(3)}`
  const stamp = `${String(time / 1_000_000_000n).padStart(5)}.${String(time % 1_000_000_000n).padStart(9, '0')}`
  const place = bytes === 0 ? '' : `${sector} + ${bytes / 512} `
  return `${dev}  0       12 ${stamp}   697  Q ${letters.padStart(3)} ${place}[a b [c]]\n`
}

test('the text that blkparse makes of records gives the same events', () => {
  fc.assert(
    fc.property(fc.array(anyRecord, { maxLength: 30 }), (all) => {
      const records = all.map((record) => ({ ...record, time: record.time + 5_999_999_990n }))
      records.sort((a, b) => Number(a.time - b.time))
      const zero = records[0]?.time ?? 0n
      const binary = encodeRecords(
        records.map(({ kind, ...record }) => ({
          ...record,
          action: kind.reduce((sum, name) => sum + kinds[name], queue as number),
        })),
      )
      const text = records.map((record) => line({ ...record, time: record.time - zero })).join('')
      assert.equal(feed(blkparse(), new TextEncoder().encode(text)), feed(blktrace(), binary))
    }),
    { numRuns: 200 },
  )
})

test.run()
