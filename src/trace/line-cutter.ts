/**
 * Cuts a stream of text that arrives in pieces of any size into numbered lines.
 *
 * Lines end with LF or CR LF; the last may lack its end. The text is UTF-8; a line is decoded only when it
 * is whole, so a character split between pieces is safe. The whole lines of a piece are decoded at once when
 * each of their characters is one byte, which is much faster, and else one by one.
 */

import { BlockboxError } from '../core/errors.ts'

/** Bytes kept at first for a line that is split. */
const firstRoom = 64 * 1024
const lineFeed = 10
const carriageReturn = 13

/** Receives a line without its end, and its number, from 1. */
export type TakeLine = (text: string, number: number) => void

export class LineCutter {
  readonly #most: number
  /** Grows with the longest line that is split between pieces. */
  #held: Uint8Array
  readonly #decoder = new TextDecoder()
  #heldBytes = 0
  #number = 0

  /** @param most the most bytes a line may have, its end not counted */
  constructor(most: number) {
    this.#most = most
    this.#held = new Uint8Array(Math.min(most + 1, firstRoom))
  }

  /** The number of the line that comes next, or is under way. */
  get next(): number {
    return this.#number + 1
  }

  /** Hands every line that `piece` completes to `take`. Throws TRACE_FORMAT for a line that is too long. */
  push(piece: Uint8Array, take: TakeLine): void {
    let from = 0
    if (this.#heldBytes > 0) {
      from = piece.indexOf(lineFeed) + 1
      this.#hold(piece.subarray(0, from === 0 ? piece.length : from - 1))
      if (from === 0) return
      this.#giveHeld(take)
    }
    const end = piece.lastIndexOf(lineFeed)
    if (end >= from) this.#giveBlock(piece.subarray(from, end), take)
    this.#hold(piece.subarray(Math.max(from, end + 1)))
  }

  /** Hands over the last line when it has no end. */
  end(take: TakeLine): void {
    if (this.#heldBytes > 0) this.#giveHeld(take)
  }

  #giveBlock(block: Uint8Array, take: TakeLine): void {
    const text = this.#decoder.decode(block)
    if (text.length === block.length) {
      for (const line of text.split('\n')) {
        const whole = line.endsWith('\r') ? line.slice(0, -1) : line
        if (whole.length > this.#most) this.#tooLong()
        this.#number++
        take(whole, this.#number)
      }
      return
    }
    for (let from = 0; from <= block.length; ) {
      const end = block.indexOf(lineFeed, from)
      const line = block.subarray(from, end < 0 ? block.length : end)
      this.#give(line, take)
      from += line.length + 1
    }
  }

  #hold(part: Uint8Array): void {
    if (this.#heldBytes + part.length > this.#most + 1) this.#tooLong()
    if (this.#heldBytes + part.length > this.#held.length) this.#grow(this.#heldBytes + part.length)
    this.#held.set(part, this.#heldBytes)
    this.#heldBytes += part.length
  }

  #grow(bytes: number): void {
    const held = new Uint8Array(Math.min(this.#most + 1, Math.max(bytes, 2 * this.#held.length)))
    held.set(this.#held)
    this.#held = held
  }

  #giveHeld(take: TakeLine): void {
    const line = this.#held.subarray(0, this.#heldBytes)
    this.#heldBytes = 0
    this.#give(line, take)
  }

  #give(line: Uint8Array, take: TakeLine): void {
    const ends = line[line.length - 1] === carriageReturn ? line.length - 1 : line.length
    if (ends > this.#most) this.#tooLong()
    this.#number++
    take(this.#decoder.decode(line.subarray(0, ends)), this.#number)
  }

  #tooLong(): never {
    throw new BlockboxError(
      'TRACE_FORMAT',
      `line ${this.next} has more than ${this.#most} bytes: this is not a trace of the format it is read as; name another with --format`,
    )
  }
}
