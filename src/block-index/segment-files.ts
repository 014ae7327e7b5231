/** The files of a block index: segments in the order of their events, written whole or not at all. */

import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { BlockboxError } from '../core/errors.ts'
import { fileReason } from '../core/file-reason.ts'
import { Segment } from './segment.ts'

const form = /^blocks-(\d{16})\.seg$/

/** Where the segments of an index are kept. */
export type Segments = Pick<SegmentFiles, 'firsts' | 'open' | 'write' | 'remove'>

/** Segments that stay as they are in a folder where nothing is written; what is added is kept in memory. */
export class UnwrittenSegments implements Segments {
  readonly #files: SegmentFiles
  readonly #added = new Map<number, Uint8Array>()
  readonly #removed = new Set<number>()

  constructor(folder: string) {
    this.#files = new SegmentFiles(folder)
  }

  firsts(): number[] {
    const kept = this.#files.firsts().filter((first) => !this.#removed.has(first) && !this.#added.has(first))
    return [...kept, ...this.#added.keys()].sort((a, b) => a - b)
  }

  open(first: number): Segment {
    const bytes = this.#added.get(first)
    if (bytes === undefined) return this.#files.open(first)
    return new Segment((offset, length) => bytes.subarray(offset, offset + length))
  }

  write(first: number, bytes: Uint8Array): void {
    this.#added.set(first, bytes)
  }

  remove(firsts: readonly number[]): void {
    for (const first of firsts) {
      this.#added.delete(first)
      this.#removed.add(first)
    }
  }
}

export class SegmentFiles {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** The first events of the segments that are there, ascending. */
  firsts(): number[] {
    if (!existsSync(this.#folder)) return []
    return readdirSync(this.#folder)
      .flatMap((name) => form.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b)
  }

  /** Opens a segment. Throws SegmentDamaged. */
  open(first: number): Segment {
    const path = this.#path(first)
    return new Segment((offset, length) => readPart(path, offset, length))
  }

  /** Writes a segment; when this returns it is there after a crash, whole, or the one before it is. Throws USAGE. */
  write(first: number, bytes: Uint8Array): void {
    const path = this.#path(first)
    try {
      mkdirSync(this.#folder, { recursive: true })
      const file = openSync(`${path}.new`, 'w')
      try {
        for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
      renameSync(`${path}.new`, path)
    } catch (cause) {
      const why = fileReason(cause, 'write') ?? (cause instanceof Error ? cause.message : String(cause))
      const message = `the index cannot be written (${why}): make room, or name another folder with --index DIR`
      throw new BlockboxError('USAGE', message, { cause })
    }
  }

  /** Removes segments, and what was left half written. */
  remove(firsts: readonly number[]): void {
    for (const first of firsts) rmSync(this.#path(first), { force: true })
    if (!existsSync(this.#folder)) return
    for (const name of readdirSync(this.#folder)) {
      if (/^blocks-\d{16}\.seg\.new$/.test(name)) rmSync(join(this.#folder, name), { force: true })
    }
  }

  #path(first: number): string {
    return join(this.#folder, `blocks-${String(first).padStart(16, '0')}.seg`)
  }
}

/** As much of [offset, offset + length) as the file has. */
function readPart(path: string, offset: number, length: number): Uint8Array {
  const file = openSync(path, 'r')
  try {
    const bytes = new Uint8Array(length)
    let got = 0
    while (got < length) {
      const some = readSync(file, bytes, got, length - got, offset + got)
      if (some === 0) break
      got += some
    }
    return bytes.subarray(0, got)
  } finally {
    closeSync(file)
  }
}
