/** Every rule can fire: each canary is found by its rule, its sound twin by none, and no rule is without a canary. */

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../src/check/all.ts'
import { canaries } from './all-canaries.ts'
import { findingsOf } from './canary.ts'
import { mediaCanaries } from './media-canaries.ts'

const test = suite('canaries')

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
  return new Set([...text.matchAll(/'((?:G|S\d|X|B|T)-I\d+)'/g)].map(([, rule]) => rule!))
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

/** The rows that are to be proved, and the mutants of the layers, as `npm run canaries` reads them. */
const canaryFile = (name: string): unknown =>
  JSON.parse(readFileSync(join(rootAbove(fileURLToPath(import.meta.url)), 'test', 'canaries', name), 'utf8'))
const manifest = canaryFile('manifest.json') as { row: string; by?: string[] }[]
const mutants = canaryFile('mutants.json') as { rows: string[]; name: string }[]
const planted = [...canaries, ...mediaCanaries].map(({ rule, what }) => ({ rule, name: `${rule}: ${what}` }))

test('the manifest has every invariant of the semantics, every rule of the sources, and nothing twice', () => {
  const range = (system: string, to: number) => Array.from({ length: to }, (_, k) => `${system}-I${k + 1}`)
  const systems = { G: 10, S0: 10, S1: 12, S2: 9, S3: 17, S4: 5, X: 8, B: 3 }
  const expected = new Set(Object.entries(systems).flatMap(([system, to]) => range(system, to)))
  for (const rule of rulesOfSources()) expected.add(rule)
  for (const { rule } of planted) expected.add(rule)
  const rows = manifest.map(({ row }) => row)
  assert.equal(
    [...expected].filter((rule) => !rows.includes(rule)),
    [],
  )
  assert.is(new Set(rows).size, rows.length)
})

test('every row of the manifest has a canary, and every canary it names exists, once', () => {
  const names = planted.map(({ name }) => name)
  assert.equal(
    names.filter((name, k) => names.indexOf(name) !== k),
    [],
  )
  for (const { row, by = [] } of manifest) {
    for (const name of by) assert.ok(names.includes(name), `${row} names ${name}`)
    const has = by.length > 0 || planted.some(({ rule }) => rule === row)
    assert.ok(has || mutants.some(({ rows }) => rows.includes(row)), `${row} has no canary`)
  }
  const rows = new Set(manifest.map(({ row }) => row))
  for (const mutant of mutants)
    for (const row of mutant.rows) assert.ok(rows.has(row), `${mutant.name}: ${row}`)
})

test.run()
