/**
 * LevelDB's own files, checked against the checksums they carry (CRC-32C, masked), without LevelDB, which reads them
 * unchecked. Formats: doc/log_format.md and doc/table_format.md of LevelDB 1.20.
 *
 *     log, manifest   blocks of 32 KiB of records:  checksum (4) length (2) type (1) bytes
 *     table           blocks: bytes, type (1) checksum (4);  index block: handle of each;  footer (48): handles, magic
 */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { crc32c } from '../core/crc32c.ts'

const blockBytes = 32 * 1024
const headerBytes = 7
const trailerBytes = 5
const footerBytes = 48
/** Types of record: all of what was written at once, and the last part of it. */
const whole = 1
const last = 4
const magic = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]
const pieceBytes = 2 ** 20

/** A place in a file whose bytes are not what was written. */
export interface FileFault {
  readonly offset: number
  readonly what: string
}

/** A file open for reading, a range at a time. */
class Source {
  readonly size: number
  readonly #file: number

  constructor(path: string) {
    this.#file = openSync(path, 'r')
    this.size = fstatSync(this.#file).size
  }

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

/** The damage in a log or manifest that has whole records behind it; what is torn at the end is no damage. */
export function logFault(path: string): FileFault | undefined {
  return reading(path, (source) => {
    let bad: FileFault | undefined
    for (let start = 0; start < source.size; start += blockBytes) {
      const block = source.bytes(start, blockBytes)
      for (let at = 0; at + headerBytes <= block.length; ) {
        const length = block[at + 4]! | (block[at + 5]! << 8)
        if (isRecord(block, at, length)) {
          if (bad !== undefined) return bad
        } else if (!isZero(block.subarray(at))) bad ??= { offset: start + at, what: 'a record' }
        else break
        at += headerBytes + length
      }
    }
    return undefined
  })
}

/** The whole records of a log or manifest, in order; none from the first damage on. */
export function logRecords(path: string): Uint8Array[] {
  return reading(path, (source) => {
    const records: Uint8Array[] = []
    let parts: Uint8Array[] = []
    for (let start = 0; start < source.size; start += blockBytes) {
      const block = source.bytes(start, blockBytes)
      for (let at = 0; at + headerBytes <= block.length; ) {
        const length = block[at + 4]! | (block[at + 5]! << 8)
        if (!isRecord(block, at, length)) {
          if (isZero(block.subarray(at))) break
          return records
        }
        const type = block[at + 6]!
        parts.push(block.subarray(at + headerBytes, at + headerBytes + length))
        if (type === whole || type === last) {
          records.push(Buffer.concat(parts))
          parts = []
        }
        at += headerBytes + length
      }
    }
    return records
  })
}

function isRecord(block: Uint8Array, at: number, length: number): boolean {
  const end = at + headerBytes + length
  const type = block[at + 6]!
  if (end > block.length || type < 1 || type > 4) return false
  return crc32c(block.subarray(at + 6, end)) === unmasked(block, at)
}

/** The first damage in a table: every byte of it is in the footer or in a block with a checksum. */
export function tableFault(path: string): FileFault | undefined {
  return reading(path, (source) => {
    const footerAt = source.size - footerBytes
    if (footerAt < 0) return { offset: 0, what: 'the footer' }
    const footer = source.bytes(footerAt, footerBytes)
    const handles = new Numbers(footer)
    const meta = handles.handle()
    const index = handles.handle()
    const ends = magic.every((byte, k) => footer[footerBytes - 8 + k] === byte)
    if (!ends || handles.padded || !isZero(footer.subarray(handles.at, footerBytes - 8))) {
      return { offset: footerAt, what: 'the footer' }
    }
    for (const block of [index, meta]) {
      if (!isBlock(source, block)) return { offset: block.offset, what: 'an index block' }
    }
    const found = [...entries(source, index), ...entries(source, meta)].sort((a, b) => a.offset - b.offset)
    let next = 0
    for (const block of [...found, meta, index]) {
      if (block.offset !== next || !isBlock(source, block)) return { offset: next, what: 'a block' }
      next = block.offset + block.length + trailerBytes
    }
    return next === footerAt ? undefined : { offset: next, what: 'the end' }
  })
}

interface Handle {
  readonly offset: number
  readonly length: number
}

/** The handles that the entries of an index block hold. */
function entries(source: Source, { offset, length }: Handle): Handle[] {
  const block = source.bytes(offset, length)
  if (block.length < 4) return []
  const restarts = new DataView(block.buffer, block.byteOffset).getUint32(block.length - 4, true)
  const end = block.length - 4 - 4 * restarts
  const numbers = new Numbers(block)
  const found: Handle[] = []
  while (numbers.at < end) {
    numbers.number()
    const key = numbers.number()
    const value = numbers.number()
    numbers.at += key
    const after = numbers.at + value
    found.push(numbers.handle())
    numbers.at = after
  }
  return found
}

function isBlock(source: Source, { offset, length }: Handle): boolean {
  if (offset + length + trailerBytes > source.size) return false
  let crc = 0
  const end = offset + length + 1
  for (let at = offset; at < end; at += pieceBytes) {
    crc = crc32c(source.bytes(at, Math.min(pieceBytes, end - at)), crc)
  }
  return crc === unmasked(source.bytes(end, 4), 0)
}

/** Numbers of seven bits a byte, read one after the other. */
export class Numbers {
  at = 0
  /** A number was longer than it has to be, which LevelDB never writes. */
  padded = false
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  number(): number {
    let value = 0
    for (let scale = 1; this.at < this.#bytes.length; scale *= 128) {
      const byte = this.#bytes[this.at++]!
      value += (byte & 127) * scale
      if (byte >= 128) continue
      if (byte === 0 && scale > 1) this.padded = true
      break
    }
    return value
  }

  handle(): Handle {
    return { offset: this.number(), length: this.number() }
  }
}

/** Checksums are stored turned and shifted, so that one over bytes with checksums in them is still good. */
function unmasked(bytes: Uint8Array, at: number): number {
  if (bytes.length < at + 4) return -1
  const masked = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
  const turned = (masked - 0xa282ead8) >>> 0
  return ((turned >>> 17) | (turned << 15)) >>> 0
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

function reading<T>(path: string, read: (source: Source) => T): T {
  const source = new Source(path)
  try {
    return read(source)
  } finally {
    source.close()
  }
}
