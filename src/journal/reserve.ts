/** The room that LevelDB needs to open on a full disk (FORMAT.md), kept in a file that can be given up. */

import { closeSync, fstatSync, ftruncateSync, lstatSync, writeSync } from 'node:fs'
import { ofJournal, openPlain } from '../files/plain-file.ts'
import { writeBufferBytes } from './store.ts'

const step = 2 ** 20

/** A file of zeros at least as large as what LevelDB may have to write again when it opens. */
export class Reserve {
  readonly #path: string
  #size: number
  #stored = 0

  constructor(path: string) {
    this.#path = path
    this.#size = lstatSync(path, { throwIfNoEntry: false })?.size ?? 0
  }

  /**
   * Grows with what was stored, up to the write buffers that may be on disk twice. A full disk is left alone. Throws
   * JOURNAL_FOREIGN when something else is in its place.
   */
  cover(bytes: number): void {
    this.#stored += bytes
    const wanted = Math.min(Math.ceil(this.#stored / step + 1) * step, 2 * writeBufferBytes)
    if (this.#size >= wanted) return
    const file = openPlain(this.#path, 'a', ofJournal)
    try {
      this.#size = fstatSync(file).size
      const zeros = new Uint8Array(step)
      for (; this.#size < wanted; this.#size += step) writeSync(file, zeros)
    } catch {
      ftruncateSync(file, this.#size)
      this.#size = Number.MAX_SAFE_INTEGER
    } finally {
      closeSync(file)
    }
  }
}
