/** Every rule of lint: a trace that breaks it is found with its place, and one that does not is not. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { TraceEvent, TraceParser } from '../../../src/trace/event.ts'
import { traceFormat } from '../../../src/trace/format.ts'
import { Linter, lintRules } from '../../../src/trace/lint/linter.ts'
import { encodeRecords, kinds, steps } from '../block-encode.ts'
import { feed } from '../feed.ts'

const test = suite('linter')

const event = (fields: Partial<TraceEvent>): TraceEvent => ({
  ...{ index: 0, op: 'write', offset: 0, length: 512, tNs: null, dev: null, flags: [] },
  ...fields,
})

/** The findings, as rule and place, and their details. */
function lint(events: readonly Partial<TraceEvent>[], size?: number) {
  const linter = new Linter({ most: 1000, ...(size !== undefined && { size }) })
  for (const [index, fields] of events.entries()) linter.see(event({ index, ...fields }))
  linter.end()
  const findings = linter.take()
  return {
    findings: findings.map(({ rule, event: at }) => `${rule} ${at ?? '-'}`),
    details: findings.map(({ detail }) => detail),
    advised: findings.every(({ advice }) => advice.length > 20),
  }
}

const many = (count: number, make: (k: number) => Partial<TraceEvent>) =>
  Array.from({ length: count }, (_, k) => make(k))

test('time that goes back', () => {
  const { findings, details, advised } = lint([
    { tNs: 5 },
    { tNs: 5, offset: 512 },
    { tNs: 3 },
    { tNs: null },
    { tNs: 4 },
  ])
  assert.equal(findings, ['time-back 2'])
  assert.equal(details, ['2 ns before the event before it'])
  assert.ok(advised)
})

test('answers before their requests', () => {
  const events = [
    { tNs: 5, tCompleteNs: 4 },
    { tNs: 6, tCompleteNs: 6 },
    { tNs: 7, tCompleteNs: null },
  ]
  assert.equal(lint(events.map((one, k) => ({ ...one, offset: k * 4096 }))).findings, ['answer-early 0'])
})

test('rates that no device has', () => {
  const paced = (gap: number) => many(1000, (k) => ({ tNs: k * gap, offset: k * 512 }))
  assert.equal(lint(paced(10)).findings, ['time-unit -'])
  assert.equal(
    lint(paced(0)).findings.filter((one) => one.startsWith('time')),
    ['time-unit -'],
  )
  assert.equal(lint(paced(4e12)).findings, ['time-unit -'])
  assert.equal(lint(paced(1000)).findings, [])
  assert.equal(lint(paced(10).slice(0, 999)).findings, [])
})

test('overlapping requests in flight', () => {
  const at = (
    tNs: number,
    tCompleteNs: number | null,
    offset: number,
    op: TraceEvent['op'] = 'write',
    dev = 'a',
  ) => ({
    ...{ tNs, tCompleteNs, offset, op, dev, length: 1024 },
  })
  assert.equal(lint([at(0, 10, 0), at(5, 20, 512), at(10, 20, 0, 'read')]).findings, [
    'overlap 1',
    'overlap 2',
  ])
  assert.equal(lint([at(0, 10, 0), at(5, 20, 512)]).details, [
    'overlaps event 0, which was in flight (0+1024)',
  ])
  assert.equal(lint([at(0, 10, 0), at(10, 20, 512)]).findings, [])
  assert.equal(lint([at(0, 10, 0), at(5, 20, 1024)]).findings, [])
  assert.equal(lint([at(0, 10, 0, 'read'), at(5, 20, 512, 'read')]).findings, [])
  assert.equal(lint([at(0, 10, 0), at(5, 20, 512, 'write', 'b')]).findings, [])
  assert.equal(lint([at(0, 10, 0, 'write', 'conn1'), at(5, 20, 0, 'zero', 'conn2')]).findings, ['overlap 1'])
  assert.equal(lint([at(0, null, 0), at(99, 100, 512)]).findings, ['overlap 1'])
  assert.equal(lint([{ ...at(0, 9, 0), tCompleteNs: undefined as never }, at(5, 20, 512)]).findings, [])
})

test('overlaps are those that looking at every pair finds', () => {
  const requests = fc.array(
    fc.record({
      gap: fc.nat(3),
      lasts: fc.integer({ min: 1, max: 12 }),
      offset: fc.nat(8).map((n) => n * 512),
      length: fc.integer({ min: 1, max: 4 }).map((n) => n * 512),
      op: fc.constantFrom<TraceEvent['op']>('read', 'write', 'discard'),
    }),
    { maxLength: 40 },
  )
  fc.assert(
    fc.property(requests, (all) => {
      let now = 0
      const events = all.map(({ gap, lasts, ...rest }) => {
        now += gap + 1
        return { ...rest, tNs: now, tCompleteNs: now + lasts }
      })
      const expected = events.flatMap((one, k) => {
        const hit = events.slice(0, k).some((other) => {
          const both = other.op === 'read' && one.op === 'read'
          const apart = other.offset + other.length <= one.offset || one.offset + one.length <= other.offset
          return other.tCompleteNs > one.tNs && !apart && !both
        })
        return hit ? [`overlap ${k}`] : []
      })
      assert.equal(
        lint(events).findings.filter((one) => one.startsWith('overlap')),
        expected,
      )
    }),
  )
})

test('ranges beyond the device, out of sectors, and empty', () => {
  const events = [
    { offset: 1024 },
    { offset: 1536 },
    { offset: 100, length: 512 },
    { length: 0 },
    { op: 'flush' as const, length: 7 },
  ]
  assert.equal(lint(events, 1536).findings, ['beyond-device 1', 'unaligned 2', 'empty 3'])
  assert.equal(lint(events, 2048).findings, ['unaligned 2', 'empty 3'])
  assert.equal(lint([{ offset: 2 ** 50 }]).findings, [])
})

test('units that look wrong', () => {
  const ranges = (scale: number, offsets = 1000) =>
    many(100, (k) => ({ offset: (k * 37 + offsets + 1) * scale, length: ((k % 7) | 1) * scale }))
  assert.ok(lint(ranges(8)).findings.includes('range-unit -'))
  assert.equal(lint(ranges(512)).findings, [])
  assert.equal(lint(ranges(512 * 512, 2 ** 25)).findings, ['range-unit -'])
  assert.equal(lint(ranges(2 ** 20)).findings, [])
})

test('bytes read as sectors on a device that is not large', () => {
  const pieces = (bytes: number, count: number) =>
    many(200, (k) => ({ offset: ((k * 7919) % count) * bytes, length: bytes }))
  const of4GiB = pieces(4096 * 512, 2 ** 20)
  assert.equal(lint(of4GiB).findings, ['range-unit -'])
  assert.equal(lint(pieces(2 ** 20, 2 ** 17)).findings, [], 'a disk is asked for whole MiB')
  const small = pieces(512 * 512, 2 ** 13)
  assert.equal(lint(small).findings, [])
  const { findings } = lint(small, 4 * 2 ** 20)
  assert.ok(findings.includes('range-unit -'), 'as bytes they fit on the device')
  assert.not.ok(lint(small, 2 ** 19).findings.includes('range-unit -'), 'they fit in no unit')
  assert.equal(lint(of4GiB, 2 ** 41).findings, [], 'a device as large as that')
})

test('tables that tell how long an answer took show overlaps', () => {
  const found = (format: string, rows: readonly string[]) => {
    const parser: TraceParser = traceFormat(format).parser({})
    return lint(feed(parser, new TextEncoder().encode(`${rows.join('\n')}\n`))).findings
  }
  const systor = (at: number, took: string) => `${1456135200 + at}.000000000,${took},W,0,4096,4096`
  assert.equal(found('systor', [systor(0, '5.0'), systor(1, '5.0'), systor(7, '1.0')]), ['overlap 1'])
  assert.equal(found('systor', [systor(0, '0.5'), systor(1, '0.5')]), [])
  const start = 128166372000000000n
  const msr = (ms: bigint, took: number) => `${start + ms * 10_000n},hm,0,Write,8192,4096,${took}`
  assert.equal(found('msr', [msr(0n, 20_000), msr(1n, 20_000)]), ['overlap 1'])
  assert.equal(found('msr', [msr(0n, 9_999), msr(1n, 20_000)]), [])
})

test('events that are there twice', () => {
  const rows = [{ tNs: 1 }, { tNs: 1, offset: 512 }, { tNs: 1 }, { tNs: 2 }, { tNs: 2, op: 'read' as const }]
  assert.equal(lint(rows).findings, ['duplicate 2'])
  assert.equal(lint([{ tNs: 1e9 }, { tNs: 1e9 }]).findings, [])
  assert.equal(
    lint([{ tNs: 1 }, ...many(64, (k) => ({ tNs: 1, offset: (k + 1) * 512 })), { tNs: 1 }]).findings,
    [],
  )
})

test('so many findings of a rule are kept, all are counted', () => {
  const linter = new Linter({ most: 2 })
  for (let index = 0; index < 50; index++) linter.see(event({ index, offset: 3 }))
  linter.end()
  assert.equal(
    linter.take().map(({ event: at }) => at),
    [0, 1],
  )
  assert.equal(linter.counts, { unaligned: 50 })
  assert.is(linter.events, 50)
  assert.equal(linter.take(), [])
})

test('rules have names of their own and say what to do', () => {
  assert.is(new Set(lintRules.map(({ name }) => name)).size, lintRules.length)
})

const text = (...lines: string[]) => new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''))

/** What a parser that gives places says of the places, and what it doubts. */
function parsed(format: string, bytes: Uint8Array): { places: (number | undefined)[]; doubts: string[] } {
  const parser: TraceParser = traceFormat(format).parser({ places: true })
  const events = feed(parser, bytes, [7])
  const doubts = parser.doubts?.() ?? []
  return {
    places: events.map(({ line, byte }) => line ?? byte),
    doubts: doubts.map(({ line, byte, detail }) => `${line ?? byte ?? '-'}: ${detail}`),
  }
}

test('capture holes: records of blktrace by processor, notes and unnumbered ones left out', () => {
  const q = steps.queue | kinds.write
  const numbered = (sequence: number, cpu: number, action = q) => {
    const bytes = encodeRecords([{ time: 1n, sector: 8n, bytes: 512, action }])
    new DataView(bytes.buffer).setUint32(4, sequence, true)
    new DataView(bytes.buffer).setUint32(40, cpu, true)
    return bytes
  }
  const records = [
    numbered(5, 0),
    numbered(1, 1),
    numbered(0, 0, kinds.notify),
    numbered(6, 0),
    numbered(9, 0),
    numbered(2, 1),
    numbered(4, 1),
  ]
  assert.equal(parsed('blktrace', new Uint8Array(Buffer.concat(records))).doubts, [
    '192: records 7 to 8 are missing (2) from CPU 0',
    '288: record 3 is missing (1) from CPU 1',
  ])
  const silent = encodeRecords([1, 2, 3].map(() => ({ time: 1n, sector: 8n, bytes: 512, action: q })))
  assert.equal(parsed('blktrace', silent).doubts, [])
})

test('capture holes: lines of blkparse, and what its summary says', () => {
  const line = (sequence: number) =>
    `  8,0    1 ${String(sequence).padStart(8)}     0.000000001   697  Q  WS 8 + 8 [sh]`
  const lines = [
    line(1),
    line(2),
    line(5),
    'CPU0 (8,0):',
    'Skips: 12 forward (3 -   1.0%)',
    'Skips: 0 forward (0 -   0.0%)',
  ]
  assert.equal(parsed('blkparse', text(...lines)), {
    places: [1, 2, 3],
    doubts: ['3: records 3 to 4 are missing (2) from CPU 1', '5: blkparse skipped 12 records'],
  })
})

test('capture holes: calls of nbdkit, a connection each', () => {
  const call = (connection: number, id: number) =>
    `2026-11-21 06:26:05.540226 connection=${connection} Flush id=${id} ...`
  const over = '2026-11-21 06:26:06.540226 connection=1 Disconnect transport=tcp'
  assert.equal(parsed('nbdkit-log', text(call(1, 1), call(2, 1), call(1, 3), over, call(1, 9))), {
    places: [1, 2, 3, 5],
    doubts: ['3: call 2 is missing (1) from connection 1'],
  })
})

test('capture holes: requests of a history', () => {
  const head = '{"host": "a", "epoch_ns": 1}'
  const line = (id: number) =>
    `{"id":${id},"op":"write","offset":0,"length":512,"t_submit_ns":${10 - id},"flags":[]}`
  assert.equal(parsed('history', text(head, line(4), line(1), line(2))), {
    places: [2, 4, 3],
    doubts: ['-: 1 of the requests 1 to 4 are missing'],
  })
  assert.equal(parsed('history', text(head, line(2), line(1))).doubts, [])
})

test('rows and records say where they stand', () => {
  assert.equal(parsed('alibaba', text('1,W,0,512,5', '', '1,R,0,512,6')).places, [1, 3])
  assert.equal(parsed('fio-iolog', text('fio version 3 iolog', '0 v open', '1 v write 0 512')).places, [3])
  const vscsi = new Uint8Array(96)
  for (const at of [0, 32, 64]) vscsi[at + 15] = 1
  assert.equal(parsed('vscsi', vscsi).places, [0, 32, 64])
})

test.run()
