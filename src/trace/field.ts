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

/** A whole number from 0 to 2^53. Throws TRACE_FORMAT, naming `what`. */
export function whole(word: string, line: number, what: string): number {
  const value = wholeNumber.test(word) ? Number(word) : Number.NaN
  if (Number.isSafeInteger(value)) return value
  throw refusal(line, `the ${what} "${brief(word)}" is no whole number from 0 to 2^53`)
}

/** A whole number of any size, below 10^20. Throws TRACE_FORMAT, naming `what`. */
export function big(word: string, line: number, what: string): bigint {
  if (wholeNumber.test(word)) return BigInt(word)
  throw refusal(line, `the ${what} "${brief(word)}" is no whole number`)
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

/** Nanoseconds as a number. Throws TRACE_FORMAT when they are beyond 2^53, that is 104 days. */
export function safeNs(ns: bigint, line: number): number {
  const value = Number(ns)
  if (Number.isSafeInteger(value)) return value
  throw refusal(line, `the time ${ns} ns is beyond 2^53`)
}
