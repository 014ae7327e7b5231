/**
 * Seeded chance and seeded content.
 *
 * Content of a write whose trace carries no payload is made from (seed, volume, block, version), so that what
 * a read returns shows the order of the writes before it.
 */

/** A generator of 32-bit numbers: the same seed gives the same numbers on every machine. */
export class Prng {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** The next number from 0 to 2^32 - 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor((this.next() / 2 ** 32) * limit)
  }
}

export interface ContentKey {
  readonly seed: number
  readonly volume: number
  /** Offset in bytes of the content on the volume, a multiple of 512. */
  readonly offset: number
  /** Which write of the host this is. */
  readonly version: number
}

/** Fills `length` bytes (a multiple of 512) with content that every 512-byte sector's key decides. */
export function syntheticContent(key: ContentKey, length: number): Uint8Array {
  const words = new Uint32Array(length / 4)
  for (let sector = 0; sector * 512 < length; sector++) {
    const place = key.offset / 512 + sector
    const mixed = Math.imul(place >>> 0, 0x9e3779b1) ^ Math.imul(key.version, 0x85ebca6b)
    const random = new Prng((key.seed ^ Math.imul(key.volume + 1, 0xc2b2ae35) ^ mixed) >>> 0)
    const start = sector * 128
    words[start] = key.version
    words[start + 1] = place >>> 0
    for (let k = 2; k < 128; k++) words[start + k] = random.next()
  }
  return new Uint8Array(words.buffer)
}
