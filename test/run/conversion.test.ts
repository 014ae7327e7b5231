/**
 * Traces into traces: what a format can hold comes back when the result is read, for any events; what it cannot is in
 * the account, and nothing else is.
 */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { convert } from '../../src/run/conversion.ts'
import type { TraceEvent, TraceFlag, TraceOp } from '../../src/trace/event.ts'
import { traceFormat } from '../../src/trace/format.ts'
import type { TraceAccount } from '../../src/trace/holding.ts'
import { traceOutput, traceOutputs } from '../../src/trace/output-format.ts'
import type { WriterOptions } from '../../src/trace/writer.ts'
import { feed } from '../trace/feed.ts'

const test = suite('conversion')

async function written(format: string, events: readonly TraceEvent[], options: WriterOptions = {}) {
  const pieces: Uint8Array[] = []
  async function* batches() {
    yield { events }
  }
  const { account, head } = await convert(
    batches(),
    { output: traceOutput(format), options },
    async (bytes) => {
      pieces.push(Uint8Array.from(bytes))
    },
  )
  const bytes = Buffer.concat(pieces)
  if (head !== undefined) bytes.set(head)
  return { bytes, account, back: feed(traceFormat(format).parser({}), Uint8Array.from(bytes)) }
}

const event = (fields: Partial<TraceEvent>): TraceEvent => ({
  ...{ index: 0, op: 'write', offset: 0, length: 512, tNs: null, dev: null, flags: [] },
  ...fields,
})

const sectors = fc.nat(2 ** 20).map((n) => n * 512)
const some = fc.integer({ min: 1, max: 16 }).map((n) => n * 512)
const flags = (...names: TraceFlag[]) => fc.subarray(names)

/** Events that a format can hold, and what reading them back must give. */
const holdable: Readonly<Record<string, fc.Arbitrary<Partial<TraceEvent>>>> = {
  'dm-log-writes': fc.oneof(
    fc.record({ offset: sectors, length: some, flags: flags('FLUSH', 'FUA', 'META') }).map((fields) => ({
      ...fields,
      op: 'write' as const,
      data: new Uint8Array(fields.length).fill(fields.offset / 512),
    })),
    fc.record({ op: fc.constant('discard' as TraceOp), offset: sectors, length: some, flags: flags('FUA') }),
    fc.record({ op: fc.constant('flush' as TraceOp), offset: fc.constant(0), length: fc.constant(0) }),
    fc.string({ maxLength: 40 }).map((text) => ({
      ...{ op: 'mark' as const, offset: 0, length: 0, label: text.replaceAll('\0', '') },
    })),
  ),
  'fio-iolog': fc.oneof(
    fc.record({
      op: fc.constantFrom<TraceOp>('read', 'write', 'discard'),
      offset: fc.nat(2 ** 40),
      length: fc.integer({ min: 0, max: 2 ** 31 }),
      tNs: fc.nat(1e9).map((us) => us * 1000),
      dev: fc.constantFrom('vda', '/dev/sdb', 'x'),
    }),
    fc.record({
      op: fc.constant<TraceOp>('flush'),
      offset: fc.constant(null),
      length: fc.constant(null),
      tNs: fc.nat(1e9).map((us) => us * 1000),
      dev: fc.constantFrom('vda', '/dev/sdb'),
    }),
  ),
  blkparse: fc.oneof(
    fc.record({
      op: fc.constantFrom<TraceOp>('read', 'write', 'discard'),
      offset: sectors,
      length: some,
      flags: flags('FLUSH', 'FUA', 'META', 'SYNC').map((all) => all),
      tNs: fc.nat(2 ** 31),
      dev: fc.constantFrom('8,0', '253,12'),
    }),
    fc.record({
      op: fc.constant<TraceOp>('flush'),
      offset: fc.constant(null),
      length: fc.constant(0),
      flags: flags('FUA', 'META', 'SYNC'),
      tNs: fc.nat(2 ** 31),
      dev: fc.constantFrom('8,0', '253,12'),
    }),
  ),
}

test('every format that can be written is held to this', () => {
  assert.equal(
    Object.keys(holdable),
    traceOutputs.map(({ name }) => name),
  )
})

for (const [format, arbitrary] of Object.entries(holdable)) {
  test(`${format}: what the format can hold comes back, and the account is empty`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbitrary, { maxLength: 30 }), async (all) => {
        const events = all.map((fields, index) => event({ ...fields, index }))
        const { back, account } = await written(format, events, { metadata: true })
        const plain = (list: readonly TraceEvent[]) =>
          list.map((one) => ({ ...one, flags: [...one.flags].sort() }))
        assert.equal(plain(back), plain(events))
        const nothing = { left_out: {}, lost: {}, made: {} }
        assert.equal(account, {
          events: events.length,
          written: events.length,
          ...nothing,
        } satisfies TraceAccount)
      }),
      { numRuns: 150 },
    )
  })
}

const rich: TraceEvent[] = [
  event({ index: 0, op: 'open', dev: 'a', offset: null, length: null }),
  event({
    index: 1,
    tNs: 1234,
    dev: 'a b',
    flags: ['META', 'SYNC'],
    data: new Uint8Array(512).fill(1),
    ret: 0,
  }),
  event({ index: 2, op: 'read', tNs: 2000, tCompleteNs: 9000, host: 'h', dev: '8,1' }),
  event({ index: 3, op: 'zero', offset: 1024, length: 1024 }),
  event({ index: 4, op: 'mark', label: 'm'.repeat(600), offset: null, length: null }),
  event({ index: 5, offset: 100, length: 100 }),
  event({ index: 6, length: 0 }),
  event({ index: 7, op: 'flush', offset: null, length: null, flags: ['FUA'] }),
]

test('dm-log-writes: what is lost, left out and made is told', async () => {
  const { account, back } = await written('dm-log-writes', rich)
  assert.equal(account, {
    events: 8,
    written: 4,
    left_out: { open: 1, read: 1, unaligned: 1, empty: 1 },
    lost: { flag_meta: 1, flag_sync: 1, times: 1, device_names: 1, results: 1, label_ends: 1 },
    made: { zero_as_write: 1 },
  })
  assert.equal(
    back.map(({ op, offset, length, data, label }) => [op, offset, length, data?.[0], label?.length]),
    [
      ['write', 0, 512, 1, undefined],
      ['write', 1024, 1024, 0, undefined],
      ['mark', 0, 0, undefined, 479],
      ['flush', 0, 0, undefined, undefined],
    ],
  )
})

test('fio-iolog: what is lost, left out and made is told', async () => {
  const { account, bytes } = await written('fio-iolog', rich)
  assert.equal(account, {
    events: 8,
    written: 6,
    left_out: { open: 1, mark: 1 },
    lost: {
      ...{ flag_meta: 1, flag_sync: 1, payload: 1, time_digits: 1, results: 1, hosts: 1 },
      ...{ completion_times: 1, flag_fua: 1, device_names: 1 },
    },
    made: { times: 4, zero_as_write: 1 },
  })
  assert.is(
    bytes.toString(),
    'fio version 3 iolog\n1 a_b add\n1 a_b open\n1 a_b write 0 512\n2 8,1 add\n2 8,1 open\n2 8,1 read 0 512\n' +
      '2 disk add\n2 disk open\n2 disk write 1024 1024\n2 disk write 100 100\n2 disk write 0 0\n2 disk sync 0 0\n' +
      '2 a_b close\n2 8,1 close\n2 disk close\n',
  )
})

test('blkparse: what is lost, left out and made is told', async () => {
  const { account, bytes } = await written('blkparse', rich)
  assert.equal(account.left_out, { open: 1, mark: 1, unaligned: 1, empty: 1 })
  assert.equal(account.lost, { payload: 1, device_names: 1, results: 1, hosts: 1, completion_times: 1 })
  assert.equal(account.made, { times: 2, zero_as_write: 1 })
  assert.equal(bytes.toString().split('\n'), [
    '259,0    0        1     0.000001234     0  Q WSM 0 + 1 [a_b]',
    '  8,1    0        2     0.000002000     0  Q   R 0 + 1 [0]',
    '259,1    0        3     0.000002000     0  Q   W 2 + 2 [disk]',
    '259,1    0        4     0.000002000     0  Q FWF [disk]',
    '',
  ])
})

test('a write without bytes gets content that its place and number decide, and nothing grows with a claim', async () => {
  const events = [event({ index: 5, length: 4096 }), event({ index: 6, length: 4096 })]
  const first = await written('dm-log-writes', events)
  const again = await written('dm-log-writes', events)
  const other = await written('dm-log-writes', events, { seed: 2 })
  assert.equal(first.account.made, { payload: 2 })
  assert.ok(first.bytes.equals(again.bytes))
  assert.not(first.bytes.equals(other.bytes))
  assert.not.equal(first.back[0]!.data, first.back[1]!.data)
  const large = [event({ op: 'zero', length: 2 ** 40 }), event({ op: 'discard', length: 2 ** 40 })]
  const { back, bytes } = await written('dm-log-writes', large)
  assert.equal(
    back.map(({ op, length }) => [op, length]),
    [
      ['discard', 2 ** 40],
      ['discard', 2 ** 40],
    ],
  )
  assert.is(bytes.length, 3 * 512)
})

test('a range that a line of fio cannot hold becomes several', async () => {
  const { back } = await written('fio-iolog', [
    event({ op: 'discard', offset: 4096, length: 5 * 2 ** 30, tNs: 0 }),
  ])
  assert.equal(
    back.map(({ offset, length }) => [offset, length]),
    [
      [4096, 2 ** 31],
      [4096 + 2 ** 31, 2 ** 31],
      [4096 + 2 ** 32, 2 ** 30],
    ],
  )
})

test('a sector that no log can have is refused', async () => {
  for (const sector of [0, 256, 513, 3 * 512, 2 ** 24]) {
    try {
      await written('dm-log-writes', [], { sector })
      assert.unreachable(String(sector))
    } catch (error) {
      assert.instance(error, BlockboxError)
      assert.match((error as Error).message, 'choose a power of two from 512 to 8388608')
    }
  }
  const { back } = await written('dm-log-writes', [event({ length: 4096, data: new Uint8Array(4096) })], {
    sector: 4096,
  })
  assert.is(back[0]!.length, 4096)
})

test.run()
