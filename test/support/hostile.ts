/** What somebody hostile puts where a name, a text or a number belongs; and that nothing came of it. */

import * as assert from 'uvu/assert'
import { escaped } from '../../tools/output.ts'

/** Texts for names and labels: keys of prototypes, steps upwards, characters that a terminal acts on. */
export const hostileTexts = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__'],
  ...[
    '../../etc/passwd',
    '/etc/passwd',
    '..',
    '.',
    '~root',
    '$(reboot)',
    '`reboot`',
    '; reboot',
    '%n%s',
    '-rf',
  ],
  ...['\u001b[31mred', '\u001b]0;title\u0007', '\u009b31m', 'a\u0000b', '\r\nforged line', '\u202ereversed'],
  ...['', ' ', 'x'.repeat(5000), '\ud800', '\u{1f4a3}'.repeat(100)],
] as const

/** Numbers as text that are none, or that a double does not hold. */
export const hostileNumbers = [
  ...['-0', '-1', 'nan', 'inf', '-inf', '1e400', '1.5', '0x10', '1_000', '+1', ''],
  ...[
    '9007199254740992',
    '9007199254740993',
    '18446744073709551615',
    '18446744073709551616',
    '9'.repeat(400),
  ],
] as const

const before = Reflect.ownKeys(Object.prototype).map(String).sort()

/** Demands that Object.prototype has what it had when the process began, and nothing else. */
export function isUnpolluted(what: string): void {
  assert.equal(Reflect.ownKeys(Object.prototype).map(String).sort(), before, what)
  assert.equal(Object.keys({}), [], what)
  assert.is(({} as Record<string, unknown>).polluted, undefined, what)
}

/** Demands that a text holds nothing that a terminal acts on but line breaks. */
export function isPlain(text: string, what: string): void {
  for (const line of text.split('\n')) assert.is(escaped(line), line, what)
}
