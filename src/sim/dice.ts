/**
 * The chance of one step. Each step of a run throws its own dice, made from the seed and the step's number: leaving
 * other steps out (as shrinking does) changes nothing about what a step throws.
 */

import { Prng } from '../core/prng.ts'

export class Dice {
  readonly #random: Prng

  constructor(seed: number, step: number) {
    this.#random = new Prng((Math.imul(seed, 0x9e3779b1) ^ Math.imul(step + 1, 0x85ebca6b)) >>> 0)
    this.#random.next()
  }

  /** A whole number from 0 to `limit` - 1; 0 when there is nothing to choose from. */
  below(limit: number): number {
    return limit <= 1 ? 0 : this.#random.below(limit)
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.#random.below(times) === 0
  }

  /** One of several; undefined when there are none. */
  pick<Value>(values: readonly Value[]): Value | undefined {
    return values[this.below(values.length)]
  }

  /** One of several that are there. */
  of<Value>(...values: readonly [Value, ...Value[]]): Value {
    return values[this.below(values.length)]!
  }
}
