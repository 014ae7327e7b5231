/**
 * A place where a journal cannot be written: mounted without writing, of somebody else, or a copy kept as evidence whose
 * permissions to write were taken away. LevelDB opens no database there: it takes a lock, begins a log and merges what it
 * finds. To look, the database's files are read without it (file-store.ts), and not a byte below the folder changes.
 */

import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { BlockboxError } from '../core/errors.ts'
import { isData } from './evidence.ts'

/** Any of the three permissions to write. */
const mayWrite = 0o222

/**
 * Why nothing can be written to the journal in folder `path`, which exists; undefined when all of it can. What nobody has
 * the permission to write counts as kept from being written, for the administrator as well, who could.
 */
export function whyReadOnly(path: string): string | undefined {
  const db = join(path, 'db')
  const names = existsSync(db) ? readdirSync(db).filter((name) => isData(name) || name === 'LOCK') : []
  const parts = [path, ...(existsSync(db) ? [db] : []), ...names.map((name) => join(db, name))]
  for (const part of parts) {
    try {
      accessSync(part, constants.W_OK)
      if ((statSync(part).mode & mayWrite) === 0) return `${part} has no permission to be written`
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code === 'EROFS') return `${part} lies on a file system mounted without writing`
      if (code === 'EACCES' || code === 'EPERM') return `no permission to write ${part}`
      if (code !== 'ENOENT') return message
    }
  }
  return undefined
}

/** The error that a journal cannot be opened to write because of its place. */
export function readOnlyPlace(path: string, why: string): BlockboxError {
  const message = `the journal at ${path} cannot be written: ${why}. It can be looked at; to go on with it, copy its whole folder to where you may write`
  return new BlockboxError('JOURNAL_READ_ONLY', message)
}
