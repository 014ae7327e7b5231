/** Details: what a kind asks for must be there, of its kind, and nothing else. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { detailFault, detailFields, isName } from '../../src/events/detail.ts'
import { type Kind, kinds } from '../../src/events/kind.ts'

const test = suite('details')

const good = { name: 'b', volumes: [1, 2], deadlineMs: 5, maxEntries: 0, maxBytes: 2 ** 53 - 1 }
const set = { ...good, atUs: 1 }

test('a detail that fits has no fault', () => {
  assert.is(detailFault('backup.start', good), undefined)
  assert.is(detailFault('backup.flag_set', set), undefined)
  assert.is(detailFault('io.write', {}), undefined)
  assert.is(detailFault('restore.start', { pair: '', protected: false }), undefined)
  assert.is(detailFault('backup.start', Object.assign(Object.create(null), good)), undefined)
})

test('a field more or less is a fault', () => {
  assert.match(detailFault('backup.start', { ...good, extra: 1 }) ?? '', 'no field "extra"')
  assert.match(detailFault('io.write', { note: 'x' }) ?? '', 'no field "note"')
  for (const field of Object.keys(good)) {
    const { [field as keyof typeof good]: _, ...rest } = good
    assert.match(detailFault('backup.start', rest) ?? '', `lacks the field ${field}`)
  }
})

test('fields are a record of their own', () => {
  const inherited = Object.create(good)
  assert.ok(detailFault('backup.start', inherited) !== undefined, 'inherited fields do not count')
  const poisoned = JSON.parse('{"name":"b","__proto__":{"volumes":[1]}}')
  assert.match(detailFault('backup.stop', poisoned) ?? '', '"__proto__"')
  assert.match(detailFault('backup.stop', { constructor: 1, name: 'b' }) ?? '', '"constructor"')
  assert.ok(detailFault('mark', { toString: 'x' }) !== undefined)
  for (const value of [null, undefined, 'x', 5, [], [good], new Map(), new Date(0)]) {
    assert.ok(detailFault('backup.start', value) !== undefined, String(value))
  }
})

test('counts are whole numbers from 0 to 2^53 - 1', () => {
  const wrong = [
    -1,
    -0,
    0.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 53,
    '5',
    5n,
    true,
    null,
    undefined,
    [5],
  ]
  for (const value of wrong) {
    assert.ok(detailFault('backup.start', { ...good, deadlineMs: value }) !== undefined, String(value))
    assert.ok(
      detailFault('backup.start', { ...good, volumes: [1, value] }) !== undefined,
      `[${String(value)}]`,
    )
  }
})

test('texts and lists are bounded', () => {
  const label = (length: number) => ({ label: 'x'.repeat(length) })
  assert.is(detailFault('mark', label(4096)), undefined)
  assert.ok(detailFault('mark', label(4097)) !== undefined)
  const volumes = (count: number) => ({ ...good, volumes: new Array(count).fill(1) })
  assert.is(detailFault('backup.start', volumes(4096)), undefined)
  assert.ok(detailFault('backup.start', volumes(4097)) !== undefined)
  assert.ok(detailFault('backup.start', { ...good, volumes: new Array(3) }) !== undefined, 'holes')
  assert.ok(detailFault('backup.start', { ...good, volumes: { length: 1, 0: 1 } }) !== undefined)
})

test('what is asked may have any name, what happened has a good one', () => {
  assert.is(detailFault('backup.start', { ...good, name: 'a b' }), undefined)
  assert.ok(detailFault('backup.flag_set', { ...set, name: 'a b' }) !== undefined)
  assert.ok(detailFault('backup.flag_set', { ...set, name: '' }) !== undefined)
})

test('a field with a question mark may be left out, and is of its form when it is there', () => {
  assert.is(detailFault('pair.sync', { name: 'p' }), undefined)
  assert.is(detailFault('pair.sync', { name: 'p', rate: 5 }), undefined)
  assert.match(detailFault('pair.sync', { name: 'p', rate: '5' }) ?? '', 'no count')
})

test('names', () => {
  for (const name of ['a', 'A9', 'db-1.log_2', '0', 'x'.repeat(64)]) assert.ok(isName(name), name)
  for (const name of ['', '.', '-x', '_x', 'a b', 'a/b', 'a\n', 'é', 'x'.repeat(65), 'a\u0000']) {
    assert.not(isName(name), JSON.stringify(name))
  }
})

test('flags are true or false', () => {
  for (const value of [1, 0, 'true', null]) {
    assert.ok(detailFault('restore.start', { pair: 'p', protected: value }) !== undefined)
  }
})

test('whatever comes, the answer is a text or nothing', () => {
  const kind = fc.constantFrom(...(Object.keys(kinds) as Kind[]))
  fc.assert(
    fc.property(kind, fc.anything(), (kind, value) => {
      const fault = detailFault(kind, value)
      if (fault === undefined) {
        const fields = Object.entries(detailFields[kind] ?? {})
        for (const name of Object.keys(value as object)) assert.ok(fields.some(([known]) => known === name))
        for (const [name, form] of fields)
          assert.ok(form.endsWith('?') || Object.hasOwn(value as object, name))
      } else assert.type(fault, 'string')
    }),
    { numRuns: 2000 },
  )
})

test.run()
