/**
 * Byte ranges of a volume. The search among waiting ones: range-index.ts.
 *
 * A range is [offset, offset + length) in bytes, both below 2^53: no bitwise operators here.
 */

export interface Range {
  readonly offset: number
  readonly length: number
}

export function overlap(a: Range, b: Range): boolean {
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length
}

/** The cells of `size` bytes that a range touches, as [first, last]; an empty range touches none. */
export function cellsOf(range: Range, size: number): { first: number; last: number } {
  return {
    first: Math.floor(range.offset / size),
    last: range.length === 0 ? -1 : Math.floor((range.offset + range.length - 1) / size),
  }
}
