/** Every rule can fire: each canary is found by its rule, its sound twin by none, and no rule is without a canary. */

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../src/check/all.ts'
import { findingsOf } from './canary.ts'
import { fenceCanaries } from './fence-canaries.ts'
import { holdCanaries } from './hold-canaries.ts'
import { mergeCanaries } from './merge-canaries.ts'
import { moverCanaries } from './mover-canaries.ts'
import { orderCanaries } from './order-canaries.ts'
import { pairCanaries } from './pair-canaries.ts'
import { preserveCanaries } from './preserve-canaries.ts'
import { rebindCanaries } from './rebind-canaries.ts'
import { restoreCanaries } from './restore-canaries.ts'
import { scopeCanaries } from './scope-canaries.ts'
import { unprotectedCanaries } from './unprotected-canaries.ts'

const test = suite('canaries')

const canaries = [
  ...orderCanaries,
  ...fenceCanaries,
  ...moverCanaries,
  ...holdCanaries,
  ...scopeCanaries,
  ...preserveCanaries,
  ...mergeCanaries,
  ...rebindCanaries,
  ...pairCanaries,
  ...restoreCanaries,
  ...unprotectedCanaries,
]

for (const { rule, what, past, fault, sound } of canaries) {
  test(`${rule}: ${what}`, () => {
    const { thrown, checks } = findingsOf([...past, ...fault])
    const found = checks.includes(rule) ? rule : thrown
    assert.is(found, rule, `found were ${[thrown, ...checks].join(' ')}`)
    assert.equal(findingsOf([...past, ...sound]), { thrown: undefined, checks: [] })
  })
}

/** Rules that a fold can throw: their names stand in the sources. */
function rulesOfSources(): Set<string> {
  const src = join(rootAbove(fileURLToPath(import.meta.url)), 'src')
  const files = ['layers', 'volume'].flatMap((folder) =>
    readdirSync(join(src, folder)).map((name) => join(src, folder, name)),
  )
  const text = [join(src, 'volume.ts'), ...files].map((file) => readFileSync(file, 'utf8')).join('\n')
  return new Set([...text.matchAll(/'((?:G|S\d|X)-I\d+)'/g)].map(([, rule]) => rule!))
}

function rootAbove(path: string): string {
  const folder = dirname(path)
  return readdirSync(folder).includes('package.json') ? folder : rootAbove(folder)
}

test('every rule of the layers and of every check has a canary', () => {
  const fold = rulesOfSources()
  assert.ok(fold.size > 20, `${fold.size} rules found in the sources`)
  const checked = checks.flatMap((make) => make(() => undefined).rules)
  const named = new Set(canaries.map(({ rule }) => rule))
  const without = [...fold, ...checked].filter((rule) => !named.has(rule))
  assert.equal(without, [])
})

test('every invariant of the semantics that this version can express has a canary', () => {
  const range = (system: string, from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, k) => `${system}-I${from + k}`)
  const expected = [
    ...['G-I1', 'G-I2', 'G-I5', 'G-I7', 'G-I9', 'S3-I17'],
    ...range('S0', 1, 10),
    'X-I4',
    ...range('S1', 1, 12),
    ...range('S2', 1, 9),
    ...['X-I2', 'X-I3', 'X-I7', 'X-I8'],
    ...range('S3', 1, 12),
    ...range('S4', 1, 5),
  ]
  const named = new Set(canaries.map(({ rule }) => rule))
  assert.equal(
    expected.filter((rule) => !named.has(rule)),
    [],
  )
})

test.run()
