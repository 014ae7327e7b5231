/**
 * Segments: files of payload, one piece behind the other, so that LevelDB need not hold it, which would write it twice and
 * again each time that tables are merged. What lies where is the database's to know (segmented-store.ts, FORMAT.md).
 *
 *     payload/00000001   piece, piece, ...     full, or of a process that is gone: never changed again
 *     payload/00000002   piece, piece, ...     appended to
 *
 * Every process that writes begins a file of its own, so that what a crash left behind the last piece is never written
 * over. The order in which names and data become durable is decided here; the files are a folder's (segment-folder.ts).
 */

import type { SegmentFile, SegmentFolder } from './segment-folder.ts'

/** Where some bytes are in which segment. */
export interface Stretch {
  readonly segment: number
  readonly offset: number
  readonly length: number
}

/** The segment that is appended to. */
interface Filled {
  readonly segment: number
  readonly file: SegmentFile
  size: number
}

/** A segment that has so many bytes takes no more. */
const fullBytes = 256 * 2 ** 20
/** Segments open for reading at once. */
const maxOpen = 64

export class Segments {
  readonly #folder: SegmentFolder
  readonly #open = new Map<number, SegmentFile>()
  #filled: Filled | undefined

  /** @param folder made when the first segment is. */
  constructor(folder: SegmentFolder) {
    this.#folder = folder
  }

  /**
   * Appends `parts`; resolves with where they are when they are durable, or, without `sync`, written. One append at a
   * time. After an error the segment takes no more: what is behind its last piece is not known.
   */
  async append(parts: readonly Uint8Array[], sync: boolean): Promise<Stretch[]> {
    const filled = this.#room()
    this.#filled = undefined
    const { segment, file, size } = filled
    let offset = size
    const stretches = parts.map(({ length }) => {
      const stretch = { segment, offset, length }
      offset += length
      return stretch
    })
    try {
      let at = size
      for (const run of joined(parts)) {
        const written = file.write(run, at)
        if (written !== undefined) await written
        at += run.length
      }
      if (sync) await file.sync()
    } catch (error) {
      file.close()
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
    const there = Math.max(0, Math.min(length, file.size() - offset))
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(there).buffer)
    let done = 0
    while (done < there) {
      const more = file.read(bytes.subarray(done), offset + done)
      if (more === 0) break
      done += more
    }
    return bytes.subarray(0, done)
  }

  close(): void {
    this.#filled?.file.close()
    this.#filled = undefined
    for (const file of this.#open.values()) file.close()
    this.#open.clear()
  }

  /**
   * The segment that takes what comes; a new one's name is durable before anything is in it, and the folder's, which a
   * process that made it may have left without.
   */
  #room(): Filled {
    if (this.#filled !== undefined && this.#filled.size < fullBytes) return this.#filled
    this.#filled?.file.close()
    this.#filled = undefined
    const numbers = this.#folder.numbers()
    if (numbers === undefined) this.#folder.make()
    this.#folder.syncOwnName()
    const segment = (numbers ?? []).reduce((most, one) => Math.max(most, one), 0) + 1
    const file = this.#folder.create(segment)
    try {
      this.#folder.syncNames()
    } catch (error) {
      file.close()
      throw error
    }
    this.#filled = { segment, file, size: 0 }
    return this.#filled
  }

  #reader(segment: number): SegmentFile | undefined {
    const there = this.#open.get(segment)
    if (there !== undefined) return there
    const file = this.#folder.open(segment)
    if (file === undefined) return undefined
    const [oldest] = this.#open
    if (oldest !== undefined && this.#open.size >= maxOpen) {
      oldest[1].close()
      this.#open.delete(oldest[0])
    }
    this.#open.set(segment, file)
    return file
  }
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
