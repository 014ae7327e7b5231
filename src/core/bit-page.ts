/** One page of bits, 4096 of them in 128 words: what bitmaps and sparse sets are made of. */

/** Bits of a page. */
export const pageBits = 4096
const pageWords = pageBits / 32

/** A page with no bit set, of its owner's own. */
export function emptyPage(): Uint32Array {
  return new Uint32Array(pageWords)
}

/** How many bits of a word are set. */
export function ones(word: number): number {
  let w = word - ((word >>> 1) & 0x55555555)
  w = (w & 0x33333333) + ((w >>> 2) & 0x33333333)
  return Math.imul((w + (w >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** The place of the lowest bit of a word that has one. */
export function lowest(word: number): number {
  return ones((word & -word) - 1)
}

/**
 * Sets the bits of a page from `first` up to, without, `end`; returns how many were clear.
 *
 * @param tell called with each word that got new bits: its number, and those bits.
 */
export function setBits(
  words: Uint32Array,
  first: number,
  end: number,
  tell?: (word: number, added: number) => void,
): number {
  let count = 0
  for (let at = first; at < end; ) {
    const word = at >>> 5
    const low = at & 31
    const high = Math.min(end - word * 32, 32)
    const mask = (high === 32 ? -1 : (1 << high) - 1) & (-1 << low)
    const added = mask & ~words[word]!
    if (added !== 0) {
      count += ones(added)
      words[word]! |= mask
      tell?.(word, added)
    }
    at = word * 32 + high
  }
  return count
}

/**
 * The first bit of a page at or after `start` that is set here and clear in the other page; -1 when there is none.
 * Without another page, the first that is set.
 */
export function firstBeyond(words: Uint32Array, other: Uint32Array | undefined, start: number): number {
  for (let word = start >>> 5; word < pageWords; word++) {
    const mask = word === start >>> 5 ? -1 << (start & 31) : -1
    const bits = words[word]! & mask & (other === undefined ? -1 : ~other[word]!)
    if (bits !== 0) return word * 32 + lowest(bits)
  }
  return -1
}

/** The first bit of a page at or after `start` that is clear; the end of the page when there is none. */
export function firstClear(words: Uint32Array, start: number): number {
  for (let word = start >>> 5; word < pageWords; word++) {
    const bits = ~words[word]! & (word === start >>> 5 ? -1 << (start & 31) : -1)
    if (bits !== 0) return word * 32 + lowest(bits)
  }
  return pageBits
}

/** How many bits of a page are set here and clear in the other. */
export function countBeyond(words: Uint32Array, other: Uint32Array | undefined): number {
  let count = 0
  for (let word = 0; word < pageWords; word++) {
    count += ones(words[word]! & (other === undefined ? -1 : ~other[word]!))
  }
  return count
}
