/** Whole numbers as people write them on a command line: digits alone. */

import { BlockboxError } from '../src/core/errors.ts'

/** A parser for an option. It throws USAGE for what is not a whole number from `least` to `most`. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (/^\d{1,16}$/.test(text) && number >= least && number <= most) return number
    const bound = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`
    throw new BlockboxError('USAGE', `"${text}" is not a whole number of ${bound}`)
  }
}
