/**
 * The image port: content that lives outside the recorder and is only read, as the clone of a pair may be. And its
 * adapter for raw files, whose byte n is byte n of the volume.
 */

import type { FileHandle } from 'node:fs/promises'
import { BlockboxError } from '../core/errors.ts'
import { openPlainFile } from '../files/plain-file.ts'

export interface ExternalImage {
  /** Bytes. */
  readonly size: number
  /** The bytes of [offset, offset + length). Throws USAGE when the image is shorter, or what the medium throws. */
  read(offset: number, length: number): Promise<Uint8Array>
  close(): Promise<void>
}

/** Opens the image that a pair names by its path. */
export type OpenImage = (path: string) => Promise<ExternalImage>

/** Opens a raw file to be read. Throws what the file system throws, or USAGE when it is no plain file. */
export const openRawFile: OpenImage = async (path) => {
  const file = await openPlainFile(path, 'r')
  try {
    const { size } = await file.stat()
    return new RawFile(file, path, size)
  } catch (error) {
    await file.close()
    throw error
  }
}

class RawFile implements ExternalImage {
  readonly size: number
  readonly #file: FileHandle
  readonly #path: string

  constructor(file: FileHandle, path: string, size: number) {
    this.#file = file
    this.#path = path
    this.size = size
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length)
    for (let got = 0; got < length; ) {
      const { bytesRead } = await this.#file.read(bytes, got, length - got, offset + got)
      if (bytesRead === 0) {
        throw new BlockboxError('USAGE', `${this.#path} ends at byte ${offset + got}: it became shorter`)
      }
      got += bytesRead
    }
    return bytes
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}
