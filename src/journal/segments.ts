/**
 * Segments: files of payload, one piece behind the other, so that LevelDB need not hold it, which would write it twice and
 * again each time that tables are merged. What lies where is the database's to know (segmented-store.ts, FORMAT.md).
 *
 *     payload/00000001   piece, piece, ...     full, or of a process that is gone: never changed again
 *     payload/00000002   piece, piece, ...     appended to
 *
 * Every process that writes begins a file of its own, so that what a crash left behind the last piece is never written
 * over.
 */

import {
  closeSync,
  constants,
  existsSync,
  fdatasync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  write,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { syncFolder } from './head-file.ts'

/** Where some bytes are in which segment. */
export interface Stretch {
  readonly segment: number
  readonly offset: number
  readonly length: number
}

/** A segment that has so many bytes takes no more. */
const fullBytes = 256 * 2 ** 20
/** Up to this many bytes are handed to the kernel at once; more would let everybody wait. */
const blockingBytes = 256 * 2 ** 10
/** Segments open for reading at once. */
const maxOpen = 64

const writing = promisify(write)
const syncing = promisify(fdatasync)

export class Segments {
  readonly #folder: string
  readonly #open = new Map<number, number>()
  #filled: { readonly segment: number; readonly file: number; size: number } | undefined

  /** @param folder made when the first segment is. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * Appends `parts`; resolves with where they are when they are durable, or, without `sync`, written. One append at a
   * time. After an error the segment takes no more: what is behind its last piece is not known.
   */
  async append(parts: readonly Uint8Array[], sync: boolean): Promise<Stretch[]> {
    const { segment, file, size } = this.#room()
    const filled = this.#filled!
    this.#filled = undefined
    let offset = size
    const stretches = parts.map(({ length }) => {
      const stretch = { segment, offset, length }
      offset += length
      return stretch
    })
    try {
      let at = size
      for (const run of joined(parts)) {
        await writeAll(file, run, at)
        at += run.length
      }
      if (sync) await syncing(file)
    } catch (error) {
      closeSync(file)
      throw error
    }
    filled.size = offset
    this.#filled = filled
    return stretches
  }

  /** The bytes of a stretch, fewer where the segment ends before it; none when there is no such segment. */
  read({ segment, offset, length }: Stretch): Uint8Array {
    const file = this.#reader(segment)
    if (file === undefined) return new Uint8Array(0)
    const found = fstatSync(file)
    const there = found.isFile() ? Math.max(0, Math.min(length, found.size - offset)) : 0
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(there).buffer)
    let done = 0
    while (done < there) {
      const more = readSync(file, bytes, done, there - done, offset + done)
      if (more === 0) break
      done += more
    }
    return bytes.subarray(0, done)
  }

  close(): void {
    if (this.#filled !== undefined) closeSync(this.#filled.file)
    this.#filled = undefined
    for (const file of this.#open.values()) closeSync(file)
    this.#open.clear()
  }

  /** The segment that takes what comes; a new one's name is durable before anything is in it. */
  #room(): { readonly segment: number; readonly file: number; readonly size: number } {
    if (this.#filled !== undefined && this.#filled.size < fullBytes) return this.#filled
    if (this.#filled !== undefined) closeSync(this.#filled.file)
    this.#filled = undefined
    if (!existsSync(this.#folder)) {
      mkdirSync(this.#folder)
      syncFolder(dirname(this.#folder))
    }
    const segment = numbersIn(this.#folder).reduce((most, one) => Math.max(most, one), 0) + 1
    const file = openSync(join(this.#folder, nameOf(segment)), 'wx')
    syncFolder(this.#folder)
    this.#filled = { segment, file, size: 0 }
    return this.#filled
  }

  #reader(segment: number): number | undefined {
    const there = this.#open.get(segment)
    if (there !== undefined) return there
    const path = join(this.#folder, nameOf(segment))
    if (!existsSync(path)) return undefined
    const [oldest] = this.#open
    if (oldest !== undefined && this.#open.size >= maxOpen) {
      closeSync(oldest[1])
      this.#open.delete(oldest[0])
    }
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    this.#open.set(segment, file)
    return file
  }
}

function nameOf(segment: number): string {
  return segment.toString().padStart(8, '0')
}

function numbersIn(folder: string): number[] {
  return readdirSync(folder).flatMap((name) => (/^\d{8,}$/.test(name) ? [Number(name)] : []))
}

/** Parts that lie side by side in memory as one. */
function joined(parts: readonly Uint8Array[]): Uint8Array[] {
  const runs: Uint8Array[] = []
  for (const part of parts) {
    const last = runs.at(-1)
    const follows = last?.buffer === part.buffer && last.byteOffset + last.length === part.byteOffset
    if (last === undefined || !follows) runs.push(part)
    else runs[runs.length - 1] = new Uint8Array(last.buffer, last.byteOffset, last.length + part.length)
  }
  return runs
}

async function writeAll(file: number, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const left = bytes.length - done
    if (left <= blockingBytes) done += writeSync(file, bytes, done, left, at + done)
    else done += (await writing(file, bytes, done, left, at + done)).bytesWritten
  }
}
