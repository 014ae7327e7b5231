/** The backup store: raw image files in one folder, by their names. */

import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { digestStream } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import { fileReason } from '../core/file-reason.ts'

const pieceBytes = 2 ** 20

export interface Image {
  readonly name: string
  readonly size: number
  /** SHA-256 of its bytes, lower-case hexadecimal; empty where it cannot be known beforehand. */
  readonly digest: string
  /** Bytes from `offset` on; zeros behind the end of the image. */
  read(offset: number, length: number): Promise<Uint8Array>
  close(): Promise<void>
}

export interface ImageStore {
  /** Opens an image. Throws USAGE when there is none of that name. */
  open(name: string): Promise<Image>
}

/** The images in folder `path`; one that is opened is read once for its digest. */
export function imageFolder(path: string): ImageStore {
  return {
    async open(name) {
      if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name)) {
        throw new BlockboxError('USAGE', `${JSON.stringify(name)} is no name of an image`)
      }
      let file: FileHandle
      try {
        file = await open(join(path, name), 'r')
      } catch (cause) {
        const reason = fileReason(cause, 'read') ?? (cause as Error).message
        throw new BlockboxError('USAGE', `the image ${name} cannot be opened: ${reason}`, { cause })
      }
      try {
        const found = await file.stat()
        const { size } = found
        if (!found.isFile()) throw new BlockboxError('USAGE', `the image ${name} is no plain file`)
        const digest = digestStream()
        for (let at = 0; at < size; at += pieceBytes)
          digest.update(await piece(file, at, Math.min(pieceBytes, size - at)))
        return {
          name,
          size,
          digest: digest.hex(),
          read: (offset, length) => piece(file, offset, length),
          close: () => file.close(),
        }
      } catch (error) {
        await file.close()
        throw error
      }
    },
  }
}

async function piece(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return bytes
}
