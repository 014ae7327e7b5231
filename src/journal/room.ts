/**
 * Whether a journal's file system has room for it to be opened and gone on with: asked before that is tried, for each
 * try on a full disk costs the reserve.
 */

import { existsSync, readdirSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** For the reserve to be begun anew, and for what is recorded first. */
const beginningBytes = 2 * 2 ** 20

/** True when the file system of the journal at `path` has the room, as far as it tells; false when it cannot be asked. */
export function hasRoom(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(path)
    return bavail * bsize >= wantedBytes(path)
  } catch {
    return false
  }
}

/** LevelDB writes what its logs hold again, as tables, when it opens. */
export function wantedBytes(path: string): number {
  const db = join(path, 'db')
  const names = existsSync(db) ? readdirSync(db) : []
  const logs = names.filter((name) => name.endsWith('.log'))
  return logs.reduce((sum, name) => sum + statSync(join(db, name)).size, beginningBytes)
}
