/**
 * Tables of every format against a reader of CSV that knows nothing of them: whatever it takes for the cells of a row
 * is what the event must be made of. The texts have headers, empty lines, blanks and ends of lines as real files do.
 */

import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { alibaba } from '../../src/trace/alibaba.ts'
import { cloudphysicsCsv } from '../../src/trace/cloudphysics-csv.ts'
import { disksim } from '../../src/trace/disksim.ts'
import type { TraceParser } from '../../src/trace/event.ts'
import { msr } from '../../src/trace/msr.ts'
import { spc } from '../../src/trace/spc.ts'
import { systor } from '../../src/trace/systor.ts'
import { tencent } from '../../src/trace/tencent.ts'
import { feed } from './feed.ts'

const test = suite('csv-oracle')

interface Meaning {
  readonly op: string
  readonly offset: bigint
  readonly length: bigint
  readonly ns: bigint
  readonly dev: string | null
}

interface Table {
  readonly make: () => TraceParser
  readonly delimiter?: string
  readonly header?: string
  /** Cells as the format writes them. */
  readonly row: readonly fc.Arbitrary<string>[]
  /** What the cells of a row mean, by the description of the format. */
  mean(cells: readonly string[]): Meaning
  /** Its clock has its zero in the file. */
  readonly own?: true
}

const number = (max: bigint) => fc.bigInt({ min: 0n, max }).map(String)
const seconds = (max: bigint) =>
  fc.tuple(number(max), fc.nat(999_999)).map(([whole, us]) => `${whole}.${String(us).padStart(6, '0')}`)
const nanoseconds = (text: string) => {
  const [whole, fraction = ''] = text.split('.')
  return BigInt(whole!) * 10n ** 9n + BigInt(fraction.padEnd(9, '0').slice(0, 9))
}
const place = number(2n ** 42n)
const size = number(2n ** 32n - 1n)
const dev = number(999n)
const days = 10n ** 6n

const tables: Readonly<Record<string, Table>> = {
  msr: {
    make: msr,
    header: 'Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime',
    row: [
      fc.bigInt({ min: 128166372000000000n, max: 128166379999999999n }).map(String),
      fc.constantFrom('hm', 'web', 'prn'),
      dev,
      fc.constantFrom('Read', 'Write'),
      place,
      size,
      dev,
    ],
    mean: (c) => ({
      op: c[3]!.toLowerCase(),
      ...{ offset: BigInt(c[4]!), length: BigInt(c[5]!), ns: BigInt(c[0]!) * 100n, dev: `${c[1]}.${c[2]}` },
    }),
  },
  systor: {
    make: systor,
    header: 'Timestamp,Response,IOType,LUN,Offset,Size',
    row: [seconds(days), fc.constantFrom('', '0.1'), fc.constantFrom('R', 'W', ''), dev, place, size],
    mean: (c) => ({
      op: c[2] === 'R' ? 'read' : c[2] === 'W' ? 'write' : 'other',
      ...{ offset: BigInt(c[4]!), length: BigInt(c[5]!), ns: nanoseconds(c[0]!), dev: c[3]! },
    }),
  },
  alibaba: {
    make: alibaba,
    row: [dev, fc.constantFrom('R', 'W'), place, size, number(days * 1_000_000n)],
    mean: (c) => ({
      op: c[1] === 'R' ? 'read' : 'write',
      ...{ offset: BigInt(c[2]!), length: BigInt(c[3]!), ns: BigInt(c[4]!) * 1000n, dev: c[0]! },
    }),
  },
  tencent: {
    make: tencent,
    row: [number(days), place, size, fc.constantFrom('0', '1'), dev],
    mean: (c) => ({
      op: c[3] === '0' ? 'read' : 'write',
      ...{ offset: BigInt(c[1]!) * 512n, length: BigInt(c[2]!) * 512n },
      ...{ ns: BigInt(c[0]!) * 10n ** 9n, dev: c[4]! },
    }),
  },
  spc: {
    make: spc,
    row: [
      dev,
      place,
      fc.tuple(fc.constantFrom('', ' '), size).map(([blank, text]) => blank + text),
      fc.constantFrom('r', 'R', 'w', 'W', ' W'),
      seconds(days),
      fc.constantFrom('Alpha/NT', 'x'),
    ],
    mean: (c) => ({
      op: c[3]!.trim().toLowerCase() === 'r' ? 'read' : 'write',
      ...{ offset: BigInt(c[1]!) * 512n, length: BigInt(c[2]!.trim()), ns: nanoseconds(c[4]!), dev: c[0]! },
    }),
    own: true,
  },
  'cloudphysics-csv': {
    make: cloudphysicsCsv,
    header: 'version,time,op,size,lbn',
    row: [fc.constantFrom('1', '2'), number(days), fc.constantFrom('28', '2a', '0', '8A'), size, place],
    mean: (c) => ({
      op: c[2] === '28' ? 'read' : c[2] === '0' ? 'other' : 'write',
      ...{ offset: BigInt(c[4]!) * 512n, length: BigInt(c[3]!), ns: nanoseconds(c[1]!), dev: null },
    }),
  },
  disksim: {
    make: disksim,
    delimiter: ' ',
    row: [number(days), dev, place, size, fc.constantFrom('0', '1')],
    mean: (c) => ({
      op: c[4] === '0' ? 'write' : 'read',
      ...{ offset: BigInt(c[2]!) * 512n, length: BigInt(c[3]!) * 512n, ns: BigInt(c[0]!), dev: c[1]! },
    }),
    own: true,
  },
}

for (const [name, { make, delimiter = ',', header, row, mean, own }] of Object.entries(tables)) {
  test(`${name}: the cells that a reader of CSV finds are the events`, () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(...row), { maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.boolean(),
        (rows, lengths, end, titled, ended) => {
          const lines = rows.map((cells) => cells.join(delimiter))
          if (titled && header !== undefined) lines.unshift(header)
          if (lines.length > 2) lines.splice(2, 0, '')
          const text = lines.join(end) + (ended ? end : '')
          const records = parse(text, { delimiter, skip_empty_lines: true, relax_column_count: true })
          const meanings = records.filter((cells) => cells.join() !== header).map(mean)
          const zero = own ? 0n : (meanings[0]?.ns ?? 0n)
          const found = feed(make(), new TextEncoder().encode(text), lengths)
          assert.equal(
            found.map(({ op, offset, length, tNs, dev: device }) => [op, offset, length, tNs, device]),
            meanings.map((m) => [m.op, Number(m.offset), Number(m.length), Number(m.ns - zero), m.dev]),
          )
        },
      ),
      { numRuns: 80 },
    )
  })

  test(`${name}: no cell is quoted in this format, and a quoted one is refused with its line`, () => {
    const cells = fc.sample(fc.tuple(...row), { numRuns: 1, seed: 7 })[0]!
    const quoted = cells.map((cell) => `"${cell}"`).join(delimiter)
    const text = `${cells.join(delimiter)}\n${quoted}\n`
    try {
      feed(make(), new TextEncoder().encode(text))
    } catch (error) {
      assert.instance(error, BlockboxError)
      assert.match((error as BlockboxError).message, /^line 2: /)
      return
    }
    assert.unreachable('quotes were taken')
  })
}

test.run()
