/** The anchor of durable appending: one file that grows, a blocking write and fdatasync a commit. */

import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'

export class FileSide {
  readonly #file: number
  readonly #bytes: Uint8Array

  /** @param bytes what each commit appends. */
  constructor(path: string, bytes: number) {
    this.#file = openSync(path, 'a')
    this.#bytes = new Uint8Array(bytes).fill(0x5a)
  }

  commit(): void {
    writeSync(this.#file, this.#bytes)
    fdatasyncSync(this.#file)
  }

  close(): void {
    closeSync(this.#file)
  }
}
