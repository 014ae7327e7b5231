/** Histories of clients: order of submission, what a line may say, lines that are none. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { history } from '../../src/trace/history.ts'
import { eventLine } from '../../src/trace/line.ts'
import { feed } from './feed.ts'

const test = suite('history')

const header = '{"host": "hostA", "epoch_ns": 1795242304654892100, "size": 16777216}\n'
const read = (text: string) => feed(history(), new TextEncoder().encode(text))

function refusal(text: string): string {
  try {
    read(text)
  } catch (error) {
    assert.instance(error, BlockboxError)
    assert.is((error as BlockboxError).code, 'TRACE_FORMAT')
    return (error as BlockboxError).message
  }
  return assert.unreachable('the history was taken') as never
}

const line = (fields: object) =>
  `${JSON.stringify({ op: 'read', offset: 0, length: 512, t_submit_ns: 5, flags: [], ...fields })}\n`

test('requests come in the order of their submission; trim is discard', () => {
  const text =
    header +
    line({ op: 'trim', t_submit_ns: 30, offset: 4096, t_complete_ns: 40 }) +
    line({ op: 'write', t_submit_ns: 10, flags: ['FUA'], t_complete_ns: 50, sha256: 'ab' }) +
    line({ op: 'flush', t_submit_ns: 30, offset: null, length: null }) +
    line({ op: 'zero', t_submit_ns: 30, t_complete_ns: null })
  assert.equal(read(text).map(eventLine), [
    '{"i":0,"t_ns":10,"op":"write","offset":0,"length":512,"dev":null,"flags":["FUA"],"t_complete_ns":50}',
    '{"i":1,"t_ns":30,"op":"discard","offset":4096,"length":512,"dev":null,"flags":[],"t_complete_ns":40}',
    '{"i":2,"t_ns":30,"op":"flush","offset":null,"length":null,"dev":null,"flags":[],"t_complete_ns":null}',
    '{"i":3,"t_ns":30,"op":"zero","offset":0,"length":512,"dev":null,"flags":[],"t_complete_ns":null}',
  ])
})

test('lines that make no sense are refused with their number', () => {
  const bad: [string, string][] = [
    ['{"op":', 'no JSON object'],
    ['[1]', 'no JSON object'],
    ['null', 'no JSON object'],
    [line({ op: 'erase' }), 'the operation "erase"'],
    [line({ offset: 9007199254740992 }), '"offset" is no whole number'],
    [line({ offset: '4096' }), '"offset"'],
    [line({ length: -1 }), '"length"'],
    [line({ length: 9007199254740991, offset: 1 }), 'ends beyond 2^53'],
    [line({ t_submit_ns: 1.5 }), '"t_submit_ns"'],
    [line({ t_complete_ns: 'soon' }), '"t_complete_ns"'],
    [line({ flags: ['BLUE'] }), '"flags"'],
    [line({ flags: 'FUA' }), '"flags"'],
  ]
  for (const [text, message] of bad) {
    const said = refusal(`${header}${line({})}${text.trimEnd()}\n`)
    assert.match(said, 'line 3')
    assert.match(said, message)
  }
  assert.match(refusal(line({})), 'line 1: a history begins with a header')
  assert.match(refusal(''), 'the file is empty')
})

test.run()
