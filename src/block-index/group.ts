/**
 * Groups of a segment (FORMAT.md): the touches of one volume that are about as long as one another, sorted by the block
 * they begin with, in pages. Being alike in length is what lets a block be found by where touches begin.
 */

export const entryBytes = 24
export const pageEntries = 128
export const pageBytes = pageEntries * entryBytes

/** The longest stretch an entry has room for, in blocks. */
export const maxCount = 2 ** 30

/** Touches of one volume that are about as long as one another. */
export class Group {
  readonly volume: number
  readonly level: number
  count = 0
  #numbers = new Float64Array(64)

  constructor(volume: number, level: number) {
    this.volume = volume
    this.level = level
  }

  /** Adds a touch; `event` counts from the first of the segment. */
  add(first: number, what: number, event: number, count: number): void {
    const at = this.count++ * 4
    if (at === this.#numbers.length) {
      const grown = new Float64Array(at * 2)
      grown.set(this.#numbers)
      this.#numbers = grown
    }
    this.#numbers[at] = first
    this.#numbers[at + 1] = what
    this.#numbers[at + 2] = event
    this.#numbers[at + 3] = count
  }

  /** Stores all touches in order at `view[at]`; calls back with each page's lowest block. */
  store(view: DataView, at: number, onPage: (lowest: number) => void): void {
    let place = at
    for (const [k, touch] of this.#order().entries()) {
      const from = touch * 4
      if (k % pageEntries === 0) onPage(this.#numbers[from]!)
      view.setFloat64(place, this.#numbers[from]!, true)
      view.setFloat64(place + 8, this.#numbers[from + 1]!, true)
      view.setUint32(place + 16, this.#numbers[from + 2]!, true)
      view.setUint32(place + 20, this.#numbers[from + 3]!, true)
      place += entryBytes
    }
  }

  get pages(): number {
    return Math.ceil(this.count / pageEntries)
  }

  /** The touches by first block, then as they were told. One number a touch sorts many times faster than a comparison. */
  #order(): ArrayLike<number> & Iterable<number> & { entries(): IterableIterator<[number, number]> } {
    const room = 2 ** Math.ceil(Math.log2(this.count + 1))
    const keys = new Float64Array(this.count)
    let highest = 0
    for (let k = 0; k < this.count; k++) {
      const first = this.#numbers[k * 4]!
      highest = Math.max(highest, first)
      keys[k] = first * room + k
    }
    if (highest * room >= 2 ** 52) {
      const order = Uint32Array.from({ length: this.count }, (_, k) => k)
      return order.sort((a, b) => this.#numbers[a * 4]! - this.#numbers[b * 4]! || a - b)
    }
    return keys.sort().map((key) => key % room)
  }
}

/** The level of a stretch of `count` blocks: the smallest l with count <= 2^l. */
export function levelOf(count: number): number {
  return 32 - Math.clz32(count - 1)
}
