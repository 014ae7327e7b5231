/**
 * The house against its own rules (tidy/rules.ts, tidy/direction.ts): directions, purity, shape and names of files,
 * suites that run, words that must not be there, and what stands at the top level.
 */

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cycles, wrongDirections } from './tidy/direction.ts'
import * as rules from './tidy/rules.ts'
import { type Source, sourceOf } from './tidy/source.ts'

const test = suite('tidy')

const root = rootAbove(fileURLToPath(import.meta.url))
const paths = listed(root)
const sources = paths
  .filter((path) => /^(?:src|test|tools)\/.*\.ts$/.test(path))
  .map((path) => sourceOf(path, readFileSync(join(root, path), 'utf8')))

/** The folder with the package.json. */
function rootAbove(path: string): string {
  const folder = dirname(path)
  assert.not(folder === path, 'no package.json above this test')
  return existsSync(join(folder, 'package.json')) ? folder : rootAbove(folder)
}

/** Every file that is or would be in the repository; without git, every file that is not built or installed. */
function listed(folder: string): string[] {
  try {
    if (!existsSync(join(folder, '.git'))) return walked(folder)
    const args = ['-C', folder, 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
    const names = execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split(
      '\0',
    )
    return names.filter((name) => name !== '' && existsSync(join(folder, name)))
  } catch {
    return walked(folder)
  }
}

function walked(folder: string): string[] {
  const built = /^(?:node_modules|\.git|\.build[^/]*|[^/]*\.journal|[^/]*\.tgz)$/
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !built.test(name))
    .flatMap((top) => (top.isDirectory() ? filesBelow(join(folder, top.name)) : [join(folder, top.name)]))
    .map((path) => relative(folder, path).replaceAll('\\', '/'))
}

const filesBelow = (folder: string) =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

const all = (rule: (source: Source) => string[]) => assert.equal(sources.flatMap(rule), [])

test('there is something to check', () => {
  for (const area of ['src/core/', 'tools/', 'test/']) {
    assert.ok(
      sources.some(({ path }) => path.startsWith(area)),
      `no source found in ${area}`,
    )
  }
})

test('with and without git the same sources are found', () => {
  const own = (found: readonly string[]) => found.filter((path) => /^(?:src|test|tools)\//.test(path)).sort()
  assert.equal(own(walked(root)), own(paths))
})

test('the scanner keeps its footing: brackets balance in the code it sees', () => {
  const count = (code: string, bracket: string) => code.split(bracket).length
  all(({ path, text, code }) => {
    const balanced = ['()', '[]', '{}'].every(([open, close]) => count(code, open!) === count(code, close!))
    return balanced && code.length === text.length ? [] : [path]
  })
})

test('imports run one way', () => all(wrongDirections))
test('no import runs in a circle', () => assert.equal(cycles(sources), []))
test('what is pure stays pure', () => all(rules.purity))
test('only journal and payload know LevelDB', () => all(rules.levelDb))
test('only programs know arguments and exit codes', () => all(rules.programs))
test('no text becomes code, and src starts no programs', () => all(rules.noCodeFromText))
test('files are short and say what they are', () => all(rules.shape))
test('files are named after nouns of the domain', () => all(rules.naming))
test('only the public API re-exports everything', () => all(rules.barrels))
test('every suite runs, whole', () => all(rules.suites))
test('what tests declare to the runner reaches it', () => all(rules.declarations))

test('no text holds a banned word', () => {
  const findings = paths.flatMap((path) => {
    const bytes = readFileSync(join(root, path))
    return bytes.includes(0) ? [] : rules.bannedText(path, bytes.toString('utf8'))
  })
  assert.equal(findings, [])
})

test('nothing strange stands at the top level', () => assert.equal(rules.strangers(paths), []))

test.run()
