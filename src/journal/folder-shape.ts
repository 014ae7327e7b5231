/**
 * What a journal's folder is made of: plain files and folders of plain files. LevelDB opens its own by their names, waits
 * for pipes and writes through links, also to files whose names it is about to use: what is neither is refused before.
 *
 *     journal.json  head  reserve     plain files
 *     db/  payload/                   folders, and everything in them plain files
 *     found/  copies/  index/         folders
 *     anything else                   not the journal's: left alone
 */

import { type Dirent, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { BlockboxError } from '../core/errors.ts'
import { kindOf, notPlain, ofJournal } from '../files/plain-file.ts'

const files = new Set(['journal.json', 'journal.json.new', 'head', 'reserve'])
const folders = new Set(['db', 'payload', 'found', 'copies', 'index'])
const filled = new Set(['db', 'payload'])
/** Where LevelDB puts what its repair gives up. */
const lost = 'lost'

/** Throws JOURNAL_FOREIGN when a part of the journal in folder `path` is a pipe, a device, a socket or a link. */
export function refuseStrange(path: string): void {
  for (const entry of entriesOf(path)) {
    const { name } = entry
    if (files.has(name) && !entry.isFile()) throw notPlain(join(path, name), entry, ofJournal)
    if (!folders.has(name)) continue
    if (!entry.isDirectory()) {
      const message = `${join(path, name)} is no folder but ${kindOf(entry)}: ${ofJournal.remedy}`
      throw new BlockboxError('JOURNAL_FOREIGN', message)
    }
    if (filled.has(name)) refuseIn(join(path, name))
  }
}

function refuseIn(folder: string): void {
  for (const entry of entriesOf(folder)) {
    if (entry.isFile() || (entry.name === lost && entry.isDirectory())) continue
    throw notPlain(join(folder, entry.name), entry, ofJournal)
  }
}

/** None where there is no folder, or none that may be read: whoever opens it says so. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}
