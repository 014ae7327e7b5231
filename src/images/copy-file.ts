/**
 * A copy as a sparse file: written beside its place as FILE.part, which stays when the copy is cut off, and renamed when
 * it is whole.
 */

import { type FileHandle, rename, rm } from 'node:fs/promises'
import { BlockboxError } from '../core/errors.ts'
import { madeBeside, openPlainFile } from '../files/plain-file.ts'
import type { CopyTarget, TargetAsk } from './copy-target.ts'
import type { Piece } from './export.ts'
import { cannotMake, refuseWhatIsThere } from './image-file.ts'

/** Throws USAGE when the file may not be made, or what is to be gone on from is not there. */
export async function openCopyFile({ target, size, from, force }: TargetAsk): Promise<CopyTarget> {
  await refuseWhatIsThere(target, force)
  const part = `${target}.part`
  if (from === undefined) {
    const file = await openPlainFile(part, 'w+', madeBeside).catch((error: unknown) => {
      throw cannotMake(target, error)
    })
    await file.truncate(size)
    return new CopyFile(file, part, target)
  }
  const file = await openPlainFile(part, 'r+', madeBeside).catch((cause: unknown) => {
    if (cause instanceof BlockboxError) throw cause
    throw new BlockboxError('USAGE', `${part} cannot be gone on from: begin anew`, { cause })
  })
  const { size: there } = await file.stat()
  if (there === size) return new CopyFile(file, part, target)
  await file.close()
  throw new BlockboxError('USAGE', `${part} has ${there} bytes, the volume ${size}: begin anew`)
}

class CopyFile implements CopyTarget {
  readonly #file: FileHandle
  readonly #part: string
  readonly #path: string

  constructor(file: FileHandle, part: string, path: string) {
    this.#file = file
    this.#part = part
    this.#path = path
  }

  async write({ offset, bytes }: Piece): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, done, undefined, offset + done)
      done += bytesWritten
    }
  }

  sync(): Promise<void> {
    return this.#file.sync()
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length)
    for (let got = 0; got < length; ) {
      const { bytesRead } = await this.#file.read(bytes, got, length - got, offset + got)
      if (bytesRead === 0) throw new BlockboxError('USAGE', `${this.#part} became shorter: begin anew`)
      got += bytesRead
    }
    return bytes
  }

  async finish(): Promise<void> {
    await this.#file.close()
    await rename(this.#part, this.#path)
  }

  async close(remove = false): Promise<void> {
    await this.#file.close()
    if (remove) await rm(this.#part, { force: true })
  }
}
