/** The judgement of one test file's output, on texts alone. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closingLine, judge, succeeded } from '../../../tools/test/verdict.ts'

const test = suite('test runner: verdict')

const closing = (total: number, passed: number, skipped: number) =>
  ` planted  • •   (${passed} / ${total})\n\n  Total:     ${total}\n  Passed:    ${passed}\n  Skipped:   ${skipped}\n  Duration:  17.21ms\n\n`
const ended = (stdout: string, rest = {}) => judge({ code: 0, signal: null, stdout, ...rest })

test('exit 0 and full totals are believed', () => {
  assert.equal(ended(closing(3, 3, 0)), { passed: 3, failed: 0, reason: undefined, unproved: [] })
})

test('what a test says it cannot prove is not counted as passed', () => {
  const stdout = `not proved here: no disk\n${closing(3, 3, 0)}`
  assert.equal(ended(stdout), { passed: 2, failed: 0, reason: undefined, unproved: ['no disk'] })
})

test('each doubt is named', () => {
  const reasons: [ReturnType<typeof judge>, RegExp][] = [
    [ended(closing(3, 3, 0), { code: 1 }), /exit code 1/],
    [ended(closing(3, 3, 0), { code: null, signal: 'SIGSEGV' }), /killed by SIGSEGV/],
    [ended(closing(3, 3, 0), { expiredMs: 5000 }), /limit of 5 s/],
    [ended(closing(3, 3, 0), { lingering: true }), /outlived/],
    [ended(closing(3, 3, 1)), /skipped/],
    [ended(closing(3, 2, 0)), /2 of 3/],
    [ended(closing(0, 0, 0)), /no test ran/],
    [ended(closing(1, 1, 0) + closing(1, 1, 0)), /more than once/],
    [ended(`${closing(3, 3, 0)}and then some`), /without the totals/],
    [ended(''), /without the totals/],
  ]
  for (const [verdict, reason] of reasons) {
    assert.match(verdict.reason ?? 'believed', reason)
    assert.ok(verdict.failed >= 1, `${reason} counts as failed`)
  }
})

test('passed tests of a failed file still count, and so does each failed one', () => {
  const verdict = { passed: 2, failed: 3, reason: '2 of 5 tests passed', unproved: [] }
  assert.equal(ended(closing(5, 2, 0), { code: 1 }), verdict)
})

test('the closing line names what was skipped only when there are some', () => {
  assert.is(closingLine({ passed: 7, failed: 0, skipped: 0 }), '7 passed, 0 failed')
  assert.is(closingLine({ passed: 7, failed: 1, skipped: 2 }), '7 passed, 1 failed, 2 skipped')
})

test('a run in which nothing passed is no success', () => {
  assert.ok(succeeded({ passed: 1, failed: 0, skipped: 3 }))
  assert.not(succeeded({ passed: 0, failed: 0, skipped: 3 }))
  assert.not(succeeded({ passed: 1, failed: 1, skipped: 0 }))
})

test.run()
