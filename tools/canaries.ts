/**
 * `npm run canaries [-- --json] [-- --row S3-I9]`: plants every canary and prints row -> canary -> how it was planted
 * -> what caught it. A canary is a history or a trace of media with one fault in it, which the checks must flag beside
 * a sound twin, or a defect of the compiled code, which a named test must notice.
 *
 *     rows: test/canaries/manifest.json      defects: test/canaries/mutants.json
 *
 * Exit code 0 when each is caught and no row is without one, 12 otherwise, 2 when the row asked for is none.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  type CanaryMutant,
  type Line,
  linesOf,
  type ManifestRow,
  type PlantedCanary,
  parsePlanted,
} from './canaries/row.ts'
import { Nursery } from './claims/mutation.ts'
import { exitCodes } from './exit-code.ts'
import { print, progress, table } from './output.ts'
import { runFile, stopAll } from './test/child.ts'

const built = fileURLToPath(new URL('..', import.meta.url))
const root = join(built, '..')
const limitMs = 120_000

process.once('exit', stopAll)
const { json, row: only, help } = given()
if (help)
  await print(
    'usage: npm run canaries [-- --json] [-- --row ROW]\n\nexample: npm run canaries -- --row S3-I9',
  )
else await run()

function given() {
  try {
    const flags = { json: { type: 'boolean' }, help: { type: 'boolean' }, row: { type: 'string' } } as const
    return parseArgs({ options: flags }).values
  } catch (error) {
    process.stderr.write(`canaries: ${(error as Error).message}\n`)
    process.exit(exitCodes.usage)
  }
}

async function run(): Promise<void> {
  const all = readJson('manifest.json') as ManifestRow[]
  const manifest = all.filter(({ row }) => only === undefined || row === only)
  if (manifest.length === 0) {
    process.stderr.write(`canaries: there is no row ${only}: see test/canaries/manifest.json\n`)
    process.exitCode = exitCodes.usage
    return
  }
  const lines = linesOf(manifest, [...(await plantHistories()), ...(await plantMutants())])
  await report(manifest, lines)
}

async function report(manifest: readonly ManifestRow[], lines: readonly Line[]): Promise<void> {
  const each = new Map(lines.flatMap(({ canary }) => (canary === undefined ? [] : [[canary.name, canary]])))
  const caught = [...each.values()].filter((canary) => canary.caught).length
  const uncaught = [...each.values()].filter((canary) => !canary.caught).map(({ name }) => name)
  const without = lines.filter(({ canary }) => canary === undefined).map(({ row }) => row)
  if (json) {
    const canaries = lines.map(({ row, canary }) => ({
      ...{ row, canary: canary?.name ?? null, planted: canary?.planted ?? null },
      ...{ caught: canary?.caught ?? false, by: canary?.by ?? null },
    }))
    const summary = { rows: manifest.length, total: each.size, caught, uncaught, rows_without: without }
    await print(JSON.stringify({ ...summary, canaries }))
  } else {
    const cells = lines.map(({ row, canary }) => [
      row,
      canary?.name.replace(`${row}: `, '') ?? '-',
      canary?.planted ?? '-',
      canary === undefined ? 'NO CANARY' : `${canary.caught ? '' : 'NOT CAUGHT: '}${canary.by}`,
    ])
    await print(table([['rule or row', 'canary', 'planted as', 'caught by'], ...cells]))
    for (const row of without) await print(`NO CANARY ${row}`)
    for (const name of uncaught) await print(`NOT CAUGHT ${name}`)
    await print(`${manifest.length - without.length} of ${manifest.length} rows have a canary`)
    await print(`${caught} of ${each.size} caught`)
  }
  if (uncaught.length + without.length > 0) process.exitCode = exitCodes.verification
}

/** Canaries of histories and media, planted by one program in a process of its own. */
async function plantHistories(): Promise<PlantedCanary[]> {
  progress('planting histories')
  const { ending, output } = await runFile(join(built, 'test', 'canaries', 'planted.js'), limitMs)
  if (ending.code === 0) return parsePlanted(output)
  throw new Error(`the canaries could not be planted (exit code ${ending.code}):\n${output}`)
}

async function plantMutants(): Promise<PlantedCanary[]> {
  const mutants = readJson('mutants.json') as CanaryMutant[]
  const waiting = mutants.filter(({ rows }) => only === undefined || rows.includes(only))
  const done: PlantedCanary[] = []
  const work = async (number: number) => {
    const nursery = new Nursery(built, root, number)
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { name, rows, shows } = next
      progress(`planting ${name}`)
      const { noticed, why } = await nursery.plant(next, (test) => test.startsWith(shows))
      done.push({ name, rows, planted: 'mutant', caught: noticed, by: noticed ? `test "${why}"` : why })
    }
    nursery.remove()
  }
  if (waiting.length > 0) await Promise.all([work(1), work(2)])
  progress('')
  return done
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(join(root, 'test', 'canaries', file), 'utf8'))
}
