/** Short texts that go where somebody says: a head at the end of a file of heads, a number of a process. */

import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { BlockboxError } from '../core/errors.ts'

const { O_WRONLY, O_CREAT, O_APPEND, O_TRUNC, O_NONBLOCK } = constants
const reasons: Readonly<Record<string, string>> = {
  ENXIO: 'it is a pipe that nobody reads, or a socket',
  EAGAIN: 'it is a pipe that nobody empties',
  EISDIR: 'it is a folder',
  ENOENT: 'its folder does not exist',
  ELOOP: 'it is a link to itself',
}

/**
 * Writes `text` to `path`: behind what is there, or in its place. A pipe takes it when somebody reads there. Throws USAGE
 * when it cannot be written whole.
 */
export function writeShort(path: string, text: string, how: 'append' | 'replace'): void {
  const bytes = Buffer.from(text)
  try {
    const file = openSync(
      path,
      O_WRONLY | O_CREAT | O_NONBLOCK | (how === 'append' ? O_APPEND : O_TRUNC),
      0o666,
    )
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
    } finally {
      closeSync(file)
    }
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException
    const text = `${path} cannot be written: ${reasons[code] ?? message}. Name another file`
    throw new BlockboxError('USAGE', text, { cause })
  }
}
