/**
 * A look at the database's files before LevelDB opens them: it ends the whole process over some damage, so that nobody
 * is left to say what was found.
 *
 *     files ── sound ──▶ LevelDB
 *        └─ damaged ──▶ to look: read without LevelDB (file-store.ts)      to write: refused
 *
 * A scrub where the caller asks for one, else of what LevelDB finds its way by, and, to look, of the data of small
 * databases. As long as a table's data may be damaged LevelDB can still end the process when it reads that.
 */

import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { BlockboxError } from '../core/errors.ts'
import { isData } from './evidence.ts'
import { damage } from './frame.ts'
import { outlineFaults, type StoreFault } from './scrub.ts'
import { inUseMessage, refuseLocked } from './store.ts'

/** Looks at the files in a database's folder and says what is damaged in them. */
export type Look = (folder: string) => Promise<readonly StoreFault[]>

/**
 * The damage in the database `db`, which need not exist; nobody changes its files meanwhile. Throws JOURNAL_LOCKED when
 * somebody has it open; where the place is unwritable no lock can be tried, and who writes from elsewhere is noticed.
 */
export async function foundDamage(
  db: string,
  {
    readOnly = false,
    unwritable = false,
    onFound,
  }: { readonly readOnly?: boolean; readonly unwritable?: boolean; readonly onFound?: Look },
): Promise<readonly StoreFault[]> {
  if (!existsSync(join(db, 'CURRENT'))) return []
  const atFirstSight = () => outlineFaults(db, { few: readOnly })
  if (onFound === undefined && isSound(atFirstSight)) return []
  if (!unwritable) await refuseLocked(db)
  const before = stampOf(db)
  const faults = onFound === undefined ? atFirstSight() : await onFound(db)
  if (stampOf(db) === before) return faults
  throw new BlockboxError('JOURNAL_LOCKED', inUseMessage)
}

/** The error that a journal is not opened to write because of damage to its database. */
export function damagedDatabase(faults: readonly StoreFault[]): BlockboxError {
  const message = `the database is damaged (${faultText(faults[0]!)}): see what is lost with \`blockbox verify\`, keep the rest with \`blockbox salvage\``
  return damage('JOURNAL_CORRUPT', 1, message)
}

/** What is to be said of a journal that was opened in spite of damage to its database. */
export function damageRemark(faults: readonly StoreFault[]): string {
  return `the database is damaged (${faultText(faults[0]!)}): its files are read without LevelDB`
}

/** A fault in words. */
export function faultText({ file, offset, what }: StoreFault): string {
  return `${what} at byte ${offset} of the file ${file} does not match its checksum`
}

/** Files come and go while somebody has the database open: what goes wrong then is looked at again. */
function isSound(look: () => readonly StoreFault[]): boolean {
  try {
    return look().length === 0
  } catch {
    return false
  }
}

/** Changes when the files of a database do. */
export function stampOf(db: string): string {
  const stats = (name: string) => {
    const { ino, size, mtimeMs } = statSync(join(db, name))
    return [name, ino, size, mtimeMs].join()
  }
  return readdirSync(db).filter(isData).sort().map(stats).join('\n')
}
