/** Every real trace of the collection against what separate reference parsers found in it. */

// needs: env BLOCKBOX_TRACES

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { TraceOptions } from '../../src/trace/event.ts'
import { readTrace, type TraceRequest } from '../../src/trace/source.ts'
import { summarise, type TraceSummary } from '../../src/trace/summary.ts'

const test = suite('expected')

interface Expected extends TraceSummary {
  readonly t_min_ns: number | null
  readonly t_max_ns: number | null
}

interface Entry {
  readonly file: string
  readonly format: string
  readonly expected?: Expected
}

interface Reading {
  /** How the collection's description of the format begins. */
  readonly described: readonly string[]
  readonly format: string
  readonly options?: TraceOptions
  /** The clock has its zero in the file, so times are those of the file. */
  readonly ownZero?: true
}

const folder = process.env.BLOCKBOX_TRACES ?? ''
const entries = JSON.parse(readFileSync(join(folder, 'EXPECTED.json'), 'utf8')) as Entry[]

const readings: readonly Reading[] = [
  { described: ['dm-log-writes log'], format: 'dm-log-writes', ownZero: true },
  { described: ['pcap ('], format: 'nbd-pcap', options: { port: 10821 }, ownZero: true },
  { described: ['nbdkit log filter'], format: 'nbdkit-log' },
  { described: ['fio iolog'], format: 'fio-iolog', ownZero: true },
  { described: ['struct blk_io_trace', 'blktrace binary'], format: 'blktrace' },
  { described: ['blkparse default text'], format: 'blkparse', ownZero: true },
  { described: ['vscsi v1 binary'], format: 'vscsi' },
  { described: ['libCacheSim csv'], format: 'cloudphysics-csv' },
  { described: ['MQSim ASCII', 'SSDsim ASCII'], format: 'disksim', ownZero: true },
  { described: ['MSR Cambridge CSV', 'msr CSV'], format: 'msr' },
  { described: ['systor CSV'], format: 'systor' },
  { described: ['alibaba CSV'], format: 'alibaba' },
  { described: ['tencent CSV', 'Tencent CBS CSV'], format: 'tencent' },
  { described: ['spc CSV'], format: 'spc', ownZero: true },
  { described: ['our JSON lines'], format: 'history' },
]

const matches = (reading: Reading, entry: Entry) =>
  entry.expected !== undefined && reading.described.some((start) => entry.format.startsWith(start))

test('every file of the collection is read as one format, and every format has a file', () => {
  for (const entry of entries) {
    const wanted = entry.expected === undefined ? 0 : 1
    assert.is(readings.filter((reading) => matches(reading, entry)).length, wanted, entry.file)
  }
  for (const reading of readings) {
    assert.ok(
      entries.some((entry) => matches(reading, entry)),
      reading.format,
    )
  }
})

for (const reading of readings) {
  const { format, options, ownZero } = reading
  const request: TraceRequest = { ...(options && { options }) }
  for (const { file, expected } of entries.filter((entry) => matches(reading, entry))) {
    test(`${format}: ${file}`, async () => {
      const sum = summarise()
      let name = ''
      let next = 0
      let first: number | null = null
      for await (const batch of readTrace(join(folder, file), request)) {
        name = batch.format
        for (const event of batch.events) {
          assert.is(event.index, next++)
          if (event.index === 0) first = event.tNs
          sum.add(event)
        }
      }
      assert.is(name, format)
      const result = sum.result()
      const keys = Object.keys(result) as (keyof TraceSummary)[]
      assert.equal(result, Object.fromEntries(keys.map((key) => [key, expected![key]])))
      if (ownZero) assert.is(first, expected!.t_min_ns)
    })
  }
}

test.run()
