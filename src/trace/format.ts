/**
 * The foreign formats by name: how to make a parser of each, and how to know it by its first bytes.
 */

import { BlockboxError } from '../core/errors.ts'
import { dmLogMagic } from './dm-log-header.ts'
import { dmLogWrites } from './dm-log-writes.ts'
import type { TraceOptions, TraceParser } from './event.ts'
import { fioHeader, fioIolog } from './fio-iolog.ts'

export interface RemarkingParser extends TraceParser {
  /** What the user ought to know of where the trace ended, asked after the end. */
  remark?(): string | undefined
}

export interface TraceFormat {
  readonly name: string
  /** What it is, in a line for a user. */
  readonly title: string
  parser(options: TraceOptions): RemarkingParser
  /** Whether a file that begins with these bytes is one; absent where the content cannot tell. */
  readonly begins?: (first: Uint8Array) => boolean
}

/** Every format, in the order of the documentation. */
export const traceFormats: readonly TraceFormat[] = [
  {
    name: 'dm-log-writes',
    title: 'log of Linux dm-log-writes or QEMU blklogwrites, with data',
    parser: dmLogWrites,
    begins: (first) => startsWith(first, dmLogMagic),
  },
  {
    name: 'fio-iolog',
    title: 'fio I/O log, version 2 or 3',
    parser: fioIolog,
    begins: (first) => startsWith(first, new TextEncoder().encode(fioHeader)),
  },
]

/** As many first bytes as `sniff` needs. */
export const sniffBytes = 64

/** The name of the format that content beginning with `first` has; undefined when it does not tell. */
export function sniff(first: Uint8Array): string | undefined {
  return traceFormats.find((format) => format.begins?.(first))?.name
}

/** The format of that name. Throws USAGE, with the list, when there is none. */
export function traceFormat(name: string): TraceFormat {
  const found = traceFormats.find((format) => format.name === name)
  if (found !== undefined) return found
  throw new BlockboxError('USAGE', `there is no trace format "${name}"; choose ${formatNames()}`)
}

/** The names, for a message. */
export function formatNames(): string {
  return traceFormats.map((format) => format.name).join(', ')
}

function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  return bytes.length >= head.length && head.every((byte, k) => byte === bytes[k])
}
