/**
 * Where segments lie: a folder of numbered files, told apart from what is done in which order (segments.ts), so that the
 * same order stands over files that a test lets fail.
 *
 *     payload/          made, then its own name synced
 *     payload/00000001  made, then the folder's names synced; written, then its data synced
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

/** Errors are those of the system; nothing is tried again. */
export interface SegmentFolder {
  /** Numbers of the segments that are there; undefined when there is no folder. */
  numbers(): readonly number[] | undefined
  /** Makes the folder, whose name is not durable yet. */
  make(): void
  /** Makes the folder's own name durable. */
  syncOwnName(): void
  /** Makes the file of a segment that is not there; its name is not durable yet. */
  create(segment: number): SegmentFile
  /** Makes the names of all segments durable. */
  syncNames(): void
  /** The file of a segment, to be read; undefined when there is none. */
  open(segment: number): SegmentFile | undefined
}

export interface SegmentFile {
  /** Bytes it has; 0 of what is no file. */
  size(): number
  /** Fills `into` with the bytes from `at` on; returns how many there were, perhaps fewer than there are. */
  read(into: Uint8Array, at: number): number
  /** Writes all of `bytes` at `at`: at once, or, where that would let everybody wait, by the time it resolves. */
  write(bytes: Uint8Array, at: number): Promise<void> | undefined
  /** Resolves when all that was written is durable. */
  sync(): Promise<void>
  close(): void
}

/** Up to this many bytes are handed to the kernel at once; more would let everybody wait. */
const blockingBytes = 256 * 2 ** 10

const writing = promisify(write)
const syncing = promisify(fdatasync)

/** The folder of segments at `path`, which need not exist. */
export function segmentFolder(path: string): SegmentFolder {
  return {
    numbers: () => (existsSync(path) ? numbersIn(path) : undefined),
    make: () => mkdirSync(path),
    syncOwnName: () => syncFolder(dirname(path)),
    create: (segment) => new OpenSegment(openSync(join(path, segmentName(segment)), 'wx')),
    syncNames: () => syncFolder(path),
    open(segment) {
      const file = join(path, segmentName(segment))
      if (!existsSync(file)) return undefined
      return new OpenSegment(openSync(file, constants.O_RDONLY | constants.O_NONBLOCK))
    },
  }
}

class OpenSegment implements SegmentFile {
  readonly #file: number

  constructor(file: number) {
    this.#file = file
  }

  size(): number {
    const found = fstatSync(this.#file)
    return found.isFile() ? found.size : 0
  }

  read(into: Uint8Array, at: number): number {
    return readSync(this.#file, into, 0, into.length, at)
  }

  write(bytes: Uint8Array, at: number): Promise<void> | undefined {
    if (bytes.length > blockingBytes) return this.#writeWaiting(bytes, at)
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#file, bytes, done, bytes.length - done, at + done)
    }
    return undefined
  }

  sync(): Promise<void> {
    return syncing(this.#file)
  }

  close(): void {
    closeSync(this.#file)
  }

  async #writeWaiting(bytes: Uint8Array, at: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      done += (await writing(this.#file, bytes, done, bytes.length - done, at + done)).bytesWritten
    }
  }
}

/** The name of a segment's file. */
export function segmentName(segment: number): string {
  return segment.toString().padStart(8, '0')
}

function numbersIn(folder: string): number[] {
  return readdirSync(folder).flatMap((name) => (/^\d{8,}$/.test(name) ? [Number(name)] : []))
}
