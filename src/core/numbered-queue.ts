/**
 * Waiting requests in the order of their numbers: joined at the end, taken at the head, and by number from the middle when
 * the session of one ends or goes elsewhere.
 *
 * Amortised constant time at both ends, a binary search in the middle, where what is taken only leaves a gap.
 */

import { assert } from './assert.ts'

export class NumberedQueue<Item extends { readonly io: number }> {
  #items: Item[] = []
  #head = 0
  readonly #gaps = new Set<number>()

  get length(): number {
    return this.#items.length - this.#head - this.#gaps.size
  }

  /** The number of `item` is above all that wait. */
  push(item: Item): void {
    const last = this.last()
    assert(last === undefined || last.io < item.io, 'numbers only grow')
    this.#items.push(item)
  }

  /** The oldest item, left where it is. */
  peek(): Item | undefined {
    return this.#items[this.#head]
  }

  /** The newest item, left where it is. */
  last(): Item | undefined {
    return this.length === 0 ? undefined : this.#items.at(-1)
  }

  shift(): Item | undefined {
    const item = this.#items[this.#head]
    if (item === undefined) return undefined
    this.#head++
    this.#trim()
    return item
  }

  /** Takes out the item of that number; undefined when it is not here. */
  take(io: number): Item | undefined {
    const at = this.#find(io)
    if (at === undefined) return undefined
    const item = this.#items[at]!
    this.#gaps.add(io)
    this.#trim()
    return item
  }

  *[Symbol.iterator](): Generator<Item> {
    for (let k = this.#head; k < this.#items.length; k++) {
      const item = this.#items[k]!
      if (!this.#gaps.has(item.io)) yield item
    }
  }

  #find(io: number): number | undefined {
    let low = this.#head
    let high = this.#items.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#items[middle]!.io < io) low = middle + 1
      else high = middle
    }
    return this.#items[low]?.io === io && !this.#gaps.has(io) ? low : undefined
  }

  /** No gap stands at an end; where half is gaps or gone, what is left moves together. */
  #trim(): void {
    const items = this.#items
    while (this.#head < items.length && this.#gaps.delete(items[this.#head]!.io)) this.#head++
    while (this.#head < items.length && this.#gaps.delete(items.at(-1)!.io)) items.pop()
    const gone = this.#head + this.#gaps.size
    if (gone < items.length && (gone <= 1024 || gone * 2 <= items.length)) return
    this.#items = [...this]
    this.#head = 0
    this.#gaps.clear()
  }
}
