/** What a journal's folder says of itself in `journal.json` (FORMAT.md): written first, never changed. */

import { join } from 'node:path'
import { BlockboxError } from '../core/errors.ts'
import { reading } from './level-file.ts'

const maxBytes = 4096

export interface Identity {
  readonly format: string
  readonly version: number
  /** 32 hexadecimal digits. */
  readonly id: string
  /** ISO 8601, as the machine's clock said. */
  readonly created: string
}

/** The text of a `journal.json`, no more of it than there can be. */
export function identityText(file: string): string {
  return Buffer.from(reading(file, (source) => source.bytes(0, maxBytes))).toString('utf8')
}

/** Reads the identity of a journal that was opened. Throws JOURNAL_FOREIGN when a field is missing or is none. */
export function journalIdentity(path: string): Identity {
  const file = join(path, 'journal.json')
  const { format, version, id, created } = JSON.parse(identityText(file)) as Partial<Identity>
  const isWhole = typeof format === 'string' && typeof version === 'number'
  if (isWhole && isIt(id, /^[0-9a-f]{32}$/) && isIt(created, /^[0-9T:.Z+-]{10,40}$/)) {
    return { format, version, id, created }
  }
  const message = `${file} does not say all that a journal says of itself: it was damaged or changed by hand`
  throw new BlockboxError('JOURNAL_FOREIGN', message)
}

function isIt(value: unknown, form: RegExp): value is string {
  return typeof value === 'string' && form.test(value)
}
