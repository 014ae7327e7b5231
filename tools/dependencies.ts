/**
 * What the project stands on: `npm run dependencies [-- --audit]`.
 *
 * Every package that comes with an installation has a licence of a short list; every dependency is imported somewhere,
 * and every import is a dependency; the lock file names no host that packages are fetched from and has a digest of each.
 * `--audit` also asks npm for known weaknesses, where it can be reached. Ends with 12 when something is found.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  auditOf,
  type Lock,
  licenceFaults,
  lockFaults,
  type Manifest,
  useFaults,
} from './dependencies/rules.ts'
import { exitCodes } from './exit-code.ts'
import { escaped, print } from './output.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { values } = parseArgs({
  options: { audit: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
})

if (values.help) {
  await print('usage: npm run dependencies [-- --audit]\n\nexample: npm run dependencies -- --audit')
} else await run()

async function run(): Promise<void> {
  const manifest = parsed<Manifest>('package.json')
  const lock = parsed<Lock>('package-lock.json')
  const sources = ['src', 'tools', 'test'].flatMap(sourcesBelow)
  const findings = [
    ...licenceFaults(lock, installedLicence),
    ...useFaults(manifest, sources),
    ...lockFaults(lock),
  ]
  for (const finding of findings) await print(escaped(finding))
  const shipped = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && dev !== true)
  await print(`${shipped.length} packages come with an installation, ${findings.length} findings`)
  if (values.audit) await audit()
  if (findings.length > 0) process.exitCode = exitCodes.verification
}

/** The licence that an installed package states; undefined when it is not installed here. */
function installedLicence(path: string): string | undefined {
  if (!existsSync(join(root, path, 'package.json'))) return undefined
  const { license } = parsed<{ license?: unknown }>(join(path, 'package.json'))
  return typeof license === 'string' ? license : 'none'
}

function sourcesBelow(folder: string): { path: string; text: string }[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

/** Known weaknesses, as npm tells them; where it cannot be asked, that is said and is no finding. */
async function audit(): Promise<void> {
  const asked = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
    ...{ cwd: root, encoding: 'utf8', timeout: 60_000 },
  })
  const answer = auditOf(asked.stdout ?? '')
  if ('unasked' in answer) {
    return print(escaped(`known weaknesses were NOT looked up: npm cannot be asked here (${answer.unasked})`))
  }
  for (const line of answer.weak) await print(escaped(line))
  await print(`npm knows weaknesses of ${answer.weak.length} packages that come with an installation`)
  if (answer.weak.length > 0) process.exitCode = exitCodes.verification
}

function parsed<Value>(path: string): Value {
  return JSON.parse(readFileSync(join(root, path), 'utf8')) as Value
}
