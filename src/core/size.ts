/**
 * Sizes as people write them: `512`, `4K`, `64MiB`, `1.5G`. Suffixes are powers of 1024, in either case, with or
 * without `i` and `B`. `KB` and its like are refused: half of the world means 1000 by them.
 */

import { BlockboxError } from './errors.ts'

const UNITS = ['', 'K', 'M', 'G', 'T', 'P']
const FORM = /^(\d{1,16})(?:\.(\d{1,16}))?\s*(?:([kmgtp])(?:ib?)?|b)?$/i

/** Bytes. Throws USAGE for what is not a size, not a whole number of bytes, or 2^53 and more. */
export function parseSize(text: string): number {
  const form = FORM.exec(text.trim())
  if (form === null) throw refused(text, complaint(text.trim()))
  const [, whole = '', fraction = '', unit = ''] = form
  const scaled = BigInt(whole + fraction) * 1024n ** BigInt(UNITS.indexOf(unit.toUpperCase()))
  const divisor = 10n ** BigInt(fraction.length)
  if (scaled % divisor !== 0n) throw refused(text, 'is not a whole number of bytes')
  const bytes = scaled / divisor
  if (bytes > Number.MAX_SAFE_INTEGER) throw refused(text, 'is too large: a size stays below 8 PiB')
  return Number(bytes)
}

function complaint(text: string): string {
  if (text.startsWith('-')) return 'is negative'
  if (/^[\d.]+\s*[kmgtp]b$/i.test(text))
    return 'may mean powers of 1000: write K or KiB for 1024, or the bytes'
  return 'is no size: write a number with an optional suffix K, M, G, T or P (powers of 1024)'
}

function refused(text: string, why: string): BlockboxError {
  return new BlockboxError('USAGE', `size "${text}" ${why}`)
}

/** The shortest exact form that parseSize reads back: 4096 is `4K`, 4097 is `4097`. */
export function formatSize(bytes: number): string {
  let rest = bytes
  let power = 0
  while (rest !== 0 && rest % 1024 === 0 && power < UNITS.length - 1) {
    rest /= 1024
    power += 1
  }
  return `${rest}${UNITS[power]}`
}
