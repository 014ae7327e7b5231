/**
 * The rules of the house, one function each: a source in, findings out. Nothing here reads a file, so that each rule
 * can be shown a planted offender (rules.test.ts) before the real house is checked (../tidy.test.ts).
 */

import { builtinModules } from 'node:module'
import type { Source } from './source.ts'

/** A rule for one TypeScript file. */
export type Rule = (source: Source) => string[]

/** The one file of the pure part that may reach for node:crypto. */
const DIGEST = 'src/core/digest.ts'
/** The one file of src/trace that opens files and streams. */
const TRACE_SOURCE = 'src/trace/source.ts'
const PURE =
  /^src\/(?:(?:core|events|layers|volume|check|inspect|trace|layout)\/|volume\.ts$|nbd\/protocol\b)/

/** True for files that must not know time, chance, the process or the outside. */
export function isPure(path: string): boolean {
  return PURE.test(path) && path !== DIGEST && path !== TRACE_SOURCE
}

const IMPURE: readonly [string, RegExp][] = [
  ['a clock', /\bDate\s*\.\s*now\b|\bnew\s+Date\s*(?:\(\s*\)|(?!\s*\())|\bperformance\s*\./],
  ['chance', /\bMath\s*\.\s*random\b|\bcrypto\s*\./],
  ['a timer', /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/],
  ['the process', /(?<![.\w$])process\b(?!\s*[:(])|\bglobalThis\b/],
  ['promises', /\bPromise\b|(?<![.\w$])async\b(?!\s*[:,}])|\bawait\b|\bAsync(?:Iter|Gener)\w+/],
  ['the console', /\bconsole\s*\./],
]

const LEVEL = /^(?:abstract-|browser-|classic-|many-|memory-)?level(?:\/|$)/
const BUILTINS = new Set(builtinModules)

/** Pure files reach for nothing outside their arguments. */
export function purity({ path, code, imports }: Source): string[] {
  if (!isPure(path)) return []
  const words = IMPURE.filter(([, pattern]) => pattern.test(code)).map(([what]) => what)
  const outside = imports
    .filter(({ target, typeOnly }) => isOutside(target) || (target === TRACE_SOURCE && !typeOnly))
    .map(({ target }) => target)
  return [...words, ...outside].map((what) => `${path}: is pure but uses ${what}`)
}

const isOutside = (target: string) =>
  target.startsWith('node:') || BUILTINS.has(target) || LEVEL.test(target) || /^rxjs(?:\/|$)/.test(target)

/** A store under test is one itself. */
const FAULTY = 'src/sim/faulty-level.ts'

/** Only journal and payload know LevelDB. */
export const levelDb: Rule = ({ path, imports }) =>
  imports
    .filter(({ target }) => LEVEL.test(target))
    .filter(() => path.startsWith('src/') && path !== FAULTY && !/^src\/(?:journal|payload)\//.test(path))
    .map(({ target }) => `${path}: ${target} is for src/journal and src/payload`)

/** Only programs know their arguments and their exit code. */
export const programs: Rule = ({ path, code }) =>
  !path.startsWith('tools/') && /\bprocess\s*\.\s*(?:argv|exit|exitCode)\b/.test(code)
    ? [`${path}: arguments and exit codes are for tools`]
    : []

const CODE_FROM_TEXT = /(?<![.\w$#])eval\s*\(|\bnew\s+Function\b|(?<![.\w$#])Function\s*\(/
const VM = /^(?:node:)?vm$/
const CHILD = /^(?:node:)?child_process$/

/** No text becomes code; and only programs start others, never src. */
export const noCodeFromText: Rule = ({ path, code, imports }) => {
  if (!/^(?:src|tools)\//.test(path)) return []
  const findings: string[] = []
  if (CODE_FROM_TEXT.test(code)) findings.push(`${path}: makes code of text`)
  for (const { target } of imports) {
    if (VM.test(target)) findings.push(`${path}: runs code with ${target}`)
    if (CHILD.test(target) && path.startsWith('src/')) findings.push(`${path}: starts other programs`)
  }
  return findings
}

const LINES_MAX = 300

/** A file fits in a head, and says first what it is. */
export const shape: Rule = ({ path, text }) => {
  const findings: string[] = []
  const lines = text.trimEnd().split('\n').length
  if (lines > LINES_MAX) findings.push(`${path}: ${lines} lines are more than ${LINES_MAX}`)
  const header = /^(?:#!.*\n)?\/\*\*([\s\S]*?)\*\//.exec(text)
  if ((header?.[1] ?? '').replace(/[*\s]/g, '').length < 20) {
    findings.push(`${path}: does not open with a comment that says what it is`)
  }
  return findings
}

const NOT_A_NOUN = /(?:^|[-.])(?:utils?|helpers?|types?|managers?|common|misc)(?=[-.])/

/** Files are named after one noun of the domain. */
export const naming: Rule = ({ path }) => {
  const name = path.split('/').at(-1)!
  const findings: string[] = []
  if (!/^[a-z0-9]+(?:[-.][a-z0-9]+)*\.ts$/.test(name)) findings.push(`${path}: not in kebab-case`)
  if (NOT_A_NOUN.test(name)) findings.push(`${path}: named after no noun of the domain`)
  if (name === 'index.ts' && path !== 'src/index.ts') findings.push(`${path}: only src has an index`)
  return findings
}

/** The public API is the only file that passes everything on. */
export const barrels: Rule = ({ path, code }) =>
  path !== 'src/index.ts' && /^export\s+(?:type\s+)?\*/m.test(code)
    ? [`${path}: export * is for src/index.ts`]
    : []

/** Every suite is run, in the file's last statement, whole. */
export const suites: Rule = ({ path, code }) => {
  const findings: string[] = []
  if (path.startsWith('test/') && /\.\s*(?:only|skip)\s*\(/.test(code)) {
    findings.push(`${path}: leaves tests out with only() or skip()`)
  }
  if (!path.endsWith('.test.ts')) return findings
  if (!path.startsWith('test/')) findings.push(`${path}: tests belong below test`)
  const count = (pattern: RegExp) => [...code.matchAll(pattern)].length
  if (!/\.run\(\)[\s})]*$/.test(code)) findings.push(`${path}: does not end in test.run()`)
  if (count(/\bsuite\s*[(<]/g) > count(/\.run\(\)/g)) findings.push(`${path}: has a suite that is never run`)
  return findings
}

/** What a test file declares to the runner survives the compiler only if a blank line follows. */
export const declarations: Rule = ({ path, text }) =>
  /^\/\/ *(?:needs|limit) *:.*\n(?!\n|\/\/)/m.test(text) && path.endsWith('.test.ts')
    ? [`${path}: no blank line after what it declares to the runner`]
    : []

const BANNED: readonly [string, RegExp][] = [
  ['a note to self', /\b(?:TO[D]O|FIX[M]E|X[X]X)\b/],
  ["a path of somebody's machine", /(?<![\w.-])\/(?:work|root)\//],
  [
    'the host of a package registry',
    /\bregistry\.[\w-]+\.|\bnpmjs\.org\b|\b(?:verdacci[o]|artifactor[y])\b/i,
  ],
  ['where a package was fetched from', /"resolved"\s*:\s*"http/],
]

/** No text of the repository, of whatever kind, holds these. Hashes in a lock file are no words. */
export function bannedText(path: string, text: string): string[] {
  return BANNED.filter(
    ([, pattern], index) => (index > 0 || path !== 'package-lock.json') && pattern.test(text),
  )
    .map(([what]) => `${path}: holds ${what}`)
    .sort()
}

const TOP_LEVEL = new Set([
  ...['src', 'test', 'tools', 'traces'],
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'README.md', 'LICENSE', 'CHANGELOG.md'],
])

/** Names at the top level that have no business there. Dot-files may stay. */
export function strangers(paths: readonly string[]): string[] {
  const names = new Set(paths.map((path) => path.split('/')[0]!))
  return [...names].filter((name) => !TOP_LEVEL.has(name) && !name.startsWith('.')).sort()
}
