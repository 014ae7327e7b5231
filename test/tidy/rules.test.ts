/** Each rule of the house is shown an offender and must find it, and something like it that is right and must pass. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cycles, unitOf, wrongDirections } from './direction.ts'
import * as rules from './rules.ts'
import { codeOf, sourceOf } from './source.ts'

const test = suite('tidy rules')

/** What opens an expression inside a template. */
const OPEN = '$' + '{'
const HEADER = '/** A planted file with a header that says so. */\n'
const finds = (rule: rules.Rule, path: string, text: string) =>
  assert.is(rule(sourceOf(path, text)).length, 1, `should be found in ${path}: ${text}`)
const passes = (rule: rules.Rule, path: string, text: string) =>
  assert.equal(rule(sourceOf(path, text)), [], `should pass in ${path}: ${text}`)

test('code is what is left of comments, strings and patterns', () => {
  const cases: [string, string][] = [
    ["a // 'b'\nc", 'a       \nc'],
    ['a /* ` */ b', 'a         b'],
    ["x('it\\'s', 1)", "x('     ', 1)"],
    [`\`a ${OPEN}b + \`c ${OPEN}d} e\`} f\` + g`, `\`  ${OPEN}b + \`  ${OPEN}d}  \`}  \` + g`],
    [`\`${OPEN}{ a: 1 }.a} b\` + c`, `\`${OPEN}{ a: 1 }.a}  \` + c`],
    ['s.replace(/[\'"/`]/g, x)', 's.replace(         , x)'],
    ['(a) / b / c', '(a) / b / c'],
    ["return /'/.test(a)", 'return    .test(a)'],
  ]
  for (const [text, code] of cases) assert.is(codeOf(text), code)
})

test('imports of every form are seen', () => {
  const text = `import type { A } from './a.ts'
import { type B, type C } from './b.ts'
import {
  type D,
  e,
} from '../up.ts'
import * as fs from 'node:fs'
import 'side'
export { f } from './f.ts'
export * from './g.ts'
const h = await import('./h.ts') // import i from './i.ts'
const j = "import k from 'k'"
`
  const seen = sourceOf('src/core/x.ts', text).imports.map(
    ({ target, typeOnly, reexport }) => `${target}${typeOnly ? ' type' : ''}${reexport ? ' again' : ''}`,
  )
  assert.equal(seen, [
    'src/core/a.ts type',
    'src/core/b.ts type',
    'src/up.ts',
    'node:fs',
    'src/core/f.ts again',
    'src/core/g.ts again',
    'side',
    'src/core/h.ts',
  ])
})

test('direction', () => {
  finds(wrongDirections, 'src/core/a.ts', `import { b } from '../events/b.ts'`)
  finds(wrongDirections, 'src/core/a.ts', `import type { b } from '../volume.ts'`)
  finds(wrongDirections, 'src/volume.ts', `import { b } from './journal/b.ts'`)
  finds(wrongDirections, 'src/journal/a.ts', `import { b } from '../engine/b.ts'`)
  finds(wrongDirections, 'src/replay/a.ts', `import { b } from '../engine/b.ts'`)
  finds(wrongDirections, 'src/nbd/protocol.ts', `import { b } from './client.ts'`)
  finds(wrongDirections, 'src/images/a.ts', `import { b } from '../nbd/server.ts'`)
  finds(wrongDirections, 'src/core/a.ts', `import { b } from '../index.ts'`)
  finds(wrongDirections, 'src/engine/a.ts', `import { b } from '../../tools/b.ts'`)
  finds(wrongDirections, 'src/engine/a.ts', `import { b } from '../../test/b.ts'`)
  finds(wrongDirections, 'tools/a.ts', `import { b } from '../test/b.ts'`)
  finds(wrongDirections, 'src/novelty/a.ts', '')
  finds(wrongDirections, 'src/core/a.ts', `import { b } from './b.js'`)
  passes(
    wrongDirections,
    'src/volume.ts',
    `import { b } from './layers/b.ts'\nimport { c } from './core/c.ts'`,
  )
  passes(wrongDirections, 'src/images/a.ts', `import { b } from '../nbd/client.ts'`)
  passes(
    wrongDirections,
    'src/sim/a.ts',
    `import { b } from '../check/b.ts'\nimport { c } from '../journal/c.ts'`,
  )
  passes(
    wrongDirections,
    'src/index.ts',
    `export { b } from './control/b.ts'\nexport { c } from './trace/c.ts'`,
  )
  passes(wrongDirections, 'test/core/a.test.ts', `import { b } from '../../tools/b.ts'`)
  assert.is(unitOf('src/volume/shape.ts'), unitOf('src/volume.ts'))
})

test('cycles', () => {
  const importing = (path: string, ...targets: string[]) =>
    sourceOf(path, targets.map((target) => `import type { x } from '${target}'\n`).join(''))
  const files = [importing('src/core/a.ts', './b.ts'), importing('src/core/b.ts', './c.ts')]
  assert.equal(cycles(files), [])
  assert.equal(cycles([...files, importing('src/core/c.ts', './a.ts')]), [
    'src/core/a.ts -> src/core/b.ts -> src/core/c.ts -> src/core/a.ts',
  ])
  const units = [importing('src/core/a.ts', '../events/b.ts'), importing('src/events/c.ts', '../core/d.ts')]
  assert.equal(cycles(units), ['core -> events -> core'])
})

test('purity', () => {
  const offenders = [
    'Date.now()',
    'const a = new Date()',
    'performance.now()',
    'Math.random()',
    'crypto.randomUUID()',
    'setTimeout(f, 1)',
    'process.env',
    'const { env } = process',
    'globalThis.x',
    'let a: Promise<void>',
    'async () => 1',
    'for (const a of b) await a',
    'let a: AsyncIterable<number>',
    'console.log(1)',
    `import 'node:fs'`,
    `import { x } from 'fs'`,
    `import { x } from 'rxjs/operators'`,
    `import { x } from 'memory-level'`,
    `const a = \`${OPEN}Date.now()}\``,
  ]
  const places = ['core', 'events', 'layers', 'volume', 'check', 'inspect', 'trace', 'nbd/protocol']
  for (const text of offenders) for (const place of places) finds(rules.purity, `src/${place}/a.ts`, text)
  finds(rules.purity, 'src/volume.ts', 'Date.now()')
  finds(rules.purity, 'src/nbd/protocol.ts', 'Date.now()')
  finds(rules.purity, 'src/trace/csv.ts', `import { x } from './source.ts'`)
  passes(rules.purity, 'src/trace/csv.ts', `import type { x } from './source.ts'`)
  for (const path of ['src/core/digest.ts', 'src/trace/source.ts', 'src/engine/a.ts', 'src/nbd/server.ts']) {
    passes(rules.purity, path, `import 'node:crypto'\nDate.now()`)
  }
  passes(
    rules.purity,
    'src/core/a.ts',
    `// A process may await a Promise.\nconst a = 'Date.now()'\nnew Date(b).toISOString()\nc.process(d)`,
  )
})

test('LevelDB', () => {
  for (const name of ['level', 'memory-level', 'classic-level', 'abstract-level', 'level/x']) {
    finds(rules.levelDb, 'src/engine/a.ts', `import type { x } from '${name}'`)
    passes(rules.levelDb, 'src/journal/a.ts', `import { x } from '${name}'`)
    passes(rules.levelDb, 'src/payload/a.ts', `import { x } from '${name}'`)
    passes(rules.levelDb, 'test/engine/a.test.ts', `import { x } from '${name}'`)
  }
  passes(rules.levelDb, 'src/engine/a.ts', `import { x } from 'level-headed'`)
})

test('no code from text', () => {
  for (const text of ['eval(x)', 'new Function(x)', 'const f = Function(x)', `import vm from 'node:vm'`]) {
    finds(rules.noCodeFromText, 'src/engine/a.ts', text)
    finds(rules.noCodeFromText, 'tools/a.ts', text)
    passes(rules.noCodeFromText, 'test/a.test.ts', text)
  }
  const starts = `import { spawn } from 'node:child_process'`
  finds(rules.noCodeFromText, 'src/engine/a.ts', starts)
  passes(rules.noCodeFromText, 'tools/a.ts', starts)
  passes(
    rules.noCodeFromText,
    'src/engine/a.ts',
    'const evaluated = this.#eval(x) + isFunction(x) // eval(x)',
  )
})

test('programs', () => {
  for (const text of ['process.argv[2]', 'process.exit(1)', 'process.exitCode = 1']) {
    finds(rules.programs, 'src/engine/a.ts', text)
    finds(rules.programs, 'test/a.test.ts', text)
    passes(rules.programs, 'tools/a.ts', text)
  }
})

test('shape', () => {
  finds(rules.shape, 'src/core/a.ts', 'export const a = 1\n')
  finds(rules.shape, 'src/core/a.ts', '// A line comment is no header of the file.\n')
  finds(rules.shape, 'src/core/a.ts', '/** Short. */\n')
  finds(rules.shape, 'src/core/a.ts', HEADER + 'a\n'.repeat(300))
  passes(rules.shape, 'src/core/a.ts', HEADER + 'a\n'.repeat(299))
  passes(rules.shape, 'tools/a.ts', `#!/usr/bin/env node\n${HEADER}`)
})

test('naming', () => {
  for (const name of ['utils.ts', 'hash-helper.ts', 'types.ts', 'journal-manager.ts', 'Frame.ts', 'a_b.ts']) {
    finds(rules.naming, `src/core/${name}`, '')
  }
  finds(rules.naming, 'src/core/index.ts', '')
  for (const path of ['src/index.ts', 'src/core/block-map.ts', 'test/core/archetypes.test.ts']) {
    passes(rules.naming, path, '')
  }
})

test('barrels', () => {
  finds(rules.barrels, 'src/core/a.ts', `export * from './b.ts'`)
  finds(rules.barrels, 'src/core/a.ts', `export type * from './b.ts'`)
  passes(rules.barrels, 'src/index.ts', `export * from './b.ts'`)
})

test('suites', () => {
  const whole = `const test = suite('x')\ntest('a', f)\ntest.run()\n`
  passes(rules.suites, 'test/a.test.ts', whole)
  passes(rules.suites, 'test/a.test.ts', `for (const x of y) {\n  ${whole}}\n`)
  passes(rules.suites, 'test/contract.ts', `test('a', f)\n`)
  finds(rules.suites, 'test/a.test.ts', `test('a', f)\n`)
  finds(rules.suites, 'test/a.test.ts', `${whole}test('b', f)\n`)
  finds(rules.suites, 'test/a.test.ts', `const forgotten = suite('y')\n${whole}`)
  finds(rules.suites, 'test/a.test.ts', `test.only('a', f)\ntest.run()\n`)
  finds(rules.suites, 'test/contract.ts', `test.skip('a', f)\n`)
  finds(rules.suites, 'src/core/a.test.ts', whole)
})

test('declarations', () => {
  finds(rules.declarations, 'test/a.test.ts', `${HEADER}// needs: program x\nimport 'y'\n`)
  passes(rules.declarations, 'test/a.test.ts', `${HEADER}// needs: program x\n// limit: 9 s\n\nimport 'y'\n`)
})

test('banned text', () => {
  const machine = ['', 'work', 'main'].join('/')
  const offenders = [
    `// ${'TO'}${'DO'} later`,
    `${'FIX'}${'ME'}: x`,
    `${'XX'}${'X'}`,
    `see ${machine}`,
    `see "${['', 'root', 'x'].join('/')}"`,
    `https://${['registry', 'example', 'org'].join('.')}/x`,
    `${'verdac'}${'cio'} at 4873`,
    `"${'resolved'}": "https://host/x.tgz"`,
  ]
  for (const text of offenders) assert.is(rules.bannedText('README.md', text).length, 1, text)
  assert.equal(rules.bannedText('README.md', 'framework/x, a/work/b, the root/ of it, todo lists'), [])
  assert.equal(rules.bannedText('package-lock.json', `sha512-${'XX'}${'X'}/`), [])
  assert.is(rules.bannedText('package-lock.json', offenders.at(-1)!).length, 1)
})

test('top level', () => {
  assert.equal(rules.strangers(['src/a.ts', '.ci/run', 'README.md', 'package.json', 'traces/x']), [])
  assert.equal(rules.strangers(['docs/a.md', 'notes.txt', 'dist/x', 'src/docs/a.md']), [
    'dist',
    'docs',
    'notes.txt',
  ])
})

test.run()
