/** Small files that somebody names: keys, tokens, heads, scenarios. None is read without a bound. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { BlockboxError } from '../src/core/errors.ts'
import { fileReason } from '../src/core/file-reason.ts'

const pieceBytes = 2 ** 16

/**
 * The bytes of a file of at most `most` bytes. Pipes and devices are read as well, as far as that.
 * Throws USAGE when it cannot be read or has more.
 */
export function readBounded(path: string, most: number): Buffer {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (cause) {
    throw unreadable(path, cause)
  }
  try {
    if (fstatSync(file).size > most) throw tooLong(path, most)
    const pieces: Buffer[] = []
    for (let bytes = 0; ; ) {
      const piece = Buffer.alloc(pieceBytes)
      const got = readSync(file, piece, 0, pieceBytes, null)
      if (got === 0) return Buffer.concat(pieces)
      bytes += got
      if (bytes > most) throw tooLong(path, most)
      pieces.push(piece.subarray(0, got))
    }
  } catch (cause) {
    if (cause instanceof BlockboxError) throw cause
    throw unreadable(path, cause)
  } finally {
    closeSync(file)
  }
}

function unreadable(path: string, cause: unknown): BlockboxError {
  const reason = fileReason(cause, 'read') ?? (cause as Error).message
  return new BlockboxError('USAGE', `${path} cannot be read: ${reason}`, { cause })
}

function tooLong(path: string, most: number): BlockboxError {
  return new BlockboxError('USAGE', `${path} has more than ${most} bytes: this is not the file`)
}
