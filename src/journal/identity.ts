/** What a journal's folder says of itself in `journal.json` (FORMAT.md): written first, never changed. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BlockboxError } from '../core/errors.ts'

export interface Identity {
  readonly format: string
  readonly version: number
  /** 32 hexadecimal digits. */
  readonly id: string
  /** ISO 8601, as the machine's clock said. */
  readonly created: string
}

/** Reads the identity of a journal that was opened. Throws JOURNAL_FOREIGN when a field is missing. */
export function journalIdentity(path: string): Identity {
  const file = join(path, 'journal.json')
  const { format, version, id, created } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Identity>
  if (format !== undefined && version !== undefined && id !== undefined && created !== undefined) {
    return { format, version, id, created }
  }
  throw new BlockboxError('JOURNAL_FOREIGN', `${file} does not say all that a journal says of itself`)
}
