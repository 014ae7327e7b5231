/** Short texts that go where somebody says: a head at the end of a file of heads, a number of a process. */

import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { BlockboxError } from '../core/errors.ts'
import { fileReason } from '../core/file-reason.ts'

const { O_WRONLY, O_CREAT, O_APPEND, O_TRUNC, O_NONBLOCK } = constants

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
    const reason = fileReason(cause, 'write') ?? (cause as Error).message
    throw new BlockboxError('USAGE', `cannot write ${path}: ${reason}. Name another file`, { cause })
  }
}
