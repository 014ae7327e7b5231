/** Journal folders below one temporary folder, which goes when the tests end. */

import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TemporaryFolder {
  /** A path below it that nothing has yet. */
  fresh(name?: string): string
  /** A copy of a folder below it. */
  copy(path: string): string
  remove(): void
}

/** Makes a temporary folder; call `remove` after the tests. */
export function temporaryFolder(): TemporaryFolder {
  const root = mkdtempSync(join(tmpdir(), 'blockbox-test-'))
  let made = 0
  const fresh = (name = 'run') => join(root, `${name}-${made++}.journal`)
  return {
    fresh,
    copy(path) {
      const to = fresh('copy')
      cpSync(path, to, { recursive: true })
      return to
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}
