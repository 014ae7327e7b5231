/**
 * Fields of a line of text, read exactly: whole numbers up to 2^53, decimal times, places counted in sectors.
 *
 * Nothing is guessed: a sign, a blank, an exponent or a digit too many is refused with the number of the line.
 */

import { BlockboxError } from '../core/errors.ts'

/** Bytes of a sector, where a format counts in sectors. */
export const sectorBytes = 512

/** Nanoseconds of a second. */
export const second = 1e9

const nanoDigits = 9
/** So many digits are below 2^53 whatever they are. */
export const exactDigits = 15
const wholeNumber = /^\d{1,20}$/
const decimalNumber = /^(\d{1,20})(?:\.(\d{0,20}))?$/

/** The error for a line that makes no sense. */
export function refusal(line: number, reason: string): BlockboxError {
  return new BlockboxError('TRACE_FORMAT', `line ${line}: ${reason}`)
}

/** A field for a message, cut when it is long. */
export function brief(word: string): string {
  return word.length > 40 ? `${word.slice(0, 40)}...` : word
}

/**
 * The number that the digits from `from` up to, without, `to` say: exact up to 2^53. -1 when there are none, or
 * another character is among them.
 */
export function digits(word: string, from: number, to: number): number {
  if (from >= to) return -1
  let value = 0
  for (let k = from; k < to; k++) {
    const digit = word.charCodeAt(k) - 48
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

/** A whole number from 0 to 2^53. Throws TRACE_FORMAT, naming `what`. */
export function whole(word: string, line: number, what: string): number {
  const { length } = word
  const value = length <= exactDigits ? digits(word, 0, length) : wholeNumber.test(word) ? Number(word) : -1
  if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value
  throw refusal(line, `the ${what} "${brief(word)}" is no whole number from 0 to 2^53`)
}

/** A count of sectors as bytes. Throws TRACE_FORMAT, naming `what`. */
export function sectors(word: string, line: number, what: string): number {
  const value = whole(word, line, what) * sectorBytes
  if (value <= Number.MAX_SAFE_INTEGER) return value
  throw refusal(line, `the ${what} "${brief(word)}" in sectors is beyond 2^53 bytes`)
}

/** Throws TRACE_FORMAT when the range ends beyond 2^53. */
export function safeRange(offset: number, length: number, line: number): void {
  if (offset + length > Number.MAX_SAFE_INTEGER) throw refusal(line, 'the range ends beyond 2^53 bytes')
}

/**
 * A decimal number of units as nanoseconds, what is finer being cut off.
 *
 * @param unitNs nanoseconds of a unit
 */
export function decimalNs(word: string, unitNs: number, line: number, what: string): bigint {
  const parts = decimalNumber.exec(word)
  if (parts === null) throw refusal(line, `the ${what} "${brief(word)}" is no decimal number`)
  const fraction = parts[2] ?? ''
  if (unitNs === second) return BigInt(parts[1]! + fraction.slice(0, nanoDigits).padEnd(nanoDigits, '0'))
  const unit = BigInt(unitNs)
  return BigInt(parts[1]!) * unit + (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length)
}

/** Nanoseconds, when they are below 2^53, that is 104 days. Throws TRACE_FORMAT when they are not. */
export function exactNs(ns: number | bigint, line: number): number {
  const value = Number(ns)
  if (Number.isSafeInteger(value)) return value
  throw refusal(line, `the time ${ns} ns is beyond 2^53`)
}
