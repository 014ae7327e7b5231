/**
 * A set of whole numbers from 0 to 2^53, as bits in pages that exist only where a bit is set.
 *
 * For counting what a trace touches: numbers cluster, ranges are common, nothing is ever removed. A page that
 * fills up gives its memory back.
 */

import { assert } from './assert.ts'
import { emptyPage, pageBits, setBits } from './bit-page.ts'

interface Page {
  /** Undefined once all bits are set. */
  words: Uint32Array | undefined
  count: number
}

export class SparseBits {
  readonly #pages = new Map<number, Page>()
  #size = 0

  /** How many numbers are in the set. */
  get size(): number {
    return this.#size
  }

  has(number: number): boolean {
    const page = this.#pages.get(Math.floor(number / pageBits))
    if (page === undefined) return false
    const bit = number % pageBits
    return page.words === undefined || (page.words[bit >>> 5]! & (1 << (bit & 31))) !== 0
  }

  /** Adds the numbers from `from` up to, without, `to`. Takes time and memory with the length of the range. */
  addRange(from: number, to: number): void {
    assert(from >= 0 && Number.isSafeInteger(from) && Number.isSafeInteger(to), 'a range lies below 2^53')
    for (let at = from; at < to; ) {
      const number = Math.floor(at / pageBits)
      const start = number * pageBits
      const end = Math.min(to - start, pageBits)
      this.#fill(number, at - start, end)
      at = start + end
    }
  }

  #fill(number: number, first: number, end: number): void {
    let page = this.#pages.get(number)
    if (page === undefined) {
      page = { words: end - first === pageBits ? undefined : emptyPage(), count: 0 }
      this.#pages.set(number, page)
    } else if (page.words === undefined) return
    const added = page.words === undefined ? pageBits : setBits(page.words, first, end)
    page.count += added
    this.#size += added
    if (page.count === pageBits) page.words = undefined
  }
}
