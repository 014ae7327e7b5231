/**
 * The digest of a sequence of I/O: SHA-256 of a line `op offset length` for every event, `-` for null.
 *
 * Lines are written as bytes into one buffer: making texts of them would cost more than the digest itself.
 */

import { type DigestStream, digestStream } from '../core/digest.ts'
import type { TraceOp } from './event.ts'

const bufferBytes = 64 * 1024
/** No line is longer: an operation, two numbers of 16 digits, two blanks and the end. */
const maxLine = 64
const zero = 48
const blank = 32
const minus = 45
const lineFeed = 10
const billion = 1e9

const words = new Map<TraceOp, Uint8Array>()

export class SequenceDigest {
  readonly #digest: DigestStream = digestStream()
  readonly #buffer = new Uint8Array(bufferBytes)
  #used = 0

  add(op: TraceOp, offset: number | null, length: number | null): void {
    if (this.#used > bufferBytes - maxLine) this.#flush()
    const buffer = this.#buffer
    const word = words.get(op) ?? wordOf(op)
    let at = this.#used
    for (let k = 0; k < word.length; k++) buffer[at++] = word[k]!
    at = putNumber(buffer, at, offset)
    buffer[at++] = blank
    at = putNumber(buffer, at, length)
    buffer[at++] = lineFeed
    this.#used = at
  }

  /** Lower-case hexadecimal; nothing can be added after. */
  hex(): string {
    this.#flush()
    return this.#digest.hex()
  }

  #flush(): void {
    this.#digest.update(this.#buffer.subarray(0, this.#used))
    this.#used = 0
  }
}

function wordOf(op: TraceOp): Uint8Array {
  const word = new TextEncoder().encode(`${op} `)
  words.set(op, word)
  return word
}

/** Writes a whole number below 2^53 in decimal; returns where it ends. */
function putNumber(buffer: Uint8Array, at: number, number: number | null): number {
  if (number === null) {
    buffer[at] = minus
    return at + 1
  }
  if (number < billion) return putSmall(buffer, at, number, 1)
  const high = Math.floor(number / billion)
  return putSmall(buffer, putSmall(buffer, at, high, 1), number - high * billion, 9)
}

/** Writes a number below 10^9 in at least `least` digits. */
function putSmall(buffer: Uint8Array, at: number, number: number, least: number): number {
  let rest = number | 0
  let digits = least
  if (least === 1) for (let ten = 10; digits < 9 && rest >= ten; ten *= 10) digits++
  for (let place = at + digits - 1; place >= at; place--) {
    const next = (rest / 10) | 0
    buffer[place] = zero + rest - next * 10
    rest = next
  }
  return at + digits
}
