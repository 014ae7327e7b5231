/**
 * Cuts a stream of bytes that arrives in pieces of any size into records of a known size.
 *
 * A record that lies inside one piece is a view of that piece; one that spans pieces is copied once, into
 * memory that grows with the bytes that really came, never with the size a header claims.
 */

import { assert } from '../core/assert.ts'

const firstCapacity = 64 * 1024

export class ByteCutter {
  #piece: Uint8Array = new Uint8Array(0)
  #at = 0
  #offset = 0
  #held = 0
  /** Fills with the start of a record that spans pieces. */
  #filling: Uint8Array = new Uint8Array(0)
  /** Holds the last record that spanned pieces, on loan until the next push. */
  #lent: Uint8Array = new Uint8Array(0)

  /** Place in the stream of the next byte to be taken. */
  get offset(): number {
    return this.#offset
  }

  /** Bytes that have come and are not taken. */
  get waiting(): number {
    return this.#held + this.#piece.length - this.#at
  }

  /** The next piece; the one before must be used up: `take` gave undefined, or `waiting` is 0. */
  push(piece: Uint8Array): void {
    assert(this.#at === this.#piece.length, 'a piece is used up before the next')
    this.#piece = piece
    this.#at = 0
  }

  /**
   * The next `size` bytes, valid until the next push; undefined when they have not all come, and then the
   * caller asks for the same size again after the next push.
   */
  take(size: number): Uint8Array | undefined {
    const wanted = size - this.#held
    const from = this.#at
    const here = Math.min(wanted, this.#piece.length - from)
    if (this.#held === 0 && here === size) {
      this.#at += size
      this.#offset += size
      return this.#piece.subarray(from, from + size)
    }
    this.#reserve(this.#held + here, size)
    this.#filling.set(this.#piece.subarray(from, from + here), this.#held)
    this.#held += here
    this.#at += here
    if (here < wanted) return undefined
    const record = this.#filling.subarray(0, size)
    const lent = this.#filling
    this.#filling = this.#lent
    this.#lent = lent
    this.#held = 0
    this.#offset += size
    return record
  }

  /** Forgets every byte that has come. */
  drop(): void {
    this.#offset += this.waiting
    this.#held = 0
    this.#at = this.#piece.length
  }

  #reserve(needed: number, size: number): void {
    if (this.#filling.length >= needed) return
    const capacity = Math.min(
      Math.max(firstCapacity, this.#filling.length * 2, needed),
      Math.max(size, needed),
    )
    const grown = new Uint8Array(capacity)
    grown.set(this.#filling.subarray(0, this.#held))
    this.#filling = grown
  }
}
