/** Which commit of blockbox this is, for reports of what it found. */

import { execFileSync, type StdioOptions } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Where the package lies: the folder above its build. */
const root = fileURLToPath(new URL('../..', import.meta.url))

let known: string | undefined

/** The commit of this program, asked for once. */
export function builtCommit(): string {
  known ??= commitOf(root)
  return known
}

/**
 * The commit of the checkout that `folder` is, with `-dirty` when something in it differs from the commit; `unknown`
 * for an installed package, also in a checkout of somebody else's.
 */
export function commitOf(folder: string): string {
  const quiet: StdioOptions = ['ignore', 'pipe', 'ignore']
  const git = (...words: string[]) =>
    execFileSync('git', ['-C', folder, ...words], { encoding: 'utf8', stdio: quiet }).trim()
  try {
    const top = git('rev-parse', '--show-toplevel')
    if (realpathSync(top) !== realpathSync(folder).replace(/\/$/, '')) return 'unknown'
    return git('describe', '--always', '--dirty', '--abbrev=12', '--exclude=*')
  } catch {
    return 'unknown'
  }
}
