/**
 * What LevelDB's own files have in common: ranges of bytes, numbers of seven bits a byte, checksums (CRC-32C, masked).
 * LevelDB itself reads most of them unchecked. Formats: doc/log_format.md and doc/table_format.md of LevelDB 1.20.
 */

import { closeSync, fstatSync, readSync } from 'node:fs'
import { ofJournal, openPlain, type PlainAsk } from '../files/plain-file.ts'

/** A place in a file whose bytes are not what was written. */
export interface FileFault {
  readonly offset: number
  readonly what: string
}

/** A plain file open for reading, a range at a time. */
export class Source {
  readonly size: number
  readonly #file: number

  constructor(path: string, ask: PlainAsk) {
    this.#file = openPlain(path, 'r', ask)
    this.size = fstatSync(this.#file).size
  }

  /** The bytes of a range, fewer where the file ends before it does. */
  bytes(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.size - offset)))
    let got = 0
    for (let more = 1; more > 0 && got < bytes.length; got += more) {
      more = readSync(this.#file, bytes, got, bytes.length - got, offset + got)
    }
    return bytes.subarray(0, got)
  }

  close(): void {
    closeSync(this.#file)
  }
}

/** Opens a file for as long as `read` takes: one of a journal, unless it is asked for otherwise. Throws as openPlain does. */
export function reading<T>(path: string, read: (source: Source) => T, ask: PlainAsk = ofJournal): T {
  const source = new Source(path, ask)
  try {
    return read(source)
  } finally {
    source.close()
  }
}

/** Bytes of the longest number of 64 bits. */
const numberBytes = 10

/** Numbers of seven bits a byte, read one after the other. */
export class Numbers {
  at: number
  /** A number was longer than it has to be, which LevelDB never writes. */
  padded = false
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes
    this.at = at
  }

  /** The next number; Infinity where there is none, because the bytes end or it has too many. */
  number(): number {
    let value = 0
    for (let k = 0, scale = 1; k < numberBytes && this.at < this.#bytes.length; k++, scale *= 128) {
      const byte = this.#bytes[this.at++]!
      value += (byte & 127) * scale
      if (byte >= 128) continue
      if (byte === 0 && scale > 1) this.padded = true
      return value
    }
    return Number.POSITIVE_INFINITY
  }
}

/** Checksums are stored turned and shifted, so that one over bytes with checksums in them is still good. */
export function unmasked(bytes: Uint8Array, at: number): number {
  if (bytes.length < at + 4) return -1
  const masked = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
  const turned = (masked - 0xa282ead8) >>> 0
  return ((turned >>> 17) | (turned << 15)) >>> 0
}

export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}
