/**
 * Recognising a trace by its first bytes, and what is said of one that cannot be: it tells no format, or it is empty.
 */

import { BlockboxError } from '../core/errors.ts'
import { couldBe, type FurtherFormats, formatNames, sniff, type TraceFormat, traceFormat } from './format.ts'

/** The format that content beginning with `head` tells; `name` is that of the trace. Throws USAGE when it tells none. */
export function recognised(head: Uint8Array, name: string, further?: FurtherFormats): TraceFormat {
  const told = sniff(head, further)
  if (told !== undefined) return traceFormat(told, further)
  throw new BlockboxError('USAGE', `${name} does not tell its format; ${namingOne(head, further)}`)
}

/** What to do about content that does not tell its format. */
function namingOne(head: Uint8Array, further?: FurtherFormats): string {
  const tables = couldBe(head)
  if (tables.length === 0) return `name one with --format: ${formatNames(further)}`
  return `its first lines could be those of ${tables.join(' or ')}: name the right one with --format`
}

/** The complaint about files of no bytes. */
export function nothingIn(names: readonly string[]): BlockboxError {
  const what = names.length === 1 ? 'the file is empty' : 'all files are empty'
  const how = 'see whether the recorder wrote it, and copy it whole'
  return new BlockboxError('TRACE_FORMAT', `${names.join(' ')}: no event; ${what}: ${how}`)
}
