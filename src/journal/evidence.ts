/**
 * Evidence: the database's files as they were found, kept until it is known that opening lost nothing. LevelDB
 * deletes a log that it has read, damaged records and all, and tables that a damaged manifest no longer names.
 *
 *     found ── hard links ──▶ opened ── nothing lost ──▶ links removed
 *                                └───── damage ──▶ links stay in the folder `found`, and that is said
 */

import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

export interface Evidence {
  /** Leaves the files as found beside the database; returns what to tell, empty when there is nothing to tell. */
  keep(): string
  /** Gives the links up. */
  discard(): void
}

const none: Evidence = { keep: () => '', discard: () => undefined }

/**
 * Links the files of the database of the journal at `path`. Links cost no room to speak of; where there can be none
 * (another file system, no room for a name) there is no evidence. What an earlier opening left is never replaced.
 */
export function gatherEvidence(path: string): Evidence {
  const db = join(path, 'db')
  const kept = join(path, 'found')
  if (!existsSync(join(db, 'CURRENT')) || existsSync(kept)) return none
  const links = join(path, `found.${randomBytes(4).toString('hex')}`)
  const discard = () => rmSync(links, { recursive: true, force: true })
  try {
    mkdirSync(links)
    for (const name of readdirSync(db)) if (isData(name)) linkSync(join(db, name), join(links, name))
  } catch {
    discard()
    return none
  }
  return {
    discard,
    keep() {
      if (!existsSync(kept)) renameSync(links, kept)
      return `the database's files as they were found are kept in ${kept}`
    },
  }
}

/** What LevelDB's own notes say that it dropped when it was opened just now; undefined when that is nothing. */
export function droppedAtOpening(path: string): string | undefined {
  const notes = join(path, 'db', 'LOG')
  if (!existsSync(notes)) return undefined
  const line = /\S+: dropping \d+ bytes; .*/.exec(readFileSync(notes, 'utf8'))
  return line === null ? undefined : line[0]
}

/** True for the files of a database that hold data. */
export function isData(name: string): boolean {
  return /^(?:CURRENT|MANIFEST-\d+|\d+\.(?:log|ldb|sst))$/.test(name)
}
