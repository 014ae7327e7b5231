/**
 * The vocabulary that a binary block trace and the text of blkparse share: steps in the life of a request, and
 * what a request is, as bits in one and as letters in the other.
 *
 *     letters:  F flush first | D discard, W write, R read, N none | F FUA | A readahead | S sync | M metadata
 *
 * A discard has the bit of a write too. A flush that carries data is a write with the flag.
 * Rules: blktrace_api.h and blkparse_fmt.c (blktrace).
 */

import type { BlockAction, TraceFlag, TraceOp } from './event.ts'

/** Bits of the category of a record, the upper half of its action. */
export const category = {
  write: 2,
  flush: 4,
  sync: 8,
  packet: 0x200,
  notify: 0x400,
  meta: 0x1000,
  discard: 0x2000,
  fua: 0x8000,
} as const

/** The number of a step, the lower byte of the action of a record. */
export const actionCode: Readonly<Record<BlockAction, number>> = { Q: 1, D: 7, C: 8 }

const letters = /^(F?)([DWRN])(F?)(A?)(S?)(M?)$/

/** What a request of that category and of so many bytes does. */
export function blockOp(bits: number, bytes: number): TraceOp {
  if ((bits & category.flush) !== 0 && bytes === 0) return 'flush'
  if ((bits & category.discard) !== 0) return 'discard'
  if ((bits & category.write) !== 0) return 'write'
  return bytes > 0 ? 'read' : 'other'
}

/** The flags of a request of that category; a flush is no flag of itself. */
export function blockFlags(bits: number, op: TraceOp): TraceFlag[] {
  const flags: TraceFlag[] = []
  if ((bits & category.flush) !== 0 && op !== 'flush') flags.push('FLUSH')
  if ((bits & category.fua) !== 0) flags.push('FUA')
  if ((bits & category.meta) !== 0) flags.push('META')
  if ((bits & category.sync) !== 0) flags.push('SYNC')
  return flags
}

/** The category that letters stand for; undefined for letters that make no sense. */
export function categoryOf(text: string): number | undefined {
  const found = letters.exec(text)
  if (found === null) return undefined
  const [, first, kind, fua, , sync, meta] = found
  return (
    (first === '' ? 0 : category.flush) |
    (kind === 'D' ? category.discard : kind === 'W' ? category.write : 0) |
    (fua === '' ? 0 : category.fua) |
    (sync === '' ? 0 : category.sync) |
    (meta === '' ? 0 : category.meta)
  )
}
