/**
 * The files that a scenario names: traces, clones outside and images, relative to the scenario. A scenario comes from
 * elsewhere as often as a trace does, so that it reaches no file outside its own folder: no absolute path, no step
 * upwards, no link that leads out.
 */

import { realpathSync } from 'node:fs'
import { isAbsolute, join, normalize, relative, sep } from 'node:path'
import { BlockboxError } from '../core/errors.ts'
import type { Scenario } from './scenario.ts'

/**
 * Throws SCENARIO when the scenario, which lies in `folder`, names a file outside of it. Files that are not there are
 * left to whoever opens them.
 */
export function refuseFilesOutside(scenario: Scenario, folder: string): void {
  const named: { who: string; path: string | undefined }[] = scenario.hosts.flatMap(({ name, plays }) =>
    ('trace' in plays ? plays.trace : []).map((path) => ({ who: `host ${name}`, path })),
  )
  for (const [k, { does, args }] of scenario.steps.entries()) {
    const path = does === 'fence.restore' ? args.image : args.clone_file
    named.push({ who: `step ${k + 1} (${does})`, path: path === undefined ? undefined : String(path) })
  }
  for (const { who, path } of named) {
    const why = path === undefined ? undefined : faultOf(path, folder)
    if (why !== undefined) {
      const rule = 'a scenario uses files in its own folder: copy the file there'
      throw new BlockboxError('SCENARIO', `${who}: the path ${JSON.stringify(path)} ${why}; ${rule}`)
    }
  }
}

/** What is wrong with a path; undefined when nothing is. */
function faultOf(path: string, folder: string): string | undefined {
  if (path === '' || path.includes('\0')) return 'is none'
  if (isAbsolute(path)) return 'is absolute'
  if (isOutside(normalize(path))) return 'leads out of the folder'
  try {
    const real = relative(realpathSync(folder), realpathSync(join(folder, path)))
    return isOutside(real) ? 'is a link that leads out of the folder' : undefined
  } catch {
    return undefined
  }
}

function isOutside(path: string): boolean {
  return path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path)
}
