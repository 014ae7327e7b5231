/** Goes through the keys of a range of a disk's content, either way, as abstract-level defines ranges and seeks. */

import { compareBytes, type Disk } from './disk.ts'

/** What of a range abstract-level hands on: where both are given, `gte` goes before `gt` and `lte` before `lt`. */
export interface Range {
  readonly gte?: Uint8Array
  readonly gt?: Uint8Array
  readonly lte?: Uint8Array
  readonly lt?: Uint8Array
  readonly reverse: boolean
  /** -1: none. */
  readonly limit: number
}

export class RangeWalk {
  readonly #content: Disk['content']
  readonly #range: Range
  #next: Uint8Array | undefined
  #left: number

  /** @param content must not change while it is gone through. */
  constructor(content: Disk['content'], range: Range) {
    this.#content = content
    this.#range = range
    this.#left = range.limit < 0 ? Number.POSITIVE_INFINITY : range.limit
    this.#next = range.reverse ? this.#last() : this.#first()
  }

  /** The next key; undefined at the end of the range. */
  next(): Uint8Array | undefined {
    const key = this.#next
    if (key === undefined || this.#left === 0 || !this.#isWithin(key)) return undefined
    this.#left--
    this.#next = this.#range.reverse ? this.#content.nextLowerKey(key) : this.#content.nextHigherKey(key)
    return key
  }

  /** Goes on at `target`, or behind it in the direction it goes; outside of the range there is nothing. */
  seek(target: Uint8Array): void {
    this.#next = this.#isWithin(target) ? this.#at(target, this.#range.reverse) : undefined
  }

  #isWithin(key: Uint8Array): boolean {
    const { gt, gte, lt, lte } = this.#range
    if (gte !== undefined ? compareBytes(key, gte) < 0 : gt !== undefined && compareBytes(key, gt) <= 0)
      return false
    return lte !== undefined ? compareBytes(key, lte) <= 0 : lt === undefined || compareBytes(key, lt) < 0
  }

  #first(): Uint8Array | undefined {
    const { gt, gte } = this.#range
    if (gte !== undefined) return this.#at(gte, false)
    return gt === undefined ? this.#content.minKey() : this.#content.nextHigherKey(gt)
  }

  #last(): Uint8Array | undefined {
    const { lt, lte } = this.#range
    if (lte !== undefined) return this.#at(lte, true)
    return lt === undefined ? this.#content.maxKey() : this.#content.nextLowerKey(lt)
  }

  #at(target: Uint8Array, reverse: boolean): Uint8Array | undefined {
    if (this.#content.has(target)) return target
    return reverse ? this.#content.nextLowerKey(target) : this.#content.nextHigherKey(target)
  }
}
