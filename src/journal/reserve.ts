/** The reserve of a journal's folder: room that LevelDB needs to open on a full disk, kept as a file of zeros (FORMAT.md). */

import { closeSync, existsSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs'
import { writeBufferBytes } from './store.ts'

const reserveStep = 2 ** 20

/** A file of zeros at least as large as what LevelDB may have to write again when it opens. */
export class Reserve {
  readonly #path: string
  #size: number
  #stored = 0

  constructor(path: string) {
    this.#path = path
    this.#size = existsSync(path) ? statSync(path).size : 0
  }

  /** Grows with what was stored, up to the write buffers that may be on disk twice. A full disk is left alone. */
  cover(bytes: number): void {
    this.#stored += bytes
    const wanted = Math.min(Math.ceil(this.#stored / reserveStep + 1) * reserveStep, 2 * writeBufferBytes)
    if (this.#size >= wanted) return
    const file = openSync(this.#path, 'a')
    try {
      const zeros = new Uint8Array(reserveStep)
      for (; this.#size < wanted; this.#size += reserveStep) writeSync(file, zeros)
    } catch {
      ftruncateSync(file, this.#size)
      this.#size = Number.MAX_SAFE_INTEGER
    } finally {
      closeSync(file)
    }
  }
}
