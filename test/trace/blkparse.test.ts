/** The text of blkparse: the lines that count, the summary that does not, and lines that are none. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { blkparse } from '../../src/trace/blkparse.ts'
import type { TraceOptions } from '../../src/trace/event.ts'
import { feed } from './feed.ts'

const test = suite('blkparse')

const read = (text: string, options?: TraceOptions) => feed(blkparse(options), new TextEncoder().encode(text))

function refusal(text: string): string {
  try {
    read(text)
  } catch (error) {
    assert.instance(error, BlockboxError)
    assert.is((error as BlockboxError).code, 'TRACE_FORMAT')
    return (error as BlockboxError).message
  }
  return assert.unreachable('the text was taken') as never
}

const sample = `Input file sda.blktrace.0 added
  8,0    0        1     0.000000000   697  Q  WS 223490 + 8 [kjournald]
  8,0    0        2     0.000001000   697  G  WS 223490 + 8 [kjournald]
  8,0    0        3     0.000001500   697  P   N [kjournald]
  8,0    0        4     0.000002000   697  A  WS 223490 + 8 <- (8,1) 223427
  8,0    0        5     0.000002100   697  U   N [kjournald] 1
  8,0    0        0     0.000002200     0  m   N cfq697S  insert
259,0    1        6     1.000003000   697  Q  FW [kjournald]
  8,16   1        7    12.000004001   697  Q WFM 99 + 1 [a [odd] name + 3]
  8,0    0        8    12.000005000     0  D  WS 223490 + 8 (      12) [kjournald]
  8,0    0        9    12.000006000     0  C  WS 223490 + 8 [0]
  8,0    0       10    12.000007000     0  C  FN 0 [0]
  8,0    0       11    12.000007500     0  D   R 36 (12 01 00 00 24 00 ..) [smartctl]
  8,0    0       12    12.000008000     0  X   W 99 / 100 [kjournald]
CPU0 (sda):
 Reads Queued:         135,     4583KiB\t Writes Queued:         218,    58796KiB

Total (sda):
 IO unplugs:           274        \t Timer unplugs:          15

Throughput (R/W): 2502KiB/s / 37493KiB/s
Events (sda): 2944 entries
Skips: 0 forward (0 -   0.0%)
`

test('lines of the step are events, all else is passed by', () => {
  assert.equal(read(sample), [
    { index: 0, op: 'write', offset: 223490 * 512, length: 4096, tNs: 0, dev: '8,0', flags: ['SYNC'] },
    { index: 1, op: 'flush', offset: null, length: 0, tNs: 1_000_003_000, dev: '259,0', flags: [] },
    {
      index: 2,
      op: 'write',
      offset: 99 * 512,
      length: 512,
      tNs: 12_000_004_001,
      dev: '8,16',
      flags: ['FUA', 'META'],
    },
  ])
  const other = (action: 'D' | 'C') =>
    read(sample, { action }).map(({ op, offset, length }) => [op, offset, length])
  assert.equal(other('D'), [['write', 223490 * 512, 4096]])
  assert.equal(other('C'), [
    ['write', 223490 * 512, 4096],
    ['flush', null, 0],
  ])
})

test('texts that were joined are read on after a summary', () => {
  assert.is(read(sample + sample).length, 6)
})

test('lines that make no sense are refused with their number', () => {
  const bad: [string, string][] = [
    ['hello', 'no line of an event'],
    ['  8,0    0        1     0.00000   697  Q  WS 223490 + 8 [x]', 'no line of an event'],
    ['  8,0    0        1     0.000000000   697  Q  WXS 223490 + 8 [x]', 'letters "WXS"'],
    [
      '  8,0    0        1     0.000000000   697  Q  W 99999999999999999 + 8 [x]',
      'the sector "99999999999999999"',
    ],
    ['  8,0    0        1     0.000000000   697  Q  W 18014398509481983 + 8 [x]', 'the sector'],
    ['  8,0    0        1     999999999.000000000   697  Q  W 1 + 8 [x]', 'beyond 2^53'],
    ['x'.repeat(9000), 'more than 8192 bytes'],
  ]
  for (const [line, message] of bad) {
    const said = refusal(`\n${sample.split('\n')[1]}\n${line}\n`)
    assert.match(said, 'line 3')
    assert.match(said, message)
  }
})

test.run()
