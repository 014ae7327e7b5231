/**
 * Byte ranges of a volume, and the search among waiting ones.
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

/** Requests that span more cells than this are kept apart and compared one by one. */
const wideCells = 64

type Numbered = Range & { readonly io: number }

/**
 * Waiting requests by the cells they touch, so that what overlaps a range is found without walking the queue.
 * Held by volume; `io` (the sequence number of the submission) names a request and orders it.
 */
export class RangeIndex<Item extends Numbered> {
  readonly #cell: number
  readonly #cells = new Map<number, InOrder<Item>>()
  readonly #wide = new InOrder<Item>()

  /** @param cell bytes a cell covers, a power of two. */
  constructor(cell: number) {
    this.#cell = cell
  }

  add(item: Item): void {
    const { first, last } = cellsOf(item, this.#cell)
    if (last - first >= wideCells) return this.#wide.add(item)
    for (let cell = first; cell <= last; cell++) {
      let items = this.#cells.get(cell)
      if (items === undefined) {
        items = new InOrder()
        this.#cells.set(cell, items)
      }
      items.add(item)
    }
  }

  remove(item: Item): void {
    const { first, last } = cellsOf(item, this.#cell)
    if (last - first >= wideCells) return this.#wide.remove(item)
    for (let cell = first; cell <= last; cell++) {
      const items = this.#cells.get(cell)
      items?.remove(item)
      if (items?.length === 0) this.#cells.delete(cell)
    }
  }

  /** Those that overlap `range`, oldest first, each once. */
  overlapping(range: Range): Item[] {
    const found = new Map<number, Item>()
    for (const items of this.#at(range)) {
      for (const item of items) if (overlap(item, range)) found.set(item.io, item)
    }
    return [...found.values()].sort((a, b) => a.io - b.io)
  }

  /** One that overlaps `range` and is older than `io`; undefined when there is none. */
  older(range: Range, io: number): Item | undefined {
    const wide = this.#wide.older(range, io)
    if (wide !== undefined) return wide
    const { first, last } = cellsOf(range, this.#cell)
    if (last - first >= this.#cells.size) {
      for (const items of this.#cells.values()) {
        const found = items.older(range, io)
        if (found !== undefined) return found
      }
      return undefined
    }
    for (let cell = first; cell <= last; cell++) {
      const found = this.#cells.get(cell)?.older(range, io)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** The lists in which what overlaps a range is found. */
  *#at(range: Range): Generator<InOrder<Item>> {
    if (this.#wide.length > 0) yield this.#wide
    const { first, last } = cellsOf(range, this.#cell)
    if (last - first >= this.#cells.size) yield* this.#cells.values()
    else {
      for (let cell = first; cell <= last; cell++) {
        const items = this.#cells.get(cell)
        if (items !== undefined) yield items
      }
    }
  }
}

/** Items in order of their numbers; nearly always the newest is added and the oldest removed. */
class InOrder<Item extends Numbered> {
  #items: Item[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  add(item: Item): void {
    const items = this.#items
    let at = items.length
    items.push(item)
    for (; at > this.#head && items[at - 1]!.io > item.io; at--) items[at] = items[at - 1]!
    items[at] = item
  }

  remove({ io }: Numbered): void {
    let low = this.#head
    let high = this.#items.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#items[middle]!.io < io) low = middle + 1
      else high = middle
    }
    if (this.#items[low]?.io !== io) return
    if (low !== this.#head) this.#items.splice(low, 1)
    else if (++this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
  }

  /** One that overlaps `range` and is older than `io`. */
  older(range: Range, io: number): Item | undefined {
    for (let k = this.#head; k < this.#items.length; k++) {
      const item = this.#items[k]!
      if (item.io >= io) return undefined
      if (overlap(item, range)) return item
    }
    return undefined
  }

  *[Symbol.iterator](): Generator<Item> {
    for (let k = this.#head; k < this.#items.length; k++) yield this.#items[k]!
  }
}
