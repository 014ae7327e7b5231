/**
 * One bit per extent: the form of the clone delta map, the copy-on-demand map and the protected restore map.
 *
 *     page of 4096 bits:  none, all bits clear │ the one full page, all bits set │ words of its own, or of a fork
 *
 * Pages are shared copy-on-write between forks, so that a view of the map costs the pages that changed since. A page
 * that is all clear or all set takes no memory: a map that begins full, as that of a clone outside does, costs a word a
 * page, whatever the size of the volume. Indices are below 2^31 (128 TiB at extents of 64 KiB).
 */

import { assert } from './assert.ts'
import { countBeyond, emptyPage, firstBeyond, firstClear, lowest, pageBits, setBits } from './bit-page.ts'
import { laneSum } from './lane-sums.ts'
import { Lanes } from './lanes.ts'

/** Every page whose bits are all set. Never written: a bit of it is cleared in a copy. */
const full = emptyPage().fill(0xffffffff)

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

  /** How many pages have words in memory, of this map or shared with a fork. */
  get pages(): number {
    return this.#pages.reduce((sum, page) => sum + (page === undefined || page === full ? 0 : 1), 0)
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

  /** Sets `count` bits from `first` on. Costs the pages it covers, and the bits of those it covers in part. */
  setRange(first: number, count: number): void {
    const end = first + count
    assert(first >= 0 && count >= 0 && end <= this.length, 'the range lies inside the map')
    for (let at = first; at < end; ) {
      const whole = this.#fill(at, end)
      if (whole > at) {
        const { low, high } = laneSum(at, whole)
        this.#lanes.set(this.#lanes.low + low, this.#lanes.high + high)
        this.#count += whole - at
        at = whole
      } else at = this.#setPart(at, end)
    }
  }

  setAll(): void {
    this.setRange(0, this.length)
  }

  clearAll(): void {
    this.#pages = new Array(this.#pages.length)
    this.#owned.fill(0)
    this.#count = 0
    this.#lanes.clear()
  }

  /** This map := this map or the other. */
  or(other: Bitmap): void {
    for (let from = other.next(0); from >= 0; ) {
      const end = other.nextClear(from)
      this.setRange(from, end - from)
      from = other.next(end)
    }
  }

  /** The first set bit in [from, end); -1 when there is none. Looks at no page behind `end`. */
  next(from: number, end = this.length): number {
    return this.nextBeyond(undefined, from, end)
  }

  /** The first bit in [from, end) that is set here and clear in the other map; -1 when there is none. */
  nextBeyond(other: Bitmap | undefined, from: number, end = this.length): number {
    for (let number = from >>> 12; number * pageBits < end; number++) {
      const page = this.#pages[number]
      const theirs = other === undefined ? undefined : other.#pages[number]
      if (page === undefined || page === theirs) continue
      const found = firstBeyond(page, theirs, number === from >>> 12 ? from & 4095 : 0)
      const bit = number * pageBits + found
      if (found >= 0) return bit < end ? bit : -1
    }
    return -1
  }

  /** The first clear bit at or after `from`; the length of the map when there is none. */
  nextClear(from: number): number {
    for (let number = from >>> 12; number < this.#pages.length; number++) {
      const page = this.#pages[number]
      if (page === full) continue
      const start = number === from >>> 12 ? from & 4095 : 0
      const found = page === undefined ? start : firstClear(page, start)
      if (found < pageBits) return Math.min(this.length, number * pageBits + found)
    }
    return this.length
  }

  /** How many bits are set here and clear in the other map. */
  countBeyond(other: Bitmap): number {
    let count = 0
    for (let number = 0; number < this.#pages.length; number++) {
      const page = this.#pages[number]
      const theirs = other.#pages[number]
      if (page === undefined || page === theirs) continue
      count += page === full && theirs === undefined ? pageBits : countBeyond(page, theirs)
    }
    return count
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
    for (let from = this.next(0); from >= 0; ) {
      const end = this.nextClear(from)
      runs.push(from, end - from)
      from = this.next(end)
    }
    return runs
  }

  /** The opposite of `runs`; throws when a run leaves the map. */
  static fromRuns(length: number, runs: readonly number[]): Bitmap {
    const map = new Bitmap(length)
    for (let k = 0; k + 1 < runs.length; k += 2) map.setRange(runs[k]!, runs[k + 1]!)
    return map
  }

  /** Makes pages full that have no bit set, from `at` on; returns where it ended. */
  #fill(at: number, end: number): number {
    let number = at >>> 12
    if (number * pageBits !== at) return at
    while ((number + 1) * pageBits <= end && this.#pages[number] === undefined) this.#pages[number++] = full
    return Math.max(at, number * pageBits)
  }

  /** Sets the bits of one page from `at` on, up to `end` at most; returns where it ended. */
  #setPart(at: number, end: number): number {
    const number = at >>> 12
    const start = number * pageBits
    const stop = Math.min(end, start + pageBits)
    if (this.#pages[number] === full) return stop
    this.#count += setBits(this.#own(number), at - start, stop - start, (word, added) => {
      for (let left = added; left !== 0; left &= left - 1)
        this.#lanes.add(start + word * 32 + lowest(left), 1)
    })
    return stop
  }

  #own(number: number): Uint32Array {
    let page = this.#pages[number]
    if (page === undefined) page = emptyPage()
    else if (this.#owned[number] === 0) page = page.slice()
    else return page
    this.#pages[number] = page
    this.#owned[number] = 1
    return page
  }
}
