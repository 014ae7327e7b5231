/** Small files that somebody names: keys, tokens, heads, scenarios. None is read without a bound, or waited for without one. */

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { BlockboxError } from '../core/errors.ts'
import { fileReason } from '../core/file-reason.ts'

const pieceBytes = 2 ** 16
/** A pipe that brings nothing for so long is not waited for any more. */
const silentMs = 5000
const napMs = 20

/**
 * The bytes of a file of at most `most` bytes. Pipes and devices are read as well, as far as that. Throws USAGE when it
 * cannot be read, has more, or is a pipe into which nobody writes.
 */
export function readBounded(path: string, most: number): Buffer {
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (cause) {
    throw unreadable(path, cause)
  }
  try {
    const found = fstatSync(file)
    if (found.size > most) throw tooLong(path, most)
    const pieces: Buffer[] = []
    for (let bytes = 0; ; ) {
      const piece = Buffer.alloc(pieceBytes)
      const got = readWaiting(file, piece)
      if (got === 0 && bytes === 0 && found.isFIFO()) throw silent(path)
      if (got === undefined) throw silent(path)
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

/** Bytes read, 0 at the end; undefined when there were none for too long. */
function readWaiting(file: number, piece: Buffer): number | undefined {
  for (let waited = 0; waited < silentMs; waited += napMs) {
    try {
      return readSync(file, piece, 0, piece.length, null)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, napMs)
  }
  return undefined
}

function unreadable(path: string, cause: unknown): BlockboxError {
  const reason = fileReason(cause, 'read') ?? (cause as Error).message
  return new BlockboxError('USAGE', `${path} cannot be read: ${reason}`, { cause })
}

function silent(path: string): BlockboxError {
  return new BlockboxError(
    'USAGE',
    `${path} is a pipe that brings nothing: write into it first, or name a file`,
  )
}

function tooLong(path: string, most: number): BlockboxError {
  return new BlockboxError('USAGE', `${path} has more than ${most} bytes: this is not the file`)
}
