/**
 * Which tables a database is made of: its manifest is a log of edits, each naming tables added and taken away (format:
 * db/version_edit.cc of LevelDB 1.20). A table that no edit names was being written when the process ended, or was
 * replaced; LevelDB deletes it at the next opening and never reads it, so nothing in it can be damage.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Numbers, reading } from './level-file.ts'
import { logFault, logRecords } from './level-log.ts'

const maxNameBytes = 64

/** What an edit's parts begin with; a part's form follows from its tag. */
const tag = {
  comparator: 1,
  log: 2,
  next: 3,
  sequence: 4,
  compacted: 5,
  deleted: 6,
  added: 7,
  formerLog: 9,
} as const

/**
 * The numbers of the tables in use in the database in `folder`; undefined when its manifest is missing, damaged or of
 * a form not known here.
 */
export function tablesInUse(folder: string): ReadonlySet<number> | undefined {
  const current = join(folder, 'CURRENT')
  if (!existsSync(current)) return undefined
  const text = Buffer.from(reading(current, (source) => source.bytes(0, maxNameBytes))).toString('latin1')
  const name = /^(MANIFEST-\d+)\n$/.exec(text)?.[1]
  if (name === undefined || !existsSync(join(folder, name))) return undefined
  if (logFault(join(folder, name)) !== undefined) return undefined
  const edits = logRecords(join(folder, name))
  const tables = new Set<number>()
  for (const edit of edits) if (!applies(edit, tables)) return undefined
  return edits.length > 0 ? tables : undefined
}

/** Applies an edit to the tables; false when it cannot be read. */
function applies(edit: Uint8Array, tables: Set<number>): boolean {
  const numbers = new Numbers(edit)
  const skip = () => {
    const length = numbers.number()
    numbers.at += length
  }
  while (numbers.at < edit.length) {
    switch (numbers.number()) {
      case tag.comparator:
        skip()
        break
      case tag.log:
      case tag.next:
      case tag.sequence:
      case tag.formerLog:
        numbers.number()
        break
      case tag.compacted:
        numbers.number()
        skip()
        break
      case tag.deleted:
        numbers.number()
        tables.delete(numbers.number())
        break
      case tag.added:
        numbers.number()
        tables.add(numbers.number())
        numbers.number()
        skip()
        skip()
        break
      default:
        return false
    }
  }
  return numbers.at === edit.length
}
