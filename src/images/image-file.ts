/**
 * A volume's content as a sparse file: written beside its place under another name, and put there when it is whole.
 *
 *     refuse what is there ─▶ FILE.part-PID of the volume's size ─▶ pieces ─▶ synced ─▶ renamed to FILE
 *                                       └── anything goes wrong ──▶ removed
 */

import { type FileHandle, lstat, open, rename, rm } from 'node:fs/promises'
import { BlockboxError } from '../core/errors.ts'
import { fileReason } from '../core/file-reason.ts'
import type { Piece } from './export.ts'

export interface ImageFile {
  readonly path: string
  /** Bytes of the whole file. */
  readonly size: number
  /** Replaces a file that is there; without it that is refused. */
  readonly force: boolean
}

/**
 * Writes the pieces that are no holes. `onPiece` is called with every piece before it is written, and may throw to
 * stop. Throws USAGE when the file may not be made, or the error of the system.
 */
export async function writeImageFile(
  { path, size, force }: ImageFile,
  pieces: Iterable<Piece> | AsyncIterable<Piece>,
  onPiece: (piece: Piece) => Promise<void>,
): Promise<void> {
  await writeWhole({ path, force }, async (file) => {
    await file.truncate(size)
    for await (const piece of pieces) {
      await onPiece(piece)
      if (piece.hole) continue
      for (let done = 0; done < piece.bytes.length; ) {
        const { bytesWritten } = await file.write(piece.bytes, done, undefined, piece.offset + done)
        done += bytesWritten
      }
    }
  })
}

/**
 * Makes a file that is there whole or not at all: `write` fills it under another name. Throws USAGE when it may not be
 * made, or what `write` throws.
 */
export async function writeWhole(
  { path, force }: Pick<ImageFile, 'path' | 'force'>,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  await refuseWhatIsThere(path, force)
  const part = `${path}.part-${process.pid}`
  const file = await open(part, 'wx').catch((error: unknown) => {
    throw cannotMake(path, error)
  })
  try {
    await write(file)
    await file.sync()
    await file.close()
    await rename(part, path)
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(part, { force: true })
    throw error
  }
}

/** Throws USAGE when there is something at `path` that may not be replaced. */
export async function refuseWhatIsThere(path: string, force: boolean): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw cannotMake(path, error)
  })
  if (found === undefined) return
  if (!found.isFile())
    throw new BlockboxError('USAGE', `${path} is there and is no plain file: name another with -o`)
  if (!force)
    throw new BlockboxError('USAGE', `${path} is there already: name another, or replace it with --force`)
}

/** The error for a file that cannot be made; the error of the system where that says it best. */
export function cannotMake(path: string, error: unknown): unknown {
  const reason = fileReason(error, 'write')
  if (reason === undefined) return error
  return new BlockboxError('USAGE', `cannot write ${path}: ${reason}`, { cause: error })
}
