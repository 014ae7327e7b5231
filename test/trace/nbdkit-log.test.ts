/** The log of nbdkit: calls that overlap, answers, connections that end, lines that make no sense. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { nbdkitLog } from '../../src/trace/nbdkit-log.ts'
import { feed } from './feed.ts'

const test = suite('nbdkit-log')

const read = (text: string, lengths?: number[]) => feed(nbdkitLog(), new TextEncoder().encode(text), lengths)

function refusal(text: string): string {
  try {
    read(text)
  } catch (error) {
    assert.instance(error, BlockboxError)
    assert.is((error as BlockboxError).code, 'TRACE_FORMAT')
    return (error as BlockboxError).message
  }
  return assert.unreachable('the log was taken') as never
}

const at = (seconds: string) => `2026-12-31 23:59:${seconds}`

test('calls are events in the order in which they were made, with what their answers said', () => {
  const text = `${at('58.000000')} Ready thread_model=3
${at('58.000001')} connection=1 Connect export="" tls=0 size=0x800000
${at('59.000000')} connection=1 Write id=1 offset=0x1000 count=0x200 fua=1 ...
${at('59.000010')} connection=2 Read id=1 offset=0xffffffffff count=0x1 ...
${at('59.000020')} connection=1 Zero id=2 offset=0x0 count=0x7000 trim=1 fua=0 fast=0 ...
${at('59.000030')} connection=2 ...Read id=1 return=0
${at('59.000040')} connection=1 ...Zero id=2 return=-1 error=ENOSPC
${at('59.000050')} connection=1 Flush id=3 ...
2027-01-01 00:00:00.000000 connection=1 ...Write id=1 return=0
2027-01-01 00:00:00.000001 connection=1 ...Flush id=3 return=0 (Success)
2027-01-01 00:00:00.000002 connection=1 Trim id=4 offset=0x10 count=0x20 fua=0 ...
2027-01-01 00:00:00.000003 connection=1 Cache id=5 offset=0x10 count=0x20 ...
2027-01-01 00:00:00.000004 connection=1 Extents id=6 offset=0x0 count=0x800000 req_one=0 ...
2027-01-01 00:00:00.000005 connection=1 ...Extents id=6 extents=(0x0 0x1000 "" 0x1000 0x7000 "hole,zero") return=0
2027-01-01 00:00:00.000006 connection=1 Disconnect transactions=6
`
  const row = { dev: 'conn1', flags: [] }
  assert.equal(read(text), [
    {
      ...{ index: 0, op: 'write', offset: 4096, length: 512, tNs: 0, dev: 'conn1', flags: ['FUA'] },
      ...{ tCompleteNs: 1e9, ret: 0 },
    },
    {
      ...{ index: 1, op: 'read', offset: 2 ** 40 - 1, length: 1, tNs: 10_000, dev: 'conn2', flags: [] },
      ...{ tCompleteNs: 30_000, ret: 0 },
    },
    { ...row, index: 2, op: 'zero', offset: 0, length: 0x7000, tNs: 20_000, tCompleteNs: 40_000, ret: -1 },
    {
      ...row,
      index: 3,
      op: 'flush',
      offset: null,
      length: null,
      tNs: 50_000,
      tCompleteNs: 1_000_001_000,
      ret: 0,
    },
    {
      ...row,
      index: 4,
      op: 'discard',
      offset: 16,
      length: 32,
      tNs: 1_000_002_000,
      tCompleteNs: null,
      ret: null,
    },
    {
      ...row,
      index: 5,
      op: 'other',
      offset: 16,
      length: 32,
      tNs: 1_000_003_000,
      tCompleteNs: null,
      ret: null,
    },
    {
      ...{ ...row, index: 6, op: 'other', offset: 0, length: 8388608 },
      ...{ tNs: 1_000_004_000, tCompleteNs: 1_000_005_000, ret: 0 },
    },
  ])
})

test('an event is given out with its answer, not at the end', () => {
  const parser = nbdkitLog()
  const push = (text: string) =>
    [...parser.push(new TextEncoder().encode(`${text}\n`))].map(({ index }) => index)
  assert.equal(push(`${at('00.000000')} connection=1 Flush id=1 ...`), [])
  assert.equal(push(`${at('00.000001')} connection=1 Flush id=2 ...`), [])
  assert.equal(push(`${at('00.000002')} connection=1 ...Flush id=2 return=0`), [])
  assert.equal(push(`${at('00.000003')} connection=1 ...Flush id=1 return=0`), [0, 1])
  assert.equal(push(`${at('00.000004')} connection=1 Flush id=3 ...`), [])
  assert.equal(push(`${at('00.000005')} connection=1 Connect export=""`), [2])
  assert.equal(push(`${at('00.000006')} connection=1 Flush id=3 ...`), [])
  assert.equal(
    [...parser.end()].map(({ index, ret }) => [index, ret]),
    [[3, null]],
  )
})

test('lines that make no sense are refused with their number', () => {
  const call = 'connection=1 Flush id=1 ...'
  const bad: [string, string][] = [
    ['nonsense', 'no time stamp'],
    [`${at('00.000')} ${call}`, 'no time stamp'],
    [`${at('01.000000')} ${call}`, 'call 1 of connection 1 is made a second time'],
    [
      `${at('01.000000')} connection=1 ...Flush id=9 return=0`,
      'call 9 of connection 1, which the log does not have',
    ],
    [`${at('01.000000')} connection=7 ...Flush id=1 return=0`, 'is its start missing?'],
    [`${at('01.000000')} connection=1 ...Flush id=1 nothing`, 'has no "return="'],
    [`${at('01.000000')} connection=1 Read id=2 count=0x1 ...`, 'has no "offset=0x.. count=0x.."'],
    [`${at('01.000000')} connection=1 Read id=2 offset=0x20000000000000 count=0x1 ...`, 'beyond 2^53'],
    [`${at('01.000000')} connection=1 Read id=2 offset=0x1fffffffffffff count=0x1 ...`, 'ends beyond 2^53'],
    [`${at('01.000000')} connection=1 Read offset=0x1 count=0x1`, 'a call that makes no sense'],
    [`9026-12-31 23:59:01.000000 connection=1 ...Flush id=1 return=0`, 'more than 104 days'],
  ]
  for (const [line, message] of bad) {
    const said = refusal(`${at('00.000000')} Ready\n${at('00.000000')} ${call}\n${line}\n`)
    assert.match(said, 'line 3')
    assert.match(said, message)
  }
})

test('any interleaving of answers gives the calls in order, however the bytes are cut', () => {
  const model = fc.array(fc.record({ conn: fc.nat(2), answerAfter: fc.nat(6), offset: fc.nat() }), {
    maxLength: 40,
  })
  const cuts = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 })
  fc.assert(
    fc.property(model, cuts, (calls, lengths) => {
      const lines = calls.flatMap(({ conn, answerAfter, offset }, k) => [
        {
          at: k * 10,
          text: `connection=${conn} Read id=${k} offset=0x${offset.toString(16)} count=0x200 ...`,
        },
        { at: (k + answerAfter) * 10 + 5, text: `connection=${conn} ...Read id=${k} return=${k}` },
      ])
      lines.sort((a, b) => a.at - b.at)
      const text = lines
        .map((line) => `${at(`00.${String(line.at).padStart(6, '0')}`)} ${line.text}\n`)
        .join('')
      assert.equal(
        read(text, lengths),
        calls.map(({ conn, answerAfter, offset }, index) => ({
          ...{ index, op: 'read', offset, length: 512, tNs: index * 10_000, dev: `conn${conn}`, flags: [] },
          ...{ tCompleteNs: (index + answerAfter) * 10_000 + 5000, ret: index },
        })),
      )
    }),
    { numRuns: 200 },
  )
})

test.run()
