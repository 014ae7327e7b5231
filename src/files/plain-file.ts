/**
 * Plain files, opened by names that somebody else chose: in a journal's folder, on a command line, in a scenario, in a
 * request. What stands at such a name may be a pipe, whose opening waits for its other end and cannot be called off (open(2),
 * fifo(7)), a device that has no end, or a link to a file of somebody else. So nothing is opened in a way that waits, and
 * nothing is read or written before it is known to be a plain file.
 *
 *     name ─▶ opened without waiting ─▶ a plain file? ── yes ──▶ its descriptor
 *                                             └── no ──▶ closed; an error says what it is
 */

import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { BlockboxError, type ErrorCode } from '../core/errors.ts'

const { O_RDONLY, O_RDWR, O_WRONLY, O_CREAT, O_TRUNC, O_APPEND, O_NONBLOCK, O_NOFOLLOW } = constants

/** As open(2) and Node name them; `w` and `a` make a file that is missing. */
const modes = {
  r: O_RDONLY,
  'r+': O_RDWR,
  w: O_WRONLY | O_CREAT | O_TRUNC,
  'w+': O_RDWR | O_CREAT | O_TRUNC,
  a: O_WRONLY | O_CREAT | O_APPEND,
}

export interface PlainAsk {
  /** The code of the error for what is no plain file; USAGE when left out. */
  readonly code?: ErrorCode
  /** False where the last part of the name may not be a link: files that nobody but the program names. */
  readonly links?: boolean
  /** What is to be done about what is no plain file. */
  readonly remedy?: string
}

/** The files of a journal: no links, and nothing that the program did not make. */
export const ofJournal: PlainAsk = {
  code: 'JOURNAL_FOREIGN',
  links: false,
  remedy: 'the folder was changed by somebody; take that away, or put a copy of the whole folder back',
}

/** A file that the program makes beside another one: what is in its place was put there by somebody. */
export const madeBeside: PlainAsk = { links: false, remedy: 'take it away' }

/** Opens a plain file. Throws an error with the code asked for when it is none, else what the file system throws. */
export function openPlain(path: string, mode: keyof typeof modes, ask: PlainAsk = {}): number {
  let file: number
  try {
    file = openSync(path, flagsOf(mode, ask))
  } catch (error) {
    throw failure(path, error, ask)
  }
  const found = fstatSync(file)
  if (found.isFile()) return file
  closeSync(file)
  throw notPlain(path, found, ask)
}

/** The same, with a handle. */
export async function openPlainFile(
  path: string,
  mode: keyof typeof modes,
  ask: PlainAsk = {},
): Promise<FileHandle> {
  const file = await open(path, flagsOf(mode, ask)).catch((error: unknown) => {
    throw failure(path, error, ask)
  })
  const found = await file.stat()
  if (found.isFile()) return file
  await file.close()
  throw notPlain(path, found, ask)
}

/** The bytes of a plain file of at most `most` bytes; undefined when it has more. Throws as openPlain does. */
export function readPlain(path: string, most: number, ask: PlainAsk = {}): Buffer | undefined {
  const file = openPlain(path, 'r', ask)
  try {
    const { size } = fstatSync(file)
    if (size > most) return undefined
    const bytes = Buffer.alloc(size)
    let got = 0
    for (let more = 1; more > 0 && got < size; got += more) more = readSync(file, bytes, got, size - got, got)
    return bytes.subarray(0, got)
  } finally {
    closeSync(file)
  }
}

/** What stands at a name, in words. */
export function kindOf(
  found: Pick<Stats, 'isFile' | 'isFIFO' | 'isSocket' | 'isDirectory' | 'isSymbolicLink'>,
) {
  if (found.isFile()) return 'a file'
  if (found.isFIFO()) return 'a named pipe'
  if (found.isSocket()) return 'a socket'
  if (found.isDirectory()) return 'a folder'
  return found.isSymbolicLink() ? 'a link' : 'a device'
}

/** The error for what is no plain file. */
export function notPlain(
  path: string,
  found: Parameters<typeof kindOf>[0],
  ask: PlainAsk = {},
): BlockboxError {
  const { code = 'USAGE', remedy = 'name one' } = ask
  return new BlockboxError(code, `${path} is no plain file but ${kindOf(found)}: ${remedy}`)
}

function flagsOf(mode: keyof typeof modes, { links = true }: PlainAsk): number {
  return modes[mode] | O_NONBLOCK | (links ? 0 : O_NOFOLLOW)
}

/** What the system refuses to open because of what it is, by name; else the error of the system. */
function failure(path: string, error: unknown, ask: PlainAsk): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code !== 'ELOOP' && code !== 'ENXIO' && code !== 'ENODEV' && code !== 'EISDIR') return error
  const look = ask.links === false || code === 'ELOOP' ? lstatSync : statSync
  const found = look(path, { throwIfNoEntry: false })
  return found === undefined || found.isFile() ? error : notPlain(path, found, ask)
}
