/**
 * The zero of a trace whose clock has its own zero elsewhere: in 1601, in 1970, at the start of a machine.
 *
 * Such stamps do not fit a number of nanoseconds below 2^53, but the time since the first event does, for a
 * trace of up to 104 days. The first stamp asked for is the zero; later ones may be before it. A stamp is held as two
 * exact numbers, `high * 10^9 + low`, since big integers cost as much as all the rest of a row.
 */

import { brief, digits, exactDigits, exactNs, refusal } from './field.ts'

const billion = 1e9
const lowDigits = 9
const maxDigits = 20

/** What is wrong with a stamp that is too far from the first, for a message. */
export const tooFar = 'the time is more than 104 days from that of the first event'

export class Origin {
  #begun = false
  #high = 0
  #low = 0

  /** Nanoseconds since the first stamp; undefined when they are beyond 2^53. */
  since(ns: bigint): number | undefined {
    return this.#since(Number(ns / 1_000_000_000n), Number(ns % 1_000_000_000n), 1)
  }

  /** The same for the number of units of `unitNs` nanoseconds that 64 bits hold, in halves. */
  sinceHalves(high: number, low: number, unitNs: number): number | undefined {
    if (high >= 2 ** 21) return this.since(((BigInt(high) << 32n) | BigInt(low)) * BigInt(unitNs))
    const units = high * 2 ** 32 + low
    const upper = Math.floor(units / billion)
    return this.#since(upper, units - upper * billion, unitNs)
  }

  /** The same for a whole number of units, below 10^20. Throws TRACE_FORMAT, naming `what`. */
  units(word: string, unitNs: number, line: number, what: string): number {
    const cut = Math.max(0, word.length - lowDigits)
    const high = cut === 0 ? 0 : digits(word, 0, cut)
    const low = digits(word, cut, word.length)
    if (high < 0 || low < 0 || word.length > maxDigits) {
      throw refusal(line, `the ${what} "${brief(word)}" is no whole number`)
    }
    return this.#sinceOrRefused(high, low, unitNs, line)
  }

  /** The same for seconds with decimals, of which what is finer than a nanosecond is cut off. Throws TRACE_FORMAT. */
  seconds(word: string, line: number, what: string): number {
    const { high, low } = decimal(word, line, what)
    return this.#sinceOrRefused(high, low, 1, line)
  }

  #sinceOrRefused(high: number, low: number, unitNs: number, line: number): number {
    const ns = this.#since(high, low, unitNs)
    if (ns === undefined) throw refusal(line, tooFar)
    return ns
  }

  #since(high: number, low: number, unitNs: number): number | undefined {
    if (!this.#begun) {
      this.#begun = true
      this.#high = high
      this.#low = low
    }
    const ns = ((high - this.#high) * billion + (low - this.#low)) * unitNs
    return Number.isSafeInteger(ns) ? ns : undefined
  }
}

/**
 * When something was answered that was asked at `tNs` and took so many units, as a whole number; undefined when that is
 * no number, or beyond 2^53.
 */
export function answeredUnits(tNs: number, took: string, unitNs: number): number | undefined {
  const units = took.length > exactDigits ? -1 : digits(took, 0, took.length)
  return units < 0 ? undefined : exactOr(tNs + units * unitNs)
}

/** The same for seconds with decimals. */
export function answeredSeconds(tNs: number, took: string): number | undefined {
  const parts = decimalOf(took)
  return parts === undefined ? undefined : exactOr(tNs + parts.high * billion + parts.low)
}

function exactOr(ns: number): number | undefined {
  return Number.isSafeInteger(ns) ? ns : undefined
}

/** Seconds with decimals as nanoseconds below 2^53, that is 104 days. Throws TRACE_FORMAT, naming `what`. */
export function secondsNs(word: string, line: number, what: string): number {
  const { high, low } = decimal(word, line, what)
  return exactNs(high * billion + low, line)
}

/** Whole seconds and nanoseconds of a decimal number, which may end with its point. */
function decimal(word: string, line: number, what: string): { high: number; low: number } {
  const parts = decimalOf(word)
  if (parts !== undefined) return parts
  throw refusal(line, `the ${what} "${brief(word)}" is no decimal number`)
}

function decimalOf(word: string): { high: number; low: number } | undefined {
  const point = word.indexOf('.')
  const end = point < 0 ? word.length : point
  const fraction = point < 0 ? 0 : word.length - point - 1
  const used = Math.min(fraction, lowDigits)
  const high = end > maxDigits ? -1 : digits(word, 0, end)
  let low = used === 0 ? 0 : digits(word, point + 1, point + 1 + used)
  const rest = fraction > used ? digits(word, point + 1 + used, word.length) : 0
  if (high < 0 || low < 0 || rest < 0 || fraction > maxDigits) return undefined
  for (let k = used; k > 0 && k < lowDigits; k++) low *= 10
  return { high, low }
}
