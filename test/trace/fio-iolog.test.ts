/** The parser of fio logs: both versions, any cut, and lines that are none. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import type { TraceEvent } from '../../src/trace/event.ts'
import { fioIolog } from '../../src/trace/fio-iolog.ts'
import { feed } from './feed.ts'

const test = suite('fio-iolog')

const read = (text: string, lengths?: number[]) => feed(fioIolog(), new TextEncoder().encode(text), lengths)

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

test('version 2 has no time, and its wait is no event', () => {
  const events = read(
    'fio version 2 iolog\na.img add\na.img open\na.img write 0 4096\na.img wait 1500 0\nb.img sync 77 0\na.img close\n',
  )
  assert.equal(events, [
    { index: 0, op: 'write', offset: 0, length: 4096, tNs: null, dev: 'a.img', flags: [] },
    { index: 1, op: 'flush', offset: null, length: null, tNs: null, dev: 'b.img', flags: [] },
  ])
})

test('version 3 stamps are microseconds; a stamp may go back', () => {
  const events = read('fio version 3 iolog\n9 v add\n476 v trim 512 1024\n475 v read 1 2\n480 v datasync 5 0')
  assert.equal(
    events.map(({ op, tNs, offset, length }) => [op, tNs, offset, length]),
    [
      ['discard', 476_000, 512, 1024],
      ['read', 475_000, 1, 2],
      ['flush', 480_000, null, null],
    ],
  )
})

test('white space, carriage returns and empty lines do not matter', () => {
  assert.equal(
    read('fio version 2 iolog\r\n\r\n  a\tread  0   512 \r\n \n'),
    read('fio version 2 iolog\na read 0 512'),
  )
})

test('bad lines are refused with their number', () => {
  const bad: [string, string][] = [
    ['v', 'ends before its action'],
    ['v erase 0 1', '"erase" is unknown to version 2'],
    ['v read 0', '"read" has an offset and a length'],
    ['v read 0 1 2', 'no more'],
    ['my file read 0 1', '"file" is unknown'],
    ['v open 0 1', '"open" has nothing after it'],
    ['v read -1 1', 'the offset "-1"'],
    ['v read 1.5 1', 'the offset "1.5"'],
    ['v read 0x10 1', 'the offset "0x10"'],
    ['v read 1e3 1', 'the offset "1e3"'],
    ['v read 9007199254740992 1', 'the offset "9007199254740992"'],
    ['v read 99999999999999999999999 1', 'the offset'],
    ['v read 0 -4096', 'the length "-4096"'],
    ['v read 0 4294967296', 'not below 2^32'],
    ['v read 9007199254740991 1', 'beyond 2^53'],
    ['v wait x 0', 'the offset "x"'],
    [`${'n'.repeat(257)} read 0 1`, 'more than 256 characters'],
    [`v read 0 1${' '.repeat(4096)}`, 'more than 4095 bytes'],
    ['fio version 2 iolog', 'a second log begins here'],
  ]
  for (const [line, message] of bad) {
    const said = refusal(`fio version 2 iolog\nv read 0 1\n${line}\nv read 0 1\n`)
    assert.match(said, 'line 3')
    assert.match(said, message)
  }
  assert.match(refusal('fio version 3 iolog\n-5 v read 0 1\n'), 'line 2: the time stamp "-5"')
  assert.match(refusal('fio version 3 iolog\n9007199254740991 v read 0 1\n'), 'line 2: the time stamp')
  assert.match(
    refusal('fio version 3 iolog\n5 v wait 0 1\n'),
    'line 2: the action "wait" is unknown to version 3',
  )
  assert.match(refusal('fio version 3 iolog\nv read 0 1\n'), 'line 2: the time stamp "v"')
})

test('names and lines of just the length allowed are read', () => {
  const name = 'n'.repeat(256)
  assert.is(read(`fio version 2 iolog\n${name} read 0 1`)[0]?.dev, name)
  assert.is(read(`fio version 2 iolog\n${'v read 0 1'.padEnd(4095)}\r\n`).length, 1)
})

test('a first line that is not the header is refused, version 1 by name', () => {
  assert.match(refusal('0, 4096, 512\n1, 0, 512\n'), 'version 1')
  assert.match(refusal('fio version 4 iolog\n'), 'version 4 of the log is unknown')
  assert.match(refusal('fio version 2 iologs\n'), 'line 1: a log begins with')
  assert.match(refusal(''), 'the file is empty')
  assert.match(refusal('\0'.repeat(10_000)), 'line 1 has more than 4095 bytes')
})

const action = fc.constantFrom('read', 'write', 'trim', 'sync', 'datasync', 'wait', 'open', 'close', 'add')
const anyLine = fc.record({
  stamp: fc.nat(2 ** 31),
  name: fc.stringMatching(/^[!-~é日]{1,256}$/),
  action,
  offset: fc.nat({ max: 2 ** 31 }).map((value) => value * 4096),
  length: fc.nat(2 ** 31),
})

test('what is written is read back, however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(2, 3),
      fc.array(anyLine),
      fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }),
      (version, all, lengths) => {
        const lines = version === 2 ? all : all.filter((line) => line.action !== 'wait')
        const text = lines.map(({ stamp, name, action, offset, length }) => {
          const range = ['open', 'close', 'add'].includes(action) ? '' : ` ${offset} ${length}`
          return `${version === 3 ? `${stamp} ` : ''}${name} ${action}${range}\n`
        })
        const ops = {
          read: 'read',
          write: 'write',
          trim: 'discard',
          sync: 'flush',
          datasync: 'flush',
        } as const
        const events = lines
          .filter((line) => line.action in ops)
          .map(({ stamp, name, action, offset, length }, index): TraceEvent => {
            const op = ops[action as keyof typeof ops]
            const range = op === 'flush' ? { offset: null, length: null } : { offset, length }
            return { index, op, ...range, tNs: version === 3 ? stamp * 1000 : null, dev: name, flags: [] }
          })
        assert.equal(read(`fio version ${version} iolog\n${text.join('')}`, lengths), events)
      },
    ),
    { numRuns: 300 },
  )
})

test('any bytes at all are read or refused', () => {
  const head = new TextEncoder().encode('fio version 3 iolog\n1 v read 0 1\n')
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 9000 }), (tail) => {
      try {
        feed(fioIolog(), new Uint8Array(Buffer.concat([head, tail])), [100])
      } catch (error) {
        if (!(error instanceof BlockboxError) || error.code !== 'TRACE_FORMAT') throw error
      }
    }),
  )
})

test.run()
