/**
 * One JSON object of a recording, taken field by field: every value is checked where it is taken, and what is left
 * over at the end is refused by name. Only own fields are looked at, so that `__proto__` is a field like any other.
 */

import { BlockboxError } from '../core/errors.ts'

/** No list in a recording is longer. */
const maxItems = 2 ** 24

export class Plain {
  readonly #fields: Readonly<Record<string, unknown>>
  readonly #where: string
  readonly #taken = new Set<string>()

  private constructor(fields: Readonly<Record<string, unknown>>, where: string) {
    this.#fields = fields
    this.#where = where
  }

  /** The object that `json` is. Throws TRACE_FORMAT, saying `where`. */
  static parse(json: string, where: string): Plain {
    let value: unknown
    try {
      value = JSON.parse(json)
    } catch (cause) {
      const message = `${where}: this is no JSON object: the line is damaged or cut`
      throw new BlockboxError('TRACE_FORMAT', message, { cause })
    }
    return Plain.of(value, where)
  }

  static of(value: unknown, where: string): Plain {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return new Plain(value as Record<string, unknown>, where)
    }
    throw new BlockboxError('TRACE_FORMAT', `${where}: this is no JSON object`)
  }

  fault(what: string): BlockboxError {
    return new BlockboxError('TRACE_FORMAT', `${this.#where}: ${what}`)
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#fields, name)
  }

  /** The names of all fields. */
  names(): string[] {
    return Object.keys(this.#fields)
  }

  value(name: string): unknown {
    if (!this.has(name)) throw this.fault(`the field ${name} is missing`)
    this.#taken.add(name)
    return this.#fields[name]
  }

  text(name: string): string {
    const value = this.value(name)
    if (typeof value !== 'string') throw this.fault(`${name} is no text`)
    return value
  }

  optionalText(name: string): string | undefined {
    return this.has(name) ? this.text(name) : undefined
  }

  /** A whole number from 0 to `most`. */
  count(name: string, most = Number.MAX_SAFE_INTEGER): number {
    const value = this.value(name)
    const whole = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most
    if (!whole) throw this.fault(`${name} is no whole number from 0 to ${most}`)
    return value
  }

  optionalCount(name: string, most?: number): number {
    return this.has(name) ? this.count(name, most) : 0
  }

  /** Any number; 0 when it is left out. */
  optionalNumber(name: string): number {
    if (!this.has(name)) return 0
    const value = this.value(name)
    if (typeof value !== 'number') throw this.fault(`${name} is no number`)
    return value
  }

  /** A whole number of 64 bits with its sign, written as text because it may pass 2^53. */
  instant(name: string): bigint {
    const text = this.text(name)
    const value = /^(?:0|-?[1-9]\d{0,18})$/.test(text) ? BigInt(text) : undefined
    if (value === undefined || BigInt.asIntN(64, value) !== value) {
      throw this.fault(`${name} is no instant: nanoseconds as a text of digits`)
    }
    return value
  }

  object(name: string): Plain {
    return Plain.of(this.value(name), `${this.#where}: ${name}`)
  }

  list(name: string): Plain[] {
    const value = this.value(name)
    if (!Array.isArray(value) || value.length > maxItems) throw this.fault(`${name} is no list`)
    return value.map((one, k) => Plain.of(one, `${this.#where}: ${name} ${k + 1}`))
  }

  /** Refuses what was not taken. */
  done(): void {
    for (const name of this.names()) {
      if (this.#taken.has(name)) continue
      throw this.fault(`there is no field ${JSON.stringify(name)} in this format version`)
    }
  }
}
