/**
 * Tables written from rows with exact integers, and read back: units, times and devices whatever the numbers, and
 * however the bytes are cut. Here the writer is the oracle; in csv-oracle.test.ts it is a reader of CSV.
 */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { alibaba } from '../../src/trace/alibaba.ts'
import { disksim } from '../../src/trace/disksim.ts'
import type { TraceParser } from '../../src/trace/event.ts'
import { msr } from '../../src/trace/msr.ts'
import { spc } from '../../src/trace/spc.ts'
import { systor } from '../../src/trace/systor.ts'
import { tencent } from '../../src/trace/tencent.ts'
import { feed } from './feed.ts'

const test = suite('table-oracle')

interface Row {
  readonly time: bigint
  readonly dev: number
  readonly offset: bigint
  readonly length: bigint
  readonly write: boolean
}

const anyRow: fc.Arbitrary<Row> = fc.record({
  time: fc.bigInt({ min: 0n, max: 2n ** 52n }),
  dev: fc.nat(9),
  offset: fc.bigInt({ min: 0n, max: 2n ** 43n - 2n }),
  length: fc.bigInt({ min: 0n, max: 2n ** 32n }),
  write: fc.boolean(),
})

const decimals = (ns: bigint) => `${ns / 1_000_000_000n}.${String(ns % 1_000_000_000n).padStart(9, '0')}`

/** How a format writes a row, how long its unit of place, length and time is, and where its clock begins. */
const writers: {
  make: () => TraceParser
  row(row: Row): string
  place: bigint
  size: bigint
  tick: bigint
  own?: true
  /** From the request to the answer, where the format tells. */
  tookNs?: number
  dev(dev: number): string
}[] = [
  {
    make: msr,
    row: (r) => `${r.time + 10n ** 17n},h,${r.dev},${r.write ? 'Write' : 'Read'},${r.offset},${r.length},5`,
    ...{ place: 1n, size: 1n, tick: 100n, tookNs: 500 },
    dev: (dev) => `h.${dev}`,
  },
  {
    make: systor,
    row: (r) =>
      `${decimals(r.time + 10n ** 18n)},0.1,${r.write ? 'W' : 'R'},${r.dev},${r.offset},${r.length}`,
    ...{ place: 1n, size: 1n, tick: 1n, tookNs: 1e8 },
    dev: String,
  },
  {
    make: alibaba,
    row: (r) => `${r.dev},${r.write ? 'W' : 'R'},${r.offset},${r.length},${r.time + 10n ** 15n}`,
    ...{ place: 1n, size: 1n, tick: 1000n },
    dev: String,
  },
  {
    make: tencent,
    row: (r) => `${r.time},${r.offset},${r.length},${r.write ? 1 : 0},${r.dev}`,
    ...{ place: 512n, size: 512n, tick: 10n ** 9n },
    dev: String,
  },
  {
    make: spc,
    row: (r) => `${r.dev},${r.offset}, ${r.length},${r.write ? 'w' : 'r'}, ${decimals(r.time)},more`,
    ...{ place: 512n, size: 1n, tick: 1n, own: true },
    dev: String,
  },
  {
    make: disksim,
    row: (r) => `${r.time} ${r.dev} ${r.offset} ${r.length} ${r.write ? 0 : 1}`,
    ...{ place: 512n, size: 512n, tick: 1n, own: true },
    dev: String,
  },
]

test('what is written is read back, however the bytes are cut', () => {
  for (const { make, row, place, size, tick, own, tookNs, dev } of writers) {
    fc.assert(
      fc.property(
        fc.array(anyRow),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }),
        fc.constantFrom('\n', '\r\n'),
        (all, lengths, end) => {
          const rows = all.map((r) => ({ ...r, time: (r.time / tick / 4n) * (tick === 1n ? 4n : 1n) }))
          const kept = rows.filter(
            (r) => r.offset * place + r.length * size <= BigInt(Number.MAX_SAFE_INTEGER),
          )
          const zero = own ? 0n : (kept[0]?.time ?? 0n)
          const text = kept.map((r) => row(r) + end).join('')
          assert.equal(
            feed(make(), new TextEncoder().encode(text), lengths),
            kept.map((r, index) => ({
              index,
              op: r.write ? 'write' : 'read',
              offset: Number(r.offset * place),
              length: Number(r.length * size),
              tNs: Number((r.time - zero) * tick),
              dev: dev(r.dev),
              flags: [],
              ...(tookNs !== undefined && { tCompleteNs: Number((r.time - zero) * tick) + tookNs }),
            })),
          )
        },
      ),
      { numRuns: 60 },
    )
  }
})

test.run()
