/** Every rule of views can fire: each canary is found by its rule, its sound twin by none. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { findingsOf } from './canary.ts'
import { mergeCanaries } from './merge-canaries.ts'
import { preserveCanaries } from './preserve-canaries.ts'
import { rebindCanaries } from './rebind-canaries.ts'

const test = suite('canaries of views')

const canaries = [...preserveCanaries, ...mergeCanaries, ...rebindCanaries]

for (const { rule, what, past, fault, sound } of canaries) {
  test(`${rule}: ${what}`, () => {
    const { thrown, checks } = findingsOf([...past, ...fault])
    const found = checks.includes(rule) ? rule : thrown
    assert.is(found, rule, `found were ${[thrown, ...checks].join(' ')}`)
    assert.equal(findingsOf([...past, ...sound]), { thrown: undefined, checks: [] })
  })
}

test('every invariant of views has a canary', () => {
  const named = new Set(canaries.map(({ rule }) => rule))
  const rules = Array.from({ length: 9 }, (_, k) => `S2-I${k + 1}`)
  for (const rule of [...rules, 'X-I2', 'X-I8']) assert.ok(named.has(rule), rule)
})

test.run()
