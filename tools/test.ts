/**
 * The test runner: `node .build/tools/test.js FOLDER [FILTER] [--limit SECONDS]`.
 *
 * Runs every *.test.js below FOLDER (whose path contains FILTER), each in a process of its own, as many at once as
 * there are processors. What a file proved is judged in test/verdict.ts; what it may declare is in
 * test/declaration.ts. A file whose needs are missing is not started and counted as skipped; with
 * BLOCKBOX_REQUIRE_ALL=1 that is a failure, but for what BLOCKBOX_NOT_REQUIRED names (with commas). The last line is `N passed, N failed[, N skipped]`.
 * Exit code 0 only if something passed and nothing failed.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { runFile, stopAll } from './test/child.ts'
import { type Declaration, declarationOf } from './test/declaration.ts'
import { isPresent } from './test/presence.ts'
import { closingLine, judge, succeeded } from './test/verdict.ts'

interface TestFile extends Declaration {
  readonly path: string
  readonly name: string
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { limit: { type: 'string', default: '120' } },
})
const [folder, filter = ''] = positionals
const defaultLimitMs = Number(values.limit) * 1000
if (folder === undefined || positionals.length > 2 || !(defaultLimitMs > 0)) {
  console.error('usage: test.js FOLDER [FILTER] [--limit SECONDS]')
  process.exit(2)
}
const requireAll = process.env.BLOCKBOX_REQUIRE_ALL === '1'
const notRequired = (process.env.BLOCKBOX_NOT_REQUIRED ?? '').split(',')
const files = filesBelow(resolve(folder))
const width = Math.max(...files.map((file) => file.name.length), 0)
const tally = { passed: 0, failed: 0, skipped: 0 }
const failures: string[] = []

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stopAll()
    process.exit(130)
  })
}
if (files.length === 0) fail(filter === '' ? folder : `${folder} (${filter})`, 'no test file found', 1)
const queue = files.values()
await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, drain))

if (failures.length > 0) console.log(`\nfailed:\n${failures.map((line) => `  ${line}`).join('\n')}`)
if (tally.passed === 0 && tally.failed === 0) console.log('\nnothing was run, so nothing is proved')
console.log(`\n${closingLine(tally)}`)
process.exitCode = succeeded(tally) ? 0 : 1

/** Takes files from the queue until it is empty. */
async function drain(): Promise<void> {
  for (const file of queue) await runOne(file)
}

async function runOne(file: TestFile): Promise<void> {
  if (file.faults.length > 0) return fail(file.name, `not understood: ${file.faults.join('; ')}`, 1)
  const missing = file.needs.filter((need) => !isPresent(need, file.path))
  if (missing.length > 0) {
    const reason = `not run: needs ${missing.map(({ kind, name }) => `${kind} ${name}`).join(', ')}`
    if (requireAll && missing.some(({ name }) => !notRequired.includes(name))) {
      return fail(file.name, reason, 1)
    }
    tally.skipped += 1
    return report('NOT RUN', file.name, reason)
  }
  const { ending, output, ms } = await runFile(file.path, file.limitMs ?? defaultLimitMs)
  const { passed, failed, reason, unproved } = judge(ending)
  tally.passed += passed
  tally.skipped += unproved.length
  if (reason !== undefined) return fail(file.name, reason, failed, output)
  report('ok', file.name, `${String(passed).padStart(4)} tests ${Math.round(ms).toString().padStart(6)} ms`)
  for (const why of unproved) report('NOT RUN', file.name, `one test of it: ${why}`)
}

function fail(name: string, reason: string, count: number, output = ''): void {
  tally.failed += count
  failures.push(`${name}: ${reason}`)
  report('FAIL', name, reason)
  if (output !== '') console.log(output.trimEnd().replaceAll(/^/gm, '    | '))
}

function report(verdict: 'ok' | 'FAIL' | 'NOT RUN', name: string, text: string): void {
  console.log(`${verdict.padEnd(8)}${name.padEnd(width)}  ${text}`)
}

/** The files to run: those with a time limit of their own first, since they take longest. */
function filesBelow(root: string): TestFile[] {
  if (!existsSync(root)) return []
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.js') && name.includes(filter))
    .sort()
    .map((name) => ({
      path: join(root, name),
      name,
      ...declarationOf(readFileSync(join(root, name), 'utf8')),
    }))
    .filter((file) => !isStale(file))
    .sort((a, b) => (b.limitMs ?? 0) - (a.limitMs ?? 0))
}

/** True, and said aloud, if the source a file was compiled from has gone: the compiler leaves such files behind. */
function isStale({ path, name }: TestFile): boolean {
  if (!existsSync(`${path}.map`)) return false
  const { sources } = JSON.parse(readFileSync(`${path}.map`, 'utf8')) as { sources: string[] }
  const source = resolve(dirname(path), sources[0] ?? '')
  if (existsSync(source)) return false
  console.log(
    `STALE   ${name}  its source ${relative('.', source)} is gone: remove the build and build again`,
  )
  return true
}
