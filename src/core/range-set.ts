/**
 * A set of bytes of a volume as ranges: sorted, none empty, none touching the next. It never changes.
 *
 * A *position* counts the bytes of the set alone, from 0: what a cursor over a set is.
 */

import type { Range } from './range.ts'

export class RangeSet {
  readonly ranges: readonly Range[]
  /** Bytes in the set. */
  readonly bytes: number
  /** Position of the first byte of each range. */
  readonly #starts: readonly number[]

  private constructor(ranges: readonly Range[]) {
    this.ranges = ranges
    const starts: number[] = []
    let bytes = 0
    for (const { length } of ranges) {
      starts.push(bytes)
      bytes += length
    }
    this.bytes = bytes
    this.#starts = starts
  }

  /** The bytes of all these ranges, in any order, overlapping or not. */
  static of(ranges: Iterable<Range>): RangeSet {
    const sorted = [...ranges].filter(({ length }) => length > 0).sort((a, b) => a.offset - b.offset)
    const merged: { offset: number; length: number }[] = []
    for (const { offset, length } of sorted) {
      const before = merged.at(-1)
      if (before !== undefined && offset <= before.offset + before.length) {
        before.length = Math.max(before.length, offset + length - before.offset)
      } else merged.push({ offset, length })
    }
    return new RangeSet(merged)
  }

  /** Offsets and lengths in turn, as `counts` gives them; undefined when a length is missing. */
  static fromCounts(numbers: readonly number[]): RangeSet | undefined {
    if (numbers.length % 2 !== 0) return undefined
    const ranges: Range[] = []
    for (let k = 0; k < numbers.length; k += 2) ranges.push({ offset: numbers[k]!, length: numbers[k + 1]! })
    return RangeSet.of(ranges)
  }

  counts(): number[] {
    return this.ranges.flatMap(({ offset, length }) => [offset, length])
  }

  touches(range: Range): boolean {
    const found = this.ranges[this.#after(range.offset)]
    return found !== undefined && range.length > 0 && found.offset < range.offset + range.length
  }

  /** True when every byte of the range is in the set. */
  covers(range: Range): boolean {
    const found = this.ranges[this.#after(range.offset)]
    if (found === undefined) return false
    return found.offset <= range.offset && range.offset + range.length <= found.offset + found.length
  }

  meets(other: RangeSet): boolean {
    return other.ranges.some((range) => this.touches(range))
  }

  with(other: RangeSet): RangeSet {
    return RangeSet.of([...this.ranges, ...other.ranges])
  }

  minus(other: RangeSet): RangeSet {
    return RangeSet.of(this.ranges.flatMap((range) => other.split(range)).filter(({ inside }) => !inside))
  }

  /** A range cut where the set begins and ends, in order, nothing left out. */
  split(range: Range): (Range & { readonly inside: boolean })[] {
    const pieces: (Range & { inside: boolean })[] = []
    const end = range.offset + range.length
    let at = range.offset
    for (let k = this.#after(at); at < end; k++) {
      const next = this.ranges[k]
      const start = next === undefined ? end : Math.min(end, Math.max(at, next.offset))
      if (start > at) pieces.push({ offset: at, length: start - at, inside: false })
      if (next === undefined || start === end) break
      const stop = Math.min(end, next.offset + next.length)
      pieces.push({ offset: start, length: stop - start, inside: true })
      at = stop
    }
    return pieces
  }

  /** From a position to the end of its range, at most `most` bytes; undefined at the end of the set. */
  from(position: number, most = Number.MAX_SAFE_INTEGER): Range | undefined {
    let low = 0
    let high = this.ranges.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#starts[middle]! + this.ranges[middle]!.length <= position) low = middle + 1
      else high = middle
    }
    const range = this.ranges[low]
    if (range === undefined) return undefined
    const into = position - this.#starts[low]!
    return { offset: range.offset + into, length: Math.min(most, range.length - into) }
  }

  /** Which range is the first that ends behind `offset`. */
  #after(offset: number): number {
    let low = 0
    let high = this.ranges.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const { offset: start, length } = this.ranges[middle]!
      if (start + length <= offset) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** No bytes at all. */
export const nothing: RangeSet = RangeSet.of([])
