/** The parser of dm-log-writes logs: round trips through any cut, marks, salvage, and logs that are no logs. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { dmLogMaxPayload } from '../../src/trace/dm-log-header.ts'
import { dmLogWrites } from '../../src/trace/dm-log-writes.ts'
import type { TraceEvent } from '../../src/trace/event.ts'
import { bit, encodeEntry, encodeLog, encodeSuper, type RawEntry } from './dm-log-encode.ts'
import { feed } from './feed.ts'

const test = suite('dm-log-writes')

/** The message of the refusal; fails when there is none, or one of another kind. */
function refusal(bytes: Uint8Array, options = {}, lengths = [bytes.length || 1]): string {
  try {
    feed(dmLogWrites(options), bytes, lengths)
  } catch (error) {
    assert.instance(error, BlockboxError)
    assert.is((error as BlockboxError).code, 'TRACE_FORMAT')
    return (error as BlockboxError).message
  }
  return assert.unreachable('the log was taken') as never
}

function expected(entries: readonly RawEntry[], sectorBytes: number): TraceEvent[] {
  return entries.map((entry, index) => {
    const { sector, sectors, flags } = entry
    const op =
      flags & bit.mark
        ? 'mark'
        : flags & bit.discard
          ? 'discard'
          : flags & bit.flush && sectors === 0
            ? 'flush'
            : 'write'
    const names: TraceEvent['flags'][number][] = []
    if (flags & bit.flush && op !== 'flush') names.push('FLUSH')
    if (flags & bit.fua) names.push('FUA')
    if (flags & bit.meta) names.push('META')
    return {
      index,
      op,
      offset: sector * sectorBytes,
      length: sectors * sectorBytes,
      tNs: null,
      dev: null,
      flags: names,
      ...(op === 'write' && { data: entry.data ?? new Uint8Array(sectors * sectorBytes) }),
      ...(op === 'mark' && { label: entry.label ?? '' }),
    }
  })
}

const sectorSize = fc.constantFrom(512, 1024, 4096)
const anyEntry = (sectorBytes: number) =>
  fc.oneof(
    fc
      .record({
        sectors: fc.integer({ min: 1, max: 5 }),
        sector: fc.nat(2 ** 31),
        flags: fc.constantFrom(0, 1, 2, 16, 19),
      })
      .chain(({ sectors, sector, flags }) =>
        fc
          .uint8Array({ minLength: sectors * sectorBytes, maxLength: sectors * sectorBytes })
          .map((data): RawEntry => ({ sector, sectors, flags, data })),
      ),
    fc.record({ sector: fc.nat(1000), sectors: fc.constant(0), flags: fc.constantFrom(1, 3) }),
    fc.record({ sector: fc.nat(1000), sectors: fc.nat(2 ** 40), flags: fc.constantFrom(4, 20) }),
    fc.record({
      sector: fc.constant(0),
      sectors: fc.constant(0),
      flags: fc.constant(8),
      label: fc.string({ unit: 'grapheme-ascii', maxLength: 479 }),
    }),
  )
const anyLog = sectorSize.chain((sectorBytes) =>
  fc.array(anyEntry(sectorBytes), { maxLength: 8 }).map((entries) => ({ sectorBytes, entries })),
)

test('what is encoded is read back, however the bytes are cut', () => {
  fc.assert(
    fc.property(anyLog, fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1 }), (log, lengths) => {
      const bytes = encodeLog(log.entries, log.sectorBytes)
      assert.equal(feed(dmLogWrites(), bytes, lengths), expected(log.entries, log.sectorBytes))
    }),
    { numRuns: 200 },
  )
})

test('byte by byte is as good as at once', () => {
  const entries: RawEntry[] = [
    { sector: 3, sectors: 2, flags: bit.fua, data: new Uint8Array(1024).fill(7) },
    { sector: 0, sectors: 0, flags: bit.mark, label: 'after mkfs' },
    { sector: 9, sectors: 1, flags: bit.flush | bit.meta, data: new Uint8Array(512).fill(9) },
  ]
  assert.equal(feed(dmLogWrites(), encodeLog(entries), [1]), expected(entries, 512))
})

test('a flush without data has the place it is stored with', () => {
  const [event] = feed(dmLogWrites(), encodeLog([{ sector: 0, sectors: 0, flags: bit.flush }]))
  assert.equal([event?.op, event?.offset, event?.length, event?.flags], ['flush', 0, 0, []])
})

test('the label of a mark ends at the first zero', () => {
  const log = encodeLog([{ sector: 0, sectors: 0, flags: bit.mark, label: 'end\0old' }])
  assert.is(feed(dmLogWrites(), log)[0]?.label, 'end')
})

test('inline data reads as the sectors it fills', () => {
  const data = new Uint8Array(1024).fill(5, 0, 600)
  const [event] = feed(dmLogWrites(), encodeLog([{ sector: 1, sectors: 2, flags: 0, data, dataLength: 600 }]))
  assert.equal(event?.data, data)
  assert.match(
    refusal(encodeLog([{ sector: 1, sectors: 2, flags: 0, data, dataLength: 1025 }])),
    'byte 536: entry 0: a data length of 1025',
  )
})

test('every header that cannot be is refused at its byte', () => {
  const wrong: [RawEntry, string][] = [
    [{ sector: 0, sectors: 1, flags: 32 }, 'byte 528: entry 0: flags 0x20'],
    [{ sector: 0, sectors: 1, flags: 2 ** 40 }, 'byte 528: entry 0: flags 0x10000000000'],
    [
      { sector: 2 ** 52, sectors: 1, flags: 0, data: new Uint8Array(0) },
      'byte 512: entry 0: the sector lies',
    ],
    [{ sector: 1, sectors: 2 ** 44, flags: bit.discard }, 'byte 520: entry 0: the range ends'],
    [
      { sector: 0, sectors: dmLogMaxPayload / 512 + 1, flags: 0, data: new Uint8Array(0) },
      'byte 520: entry 0: a payload',
    ],
    [{ sector: 0, sectors: 1, flags: bit.mark }, 'byte 520: entry 0: a mark has no sectors'],
    [{ sector: 0, sectors: 0, flags: bit.mark, dataLength: 480 }, 'byte 536: entry 0: a data length of 480'],
    [
      { sector: 0, sectors: 0, flags: bit.flush, label: 'x', dataLength: 0 },
      'byte 544: entry 0: a header ends',
    ],
  ]
  for (const [entry, message] of wrong) assert.match(refusal(encodeLog([entry])), message)
})

test('every super block that cannot be is refused at its byte', () => {
  const patch = (at: number, value: number) => {
    const bytes = encodeLog([])
    bytes[at] = value
    return bytes
  }
  assert.match(refusal(patch(7, 1)), 'byte 0:')
  assert.match(refusal(patch(8, 2)), 'byte 8: version 2')
  assert.match(refusal(patch(23, 1)), 'byte 16:')
  assert.match(refusal(patch(24, 1)), 'byte 24: sector size 513')
  for (const size of [0, 256, 768, 2 ** 24, 2 ** 31]) {
    const bytes = encodeLog([])
    new DataView(bytes.buffer).setUint32(24, size, true)
    assert.match(refusal(bytes), `byte 24: sector size ${size} `)
  }
  assert.match(refusal(new Uint8Array(0)), 'byte 0: the log ends inside its super block')
})

test('a log cut short is refused at every byte, and gives its whole entries with salvage', () => {
  const entries: RawEntry[] = [
    { sector: 1, sectors: 2, flags: 0, data: new Uint8Array(1024).fill(1) },
    { sector: 0, sectors: 0, flags: bit.flush },
    { sector: 4, sectors: 1, flags: bit.fua, data: new Uint8Array(512).fill(2) },
    { sector: 8, sectors: 8, flags: bit.discard },
  ]
  const bytes = encodeLog(entries)
  const ends = [512, 512 + 1536, 2048 + 512, 2560 + 1024, 3584 + 512]
  for (let length = 0; length < bytes.length; length++) {
    const part = bytes.subarray(0, length)
    assert.match(refusal(part, {}, [333]), `byte ${length}: the log ends`)
    if (length < 512) assert.match(refusal(part, { salvage: true }), 'inside its super block')
    else {
      const whole = ends.filter((end) => end <= length).length - 1
      assert.equal(feed(dmLogWrites({ salvage: true }), part, [333]), expected(entries, 512).slice(0, whole))
    }
  }
  assert.is(feed(dmLogWrites(), bytes).length, 4)
})

test('the count in the super block ends the log, unless salvage reads on to where headers stop making sense', () => {
  const entries: RawEntry[] = [1, 2, 3].map((sector) => ({
    sector,
    sectors: 1,
    flags: 0,
    data: new Uint8Array(512).fill(sector),
  }))
  const log = encodeLog(entries, 512, 1)
  const plain = dmLogWrites()
  assert.is(feed(plain, log, [700]).length, 1)
  assert.match(plain.remark() ?? '', 'byte 1536: more entries follow the 1')
  for (const tail of [
    new Uint8Array(0),
    new Uint8Array(5000),
    new Uint8Array(5000).fill(0xa5),
    new Uint8Array(100).fill(1),
  ]) {
    const bytes = new Uint8Array(Buffer.concat([log, tail]))
    const salvaging = dmLogWrites({ salvage: true })
    assert.equal(feed(salvaging, bytes, [700]), expected(entries, 512))
    assert.is(salvaging.remark(), undefined)
    const counting = dmLogWrites()
    assert.is(feed(counting, new Uint8Array(Buffer.concat([encodeLog(entries), tail]))).length, 3)
    assert.is(counting.remark(), undefined)
  }
})

test('damage among the promised entries is an error with salvage too', () => {
  const bad = encodeLog([{ sector: 0, sectors: 1, flags: 64 }])
  assert.match(refusal(bad, { salvage: true }), 'byte 528: entry 0')
})

test('zeros end a log early, with a remark', () => {
  const first = encodeEntry({ sector: 0, sectors: 0, flags: bit.flush }, 512)
  const parser = dmLogWrites()
  const bytes = new Uint8Array(Buffer.concat([encodeSuper(512, 9), ...first, new Uint8Array(512), ...first]))
  assert.is(feed(parser, bytes).length, 1)
  assert.match(parser.remark() ?? '', 'byte 1024: zeros end the log after 1 of the 9')
})

test('whatever bits flip, the parser refuses or reads, and takes no memory that a header only claims', () => {
  const log = encodeLog([
    { sector: 1, sectors: 2, flags: 0, data: new Uint8Array(1024).fill(1) },
    { sector: 0, sectors: 0, flags: bit.mark, label: 'm' },
    { sector: 4, sectors: 1, flags: bit.fua, data: new Uint8Array(512).fill(2) },
  ])
  const before = process.memoryUsage().arrayBuffers
  let refused = 0
  for (let at = 0; at < log.length * 8; at++) {
    const bytes = log.slice()
    bytes[at >>> 3]! ^= 1 << (at & 7)
    for (const options of [{}, { salvage: true }]) {
      try {
        feed(dmLogWrites(options), bytes, [1000])
      } catch (error) {
        if (!(error instanceof BlockboxError) || error.code !== 'TRACE_FORMAT') throw error
        refused++
      }
      assert.ok(process.memoryUsage().arrayBuffers - before < 256 * 2 ** 20)
    }
  }
  assert.ok(refused > 8000, `${refused} flips were refused`)
})

test('a claimed gigabyte of payload costs what has come of it', () => {
  const log = encodeLog([
    { sector: 0, sectors: dmLogMaxPayload / 512, flags: 0, data: new Uint8Array(200_000) },
  ])
  const parser = dmLogWrites()
  const before = process.memoryUsage().arrayBuffers
  for (let at = 0; at < log.length; at += 50_000) parser.push(log.slice(at, at + 50_000))
  assert.ok(process.memoryUsage().arrayBuffers - before < 8 * 2 ** 20)
})

test.run()
