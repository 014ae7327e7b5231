/** Tables and escaped text, and the exit code of every error. */

import { CommanderError } from 'commander'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Violation } from '../../src/core/assert.ts'
import { BlockboxError, type ErrorCode } from '../../src/core/errors.ts'
import { exitCodeOf } from '../../tools/exit-code.ts'
import { escaped, table } from '../../tools/output.ts'

const test = suite('output')

test('a table aligns its columns and ends no line with spaces', () => {
  const rows = [
    ['name', 'size', ''],
    ['a', '4096', 'x'],
    ['longer', '1', ''],
  ]
  assert.is(table(rows, [1]), 'name    size\na       4096  x\nlonger     1')
  assert.is(table(rows), 'name    size\na       4096  x\nlonger  1')
  assert.is(table([]), '')
})

test('what a terminal would obey is spelled out', () => {
  assert.is(escaped('a\nb\r\tc'), 'a\\nb\\r\\tc')
  assert.is(escaped('\x1b[2J\x00\x7f\x9b'), '\\x1b[2J\\x00\\x7f\\x9b')
  assert.is(escaped('\u202egpj.exe\u2028'), '\\u{202e}gpj.exe\\u{2028}')
  assert.is(escaped('naïve 日本 🙂'), 'naïve 日本 🙂')
})

test('property: escaped text has no control character and is stable', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const safe = escaped(text)
      assert.not(/[\p{Cc}\p{Zl}\p{Zp}]/u.test(safe))
      assert.is(escaped(safe), safe)
    }),
  )
})

test('exit codes tell apart what a script must', () => {
  const codes: [ErrorCode, number][] = [
    ['USAGE', 2],
    ['JOURNAL_MISSING', 10],
    ['JOURNAL_LOCKED', 11],
    ['JOURNAL_CORRUPT', 12],
    ['JOURNAL_GAP', 12],
    ['JOURNAL_LOST_TAIL', 12],
    ['PAYLOAD_CORRUPT', 12],
    ['TRACE_FORMAT', 1],
    ['NO_SUCH_VOLUME', 1],
  ]
  for (const [code, expected] of codes) assert.is(exitCodeOf(new BlockboxError(code, '')), expected, code)
  assert.is(exitCodeOf(new Violation('S1-I4', '')), 12)
  assert.is(exitCodeOf(new CommanderError(0, 'commander.version', '')), 0)
  assert.is(exitCodeOf(new CommanderError(1, 'commander.unknownOption', '')), 2)
  assert.is(exitCodeOf(new TypeError('bug')), 1)
  assert.is(exitCodeOf('thrown'), 1)
})

test.run()
