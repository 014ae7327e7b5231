/** Traces that are tables: units, operations, devices and times of each, and rows that are none. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { alibaba } from '../../src/trace/alibaba.ts'
import { cloudphysicsCsv } from '../../src/trace/cloudphysics-csv.ts'
import { disksim } from '../../src/trace/disksim.ts'
import type { TraceEvent, TraceParser } from '../../src/trace/event.ts'
import { msr } from '../../src/trace/msr.ts'
import { spc } from '../../src/trace/spc.ts'
import { systor } from '../../src/trace/systor.ts'
import { tencent } from '../../src/trace/tencent.ts'
import { feed } from './feed.ts'

const test = suite('tables')

const read = (parser: TraceParser, text: string) => feed(parser, new TextEncoder().encode(text))

function refusal(parser: TraceParser, text: string): string {
  try {
    read(parser, text)
  } catch (error) {
    assert.instance(error, BlockboxError)
    assert.is((error as BlockboxError).code, 'TRACE_FORMAT')
    return (error as BlockboxError).message
  }
  return assert.unreachable('the table was taken') as never
}

const rowOf = ({ op, offset, length, tNs, dev }: TraceEvent) => [op, offset, length, tNs, dev]

test('msr: bytes, 100 ns since 1601 read exactly, host.disk', () => {
  const text =
    'Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime\r\n' +
    '128166372003061629,hm,0,Read,9056014336,2048,2833\r\n' +
    '128166372003061630,src1,2,Write,512,4096,1\r\n' +
    '128166372003061600,hm,0,Write,0,0,1\r\n'
  assert.equal(read(msr(), text).map(rowOf), [
    ['read', 9056014336, 2048, 0, 'hm.0'],
    ['write', 512, 4096, 100, 'src1.2'],
    ['write', 0, 0, -2900, 'hm.0'],
  ])
})

test('systor: bytes, seconds with nine decimals, a blank type is other', () => {
  const text =
    'Timestamp,Response,IOType,LUN,Offset,Size\n' +
    '1456135200.000000001,0.001,W,4,155426304,3584\n' +
    '1456135200.013118000,,,6,4096,512\n' +
    '1456135201,0.1,R,4,0,512\n'
  assert.equal(
    read(systor(), text + text)
      .map(rowOf)
      .slice(0, 4),
    [
      ['write', 155426304, 3584, 0, '4'],
      ['other', 4096, 512, 13_117_999, '6'],
      ['read', 0, 512, 999_999_999, '4'],
      ['write', 155426304, 3584, 0, '4'],
    ],
  )
})

test('alibaba: bytes, microseconds in the last column', () => {
  assert.equal(
    read(alibaba(), '419,W,8792731648,16384,1577808144360767\n7,R,0,1,1577808144360000').map(rowOf),
    [
      ['write', 8792731648, 16384, 0, '419'],
      ['read', 0, 1, -767_000, '7'],
    ],
  )
})

test('tencent: sectors, whole seconds, order within a second kept', () => {
  assert.equal(
    read(tencent(), '1538323199,105352008,584,1,1576\n1538323199,8,1,0,9\n1538323201,0,0,0,9\n').map(rowOf),
    [
      ['write', 105352008 * 512, 584 * 512, 0, '1576'],
      ['read', 4096, 512, 0, '9'],
      ['read', 0, 0, 2_000_000_000, '9'],
    ],
  )
})

test('spc: blocks within the ASU, any case, blanks and more columns', () => {
  assert.equal(
    read(spc(), '0,20941264,8192,W,0.551706,Alpha/NT\n1, 2, 0, r, 0.551706125\n003,0,511,R,12\n').map(rowOf),
    [
      ['write', 20941264 * 512, 8192, 551_706_000, '0'],
      ['read', 1024, 0, 551_706_125, '1'],
      ['read', 0, 511, 12_000_000_000, '3'],
    ],
  )
})

test('disksim: sectors, nanoseconds or what the unit says, bit 0 of the type reads', () => {
  const text = '26214000 1 240840 6 0\n 26214001\t2  8   1 1\n'
  assert.equal(read(disksim(), text).map(rowOf), [
    ['write', 240840 * 512, 3072, 26_214_000, '1'],
    ['read', 4096, 512, 26_214_001, '2'],
  ])
  const milliseconds = read(disksim({ timeUnitNs: 1e6 }), '12.345678 0 0 1 1b\n0.5 0 0 1 a\n')
  assert.equal(milliseconds.map(rowOf), [
    ['read', 0, 512, 12_345_678, '0'],
    ['write', 0, 512, 500_000, '0'],
  ])
})

test('cloudphysics-csv: the opcode decides, seconds of the clock of the host', () => {
  const text =
    'version,time,op,size,lbn\n1,5633898,2a,512,42932745\n1,5633899,28,6656,8\n2,5633899,12,36,0\n1,99,8A,1,0\n'
  assert.equal(read(cloudphysicsCsv(), text).map(rowOf), [
    ['write', 42932745 * 512, 512, 0, null],
    ['read', 4096, 6656, 1_000_000_000, null],
    ['other', 0, 36, 1_000_000_000, null],
    ['write', 0, 1, -5_633_799_000_000_000, null],
  ])
})

const tables: [make: () => TraceParser, good: string, bad: [row: string, said: string][]][] = [
  [
    msr,
    '128166372003061629,hm,0,Read,1,2,3',
    [
      ['128166372003061629,hm,0,Read,1,2', '6 columns where the format has 7: Timestamp,'],
      ['128166372003061629,hm,0,Reed,1,2,3', 'the type "Reed"'],
      ['x,hm,0,Read,1,2,3', 'the time stamp "x"'],
      ['228166372003061629,hm,0,Read,1,2,3', 'more than 104 days'],
      ['128166372003061629,hm,0,Read,9007199254740992,0,3', 'the offset "9007199254740992"'],
      ['128166372003061629,hm,0,Read,9007199254740991,1,3', 'ends beyond 2^53'],
      ['128166372003061629,hm,0,Read,1,-2,3', 'the size "-2"'],
    ],
  ],
  [
    systor,
    '1456135200.000000000,0.1,W,0,1,2',
    [
      ['1456135200.000000000,0.1,X,0,1,2', 'the type "X"'],
      ['1456135200.0.0,0.1,W,0,1,2', 'the time stamp "1456135200.0.0" is no decimal'],
      ['1e9,0.1,W,0,1,2', 'the time stamp "1e9"'],
      ['1456135200.0,0.1,W,0,1', '5 columns'],
      ['1456135200.0,0.1,W,0, 1,2', 'the offset " 1"'],
    ],
  ],
  [
    alibaba,
    '0,W,1,2,1577808000000000',
    [
      ['0,w,1,2,1577808000000000', 'the opcode "w"'],
      ['0,W,1,2,1577808000000000,9', '6 columns where the format has 5'],
      ['0,W,1,2.5,1577808000000000', 'the length "2.5"'],
      ['0,W,1,2,', 'the time stamp ""'],
    ],
  ],
  [
    tencent,
    '1538323199,1,2,1,5',
    [
      ['1538323199,1,2,2,5', 'the type "2"'],
      ['1538323199,17592186044416,2,1,5', 'the offset "17592186044416" in sectors is beyond 2^53'],
      ['1538323199,1,17592186044416,1,5', 'the size'],
      ['1538323199,17592186044415,1,1,5', 'ends beyond'],
    ],
  ],
  [
    spc,
    '0,1,2,W,0.5',
    [
      ['0,1,2,T,0.5', 'the opcode "T"'],
      ['x,1,2,W,0.5', 'the ASU "x"'],
      ['0,1,2,W', '4 columns where the format has 5 or more'],
      ['0,1,2,W,-0.5', 'the time stamp "-0.5"'],
      ['0,1,2,W,9999999999.0', 'beyond 2^53'],
    ],
  ],
  [
    disksim,
    '1 2 3 4 1',
    [
      ['1 2 3 4', '4 columns where the format has 5: time device'],
      ['1 2 3 4 z', 'the type "z"'],
      ['1 2 -3 4 1', 'the sector "-3"'],
      ['9007199254740993 2 3 4 1', 'beyond 2^53'],
    ],
  ],
  [
    cloudphysicsCsv,
    '1,2,2a,512,8',
    [
      ['7,2,2a,512,8', 'version "7"'],
      ['1,2,zz,512,8', 'the opcode "zz"'],
      ['1,2,2a,512,17592186044416', 'the lbn'],
    ],
  ],
]

test('rows that make no sense are refused with the number of their line', () => {
  for (const [make, good, bad] of tables) {
    assert.is(read(make(), `${good}\n\n${good}`).length, 2)
    for (const [row, said] of bad) {
      const message = refusal(make(), `${good}\n${good}\n${row}\n${good}\n`)
      assert.match(message, 'line 3: ')
      assert.match(message, said)
    }
    assert.match(refusal(make(), `${good}\n${'9'.repeat(5000)}\n`), 'line 2 has more than 4096 bytes')
  }
})

test.run()
