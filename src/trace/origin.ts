/**
 * The zero of a trace whose clock has its own zero elsewhere: in 1601, in 1970, at the start of a machine.
 *
 * Such stamps do not fit a number of nanoseconds below 2^53, but the time since the first event does, for a
 * trace of up to 104 days. The first stamp asked for is the zero; later ones may be before it.
 */

export class Origin {
  #first: bigint | undefined

  /** Nanoseconds since the first stamp; undefined when they are beyond 2^53. */
  since(ns: bigint): number | undefined {
    this.#first ??= ns
    const value = Number(ns - this.#first)
    return Number.isSafeInteger(value) ? value : undefined
  }
}

/** What is wrong with a stamp that is too far from the first, for a message. */
export const tooFar = 'the time is more than 104 days from that of the first event'
