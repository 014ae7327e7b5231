/**
 * `npm run claims [-- --json] [-- --seed S1]`: runs the tests that show the claims of the five seeds, plants the defect
 * named for each, and prints claim -> requirement -> tests -> result. Fails when a claim is missing, red, or its
 * defect goes unnoticed.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  failuresIn,
  isShown,
  type Mutant,
  names,
  namesIn,
  type Requirement,
  type Row,
} from './claims/claim.ts'
import { Nursery, type Planted } from './claims/mutation.ts'
import { exitCodes } from './exit-code.ts'
import { print, progress, table } from './output.ts'
import { runFile, stopAll } from './test/child.ts'
import { judge } from './test/verdict.ts'

const built = fileURLToPath(new URL('..', import.meta.url))
const root = join(built, '..')
const limitMs = 180_000

process.once('exit', stopAll)
const json = process.argv.includes('--json')
const only = process.argv[process.argv.indexOf('--seed') + 1]
const seedOnly = process.argv.includes('--seed') ? only : undefined

const requirements = (readJson('requirements.json') as Requirement[]).filter(
  ({ seed }) => seedOnly === undefined || seed === seedOnly,
)
const { all, red } = await runTests()
const planted = await plantAll()
const rows = requirements.map((requirement): Row => {
  const { seed, claims } = requirement
  const mutant = planted.find(
    (one) => one.seed === seed && one.mutant.claims.some((claim) => claims.includes(claim)),
  )
  return {
    ...requirement,
    tests: all.filter((name) => names(requirement, name)),
    red: red.filter((name) => names(requirement, name)),
    mutant: mutant === undefined ? undefined : { name: mutant.mutant.name, ...mutant.planted },
  }
})
await report(rows)

async function report(found: readonly Row[]): Promise<void> {
  const each = found.flatMap((row) => row.claims.map((claim) => ({ row, claim, id: `${row.seed}-${claim}` })))
  const covered = each.filter(({ row, claim }) =>
    row.tests.some((name) => names({ seed: row.seed, claims: [claim] }, name)),
  )
  const missing = each.filter(({ row, claim }) => !isShown(row, claim)).map(({ id }) => id)
  const summary = {
    total: each.length,
    covered: covered.length,
    passed: each.length - missing.length,
    missing,
  }
  if (json) await print(JSON.stringify(summary))
  else {
    const lines = found.map((row) => [
      `${row.seed} ${row.claims.join(' ')}`,
      row.requirement,
      String(row.tests.length),
      row.mutant === undefined ? '-' : `${row.mutant.noticed ? 'noticed' : 'UNNOTICED'}: ${row.mutant.name}`,
      result(row),
    ])
    await print(table([['claims', 'requirement', 'tests', 'planted defect', 'result'], ...lines], [2]))
    for (const row of found) for (const name of row.red) await print(`RED ${name}`)
    for (const row of found)
      if (row.mutant?.noticed === false) await print(`UNNOTICED ${row.mutant.name}: ${row.mutant.why}`)
    await print(`${summary.passed} of ${summary.total} claims passed, ${summary.covered} covered`)
  }
  if (missing.length > 0) process.exitCode = exitCodes.verification
}

function result(row: Row): string {
  if (row.tests.length === 0) return 'missing'
  if (row.red.length > 0) return 'red'
  return row.claims.every((claim) => isShown(row, claim)) ? 'passed' : 'not shown'
}

/** Runs every file of test/claims; a file that is not believed makes all its tests red. */
async function runTests(): Promise<{ readonly all: string[]; readonly red: string[] }> {
  const found = { all: [] as string[], red: [] as string[] }
  const folder = join(built, 'test', 'claims')
  const files = readdirSync(folder).filter((file) => file.endsWith('.test.js'))
  for (const file of files.filter(
    (one) => seedOnly === undefined || one.startsWith(seedOnly.toLowerCase()),
  )) {
    progress(`running ${file}`)
    const inFile = namesIn(readFileSync(join(folder, file), 'utf8'))
    const { ending, output } = await runFile(join(folder, file), limitMs)
    const failed = failuresIn(output)
    found.all.push(...inFile)
    if (judge(ending).reason !== undefined) found.red.push(...(failed.length > 0 ? failed : inFile))
  }
  return found
}

interface PlantedMutant {
  readonly seed: string
  readonly mutant: Mutant
  readonly planted: Planted
}

async function plantAll(): Promise<PlantedMutant[]> {
  const waiting = [...new Set(requirements.map(({ seed }) => seed))].flatMap((seed) => {
    const file = `mutants/${seed.toLowerCase()}.json`
    return existsSync(join(root, 'test', 'claims', file))
      ? (readJson(file) as Mutant[]).map((mutant) => ({ seed, mutant }))
      : []
  })
  const done: PlantedMutant[] = []
  const work = async (number: number) => {
    const nursery = new Nursery(built, root, number)
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      progress(`planting ${next.mutant.name}`)
      const { seed, mutant } = next
      const notices = (test: string) => names({ seed, claims: mutant.claims }, test)
      done.push({ ...next, planted: await nursery.plant(mutant, notices) })
    }
    nursery.remove()
  }
  await Promise.all([work(1), work(2)])
  progress('')
  return done
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(join(root, 'test', 'claims', file), 'utf8'))
}
