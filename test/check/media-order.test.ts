/** Histories of media: every right order is sound, every wrong one is a breach of exactly one named rule. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { mediaOrder } from '../../src/check/media-order.ts'
import { mediaCanaries } from '../canaries/media-canaries.ts'
import { soundMedia } from '../canaries/media-restore-canaries.ts'

const test = suite('media order')

for (const [name, events] of Object.entries(soundMedia)) {
  test(`${name} is sound`, () => assert.equal(mediaOrder(events), []))
}
for (const { rule, also, what, findings, sound } of mediaCanaries) {
  test(`${rule}: ${what}`, () => {
    const rules = [also, rule].filter((one) => one !== undefined)
    assert.equal([...new Set(findings().map((finding) => finding.rule))], rules)
    assert.equal(sound(), [])
  })
}

test('every rule of the order on media has its planted fault', () => {
  const rules = new Set(mediaCanaries.map(({ rule }) => rule))
  const expected = [
    'S0-I1',
    'S0-I2',
    'S0-I3',
    'S2-I6',
    'S2-I8',
    'S3-I13',
    'S3-I14',
    'S3-I15',
    'S3-I16',
    'G-I3',
  ]
  for (const rule of expected) assert.ok(rules.has(rule), rule)
})

test.run()
