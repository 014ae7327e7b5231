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

/**
 * Waiting requests by the cells they touch, so that what overlaps a range is found without walking the queue.
 * Held by volume; `io` (the sequence number of the submission) names a request and orders it.
 */
export class RangeIndex<Item extends Range & { readonly io: number }> {
  readonly #cell: number
  readonly #cells = new Map<number, Item[]>()
  readonly #wide: Item[] = []

  /** @param cell bytes a cell covers, a power of two. */
  constructor(cell: number) {
    this.#cell = cell
  }

  add(item: Item): void {
    const { first, last } = cellsOf(item, this.#cell)
    if (last - first >= wideCells) this.#wide.push(item)
    else {
      for (let cell = first; cell <= last; cell++) {
        const items = this.#cells.get(cell)
        if (items === undefined) this.#cells.set(cell, [item])
        else items.push(item)
      }
    }
  }

  remove(item: Item): void {
    const { first, last } = cellsOf(item, this.#cell)
    if (last - first >= wideCells) {
      const at = this.#wide.findIndex((other) => other.io === item.io)
      if (at >= 0) this.#wide.splice(at, 1)
      return
    }
    for (let cell = first; cell <= last; cell++) {
      const items = this.#cells.get(cell)
      const at = items?.findIndex((other) => other.io === item.io) ?? -1
      if (at >= 0) items!.splice(at, 1)
      if (items?.length === 0) this.#cells.delete(cell)
    }
  }

  /** Those that overlap `range`, oldest first, each once. */
  overlapping(range: Range): Item[] {
    const found = new Map<number, Item>()
    for (const item of this.#wide) if (overlap(item, range)) found.set(item.io, item)
    const { first, last } = cellsOf(range, this.#cell)
    if (last - first >= this.#cells.size) {
      for (const items of this.#cells.values()) collect(items, range, found)
    } else {
      for (let cell = first; cell <= last; cell++) collect(this.#cells.get(cell) ?? [], range, found)
    }
    return [...found.values()].sort((a, b) => a.io - b.io)
  }

  /** True when a request older than `io` overlaps `range`. */
  hasOlder(range: Range, io: number): boolean {
    return this.overlapping(range).some((item) => item.io < io)
  }
}

function collect<Item extends Range & { readonly io: number }>(
  items: readonly Item[],
  range: Range,
  found: Map<number, Item>,
): void {
  for (const item of items) if (overlap(item, range)) found.set(item.io, item)
}
