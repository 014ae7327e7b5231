/**
 * Fields of NBD messages: big-endian numbers and texts, read from a message of known length or put into a new one.
 *
 * 64-bit offsets become numbers: beyond 2^53 they are rounded, which no bound check minds, for no export is that large.
 */

import { protocolBroken } from './nbd-error.ts'

export function u16(b: Uint8Array, at: number): number {
  return (b[at]! << 8) | b[at + 1]!
}

export function u32(b: Uint8Array, at: number): number {
  return ((b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!) >>> 0
}

export function u64(b: Uint8Array, at: number): number {
  return u32(b, at) * 2 ** 32 + u32(b, at + 4)
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/** Reads a message from front to back. Throws NBD_PROTOCOL past its end and for what is no UTF-8. */
export class FieldReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  u16(): number {
    return u16(this.#bytes, this.#skip(2))
  }

  u32(): number {
    return u32(this.#bytes, this.#skip(4))
  }

  u64(): number {
    return u64(this.#bytes, this.#skip(8))
  }

  /** `length` bytes of text, no longer than `most`. */
  text(length: number, most: number): string {
    if (length > most) throw protocolBroken(`a text of ${length} bytes, more than ${most}`)
    const at = this.#skip(length)
    try {
      return decoder.decode(this.#bytes.subarray(at, at + length))
    } catch {
      throw protocolBroken('a text that is no UTF-8')
    }
  }

  /** Throws unless everything was read. */
  end(): void {
    if (this.left > 0) throw protocolBroken(`${this.left} bytes more than the message should have`)
  }

  #skip(bytes: number): number {
    const at = this.#at
    if (bytes > this.left) throw protocolBroken('a message shorter than its own fields')
    this.#at += bytes
    return at
  }
}

/** Puts fields one behind the other. */
export class FieldWriter {
  readonly #parts: Uint8Array[] = []

  u16(value: number): this {
    return this.bytes(new Uint8Array([value >>> 8, value & 255]))
  }

  u32(value: number): this {
    return this.bytes(new Uint8Array([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]))
  }

  /** A whole number below 2^53, or two words. */
  u64(value: number | readonly [number, number]): this {
    const [high, low] = typeof value === 'number' ? [Math.floor(value / 2 ** 32), value >>> 0] : value
    return this.u32(high).u32(low)
  }

  /** A text with its length in front. */
  counted(text: string): this {
    const bytes = encoder.encode(text)
    return this.u32(bytes.length).bytes(bytes)
  }

  text(text: string): this {
    return this.bytes(encoder.encode(text))
  }

  bytes(bytes: Uint8Array): this {
    this.#parts.push(bytes)
    return this
  }

  done(): Uint8Array {
    const all = new Uint8Array(this.#parts.reduce((sum, part) => sum + part.length, 0))
    let at = 0
    for (const part of this.#parts) {
      all.set(part, at)
      at += part.length
    }
    return all
  }
}

/** How many bytes a text takes. */
export function textBytes(text: string): number {
  return encoder.encode(text).length
}
