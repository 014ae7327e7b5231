/**
 * What one sector of a disk may hold after a crash: a sector is written whole or not at all, the writes that cover it
 * land in any order that their answers leave open, and what is durable has landed.
 *
 *     durable w1, in flight w3 w4 (each covers the sector)     w1 │ w3 │ w4
 *     in flight w1, a part of the sector, and w2, another      nothing │ w1 │ w2 │ both
 *
 * A choice is the writes whose bytes are seen, oldest first: one that covers the whole sector, or what was there, and
 * parts written over it. Two parts of one sector that are in flight at once land in the order they were asked in.
 */

import type { Prng } from '../core/prng.ts'

/** One write's share of a sector. */
export interface Share {
  /** Which operation, by its place in the history. */
  readonly index: number
  /** How many operations had been asked when it was answered. */
  readonly answered: number
  /** True when it covers all of the sector. */
  readonly whole: boolean
  readonly durable: boolean
}

interface Base {
  readonly under: readonly number[]
  readonly optional: readonly Share[]
  readonly required: readonly Share[]
}

const before = (one: Share, other: Share) => one.answered <= other.index

export class SectorChoices {
  readonly #bases: readonly Base[]
  /** How many there are; two of them may be the same. */
  readonly count: number

  /** @param shares by index. */
  constructor(shares: readonly Share[]) {
    const wholes = shares.filter(({ whole }) => whole)
    const kept = wholes.filter(({ durable }) => durable)
    const last = wholes.filter((one) => !kept.some((other) => before(one, other)))
    const parts = shares.filter((one) => !one.whole && !kept.some((other) => before(one, other)))
    const bases = last.map((base): Base => {
      const over = parts.filter((part) => !before(part, base))
      const isRequired = (part: Share) => part.durable && before(base, part)
      return split([base.index], over, isRequired)
    })
    this.#bases = kept.length > 0 ? bases : [split([], parts, ({ durable }) => durable), ...bases]
    this.count = this.#bases.reduce((sum, { optional }) => sum + 2 ** optional.length, 0)
  }

  /** Choice `k` of `count`. */
  at(k: number): readonly number[] {
    let left = k
    for (const base of this.#bases) {
      const count = 2 ** base.optional.length
      if (left < count) return chosen(base, (bit) => Math.floor(left / 2 ** bit) % 2 === 1)
      left -= count
    }
    throw new RangeError(`a sector has ${this.count} choices: there is none with the number ${k}`)
  }

  /** One of them, by chance. */
  any(random: Prng): readonly number[] {
    const base = this.#bases[random.below(this.#bases.length)]!
    return chosen(base, () => random.below(2) === 1)
  }
}

/** What is seen when the durable writes landed, and those in flight that `survives` names, in the order asked. */
export function landed(shares: readonly Share[], survives: (index: number) => boolean): readonly number[] {
  const there = shares.filter(({ index, durable }) => durable || survives(index))
  const base = there.findLastIndex(({ whole }) => whole)
  return there.slice(Math.max(0, base)).map(({ index }) => index)
}

function split(under: readonly number[], over: readonly Share[], isRequired: (part: Share) => boolean): Base {
  return { under, required: over.filter(isRequired), optional: over.filter((part) => !isRequired(part)) }
}

/** A durable part that was asked after the answer to one that is seen is seen too. */
function chosen({ under, optional, required }: Base, takes: (bit: number) => boolean): readonly number[] {
  const taken = optional.filter((_, bit) => takes(bit))
  const follows = (part: Share) => part.durable && taken.some((one) => before(one, part))
  const over = [...required, ...optional.filter((part) => taken.includes(part) || follows(part))]
  return [...under, ...over.map(({ index }) => index).sort((a, b) => a - b)]
}
