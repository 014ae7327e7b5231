/**
 * One bit per extent: the form of the clone delta map, the copy-on-demand map and the protected restore map.
 *
 * Pages of 4096 bits, absent while all zero, shared copy-on-write between forks, so that a view of the map
 * costs the pages that changed since. Indices are below 2^31 (128 TiB at extents of 64 KiB).
 */

import { assert } from './assert.ts'
import { Lanes } from './lanes.ts'

const pageBits = 4096
const pageWords = pageBits / 32

function ones(word: number): number {
  let w = word - ((word >>> 1) & 0x55555555)
  w = (w & 0x33333333) + ((w >>> 2) & 0x33333333)
  return Math.imul((w + (w >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

export class Bitmap {
  readonly length: number
  #count = 0
  #pages: (Uint32Array | undefined)[]
  #owned: Uint8Array
  readonly #lanes = new Lanes()

  /** An all-zero map of `length` bits. */
  constructor(length: number) {
    assert(Number.isInteger(length) && length >= 0 && length < 2 ** 31, 'a bitmap has fewer than 2^31 bits')
    this.length = length
    const pages = Math.ceil(length / pageBits)
    this.#pages = new Array(pages)
    this.#owned = new Uint8Array(pages)
  }

  /** How many bits are set. */
  get count(): number {
    return this.#count
  }

  /** False for whatever lies outside the map. */
  get(index: number): boolean {
    if (!(index >= 0 && index < this.length)) return false
    const page = this.#pages[index >>> 12]
    return page !== undefined && (page[(index & 4095) >>> 5]! & (1 << (index & 31))) !== 0
  }

  /** Sets the bit; true when it was clear before. */
  set(index: number): boolean {
    assert(index >= 0 && index < this.length, 'the bit lies inside the map')
    if (this.get(index)) return false
    const page = this.#own(index >>> 12)
    page[(index & 4095) >>> 5]! |= 1 << (index & 31)
    this.#count++
    this.#lanes.add(index, 1)
    return true
  }

  /** Clears the bit; true when it was set before. */
  clear(index: number): boolean {
    if (!this.get(index)) return false
    const page = this.#own(index >>> 12)
    page[(index & 4095) >>> 5]! &= ~(1 << (index & 31))
    this.#count--
    this.#lanes.remove(index, 1)
    return true
  }

  setAll(): void {
    for (let index = 0; index < this.length; index++) this.set(index)
  }

  clearAll(): void {
    this.#pages = new Array(this.#pages.length)
    this.#owned.fill(0)
    this.#count = 0
    this.#lanes.clear()
  }

  /** This map := this map or the other. */
  or(other: Bitmap): void {
    for (let index = other.next(0); index >= 0; index = other.next(index + 1)) this.set(index)
  }

  /** The first set bit at or after `from`; -1 when there is none. */
  next(from: number): number {
    for (let number = from >>> 12; number < this.#pages.length; number++) {
      const page = this.#pages[number]
      if (page === undefined) continue
      const start = number === from >>> 12 ? from & 4095 : 0
      for (let word = start >>> 5; word < pageWords; word++) {
        const mask = word === start >>> 5 ? -1 << (start & 31) : -1
        const bits = page[word]! & mask
        if (bits !== 0) return number * pageBits + word * 32 + ones((bits & -bits) - 1)
      }
    }
    return -1
  }

  get hashLow(): number {
    return this.#lanes.low
  }

  get hashHigh(): number {
    return this.#lanes.high
  }

  /** A version that stays as it is now while this one goes on changing, and the other way round. */
  fork(): Bitmap {
    const kept = new Bitmap(this.length)
    kept.#pages = this.#pages.slice()
    kept.#count = this.#count
    kept.#lanes.set(this.#lanes.low, this.#lanes.high)
    this.#owned.fill(0)
    return kept
  }

  /** The set bits as runs of [first, count], for a checkpoint. */
  runs(): number[] {
    const runs: number[] = []
    for (let index = this.next(0); index >= 0; index = this.next(index + 1)) {
      const last = runs.length - 2
      if (last >= 0 && runs[last]! + runs[last + 1]! === index) runs[last + 1]!++
      else runs.push(index, 1)
    }
    return runs
  }

  /** The opposite of `runs`; throws when a run leaves the map. */
  static fromRuns(length: number, runs: readonly number[]): Bitmap {
    const map = new Bitmap(length)
    for (let k = 0; k + 1 < runs.length; k += 2) {
      for (let index = runs[k]!; index < runs[k]! + runs[k + 1]!; index++) map.set(index)
    }
    return map
  }

  #own(number: number): Uint32Array {
    let page = this.#pages[number]
    if (page === undefined) page = new Uint32Array(pageWords)
    else if (this.#owned[number] === 0) page = page.slice()
    else return page
    this.#pages[number] = page
    this.#owned[number] = 1
    return page
  }
}
