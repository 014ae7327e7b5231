/**
 * First in, first out, in amortised constant time.
 *
 * It is a draft: whoever owns the state changes it in place.
 */

export class Fifo<Item> {
  #items: Item[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  /** The oldest item, left where it is. */
  peek(): Item | undefined {
    return this.#items[this.#head]
  }

  /** The newest item, left where it is. */
  last(): Item | undefined {
    return this.length === 0 ? undefined : this.#items[this.#items.length - 1]
  }

  shift(): Item | undefined {
    if (this.length === 0) return undefined
    const item = this.#items[this.#head]
    this.#head++
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  *[Symbol.iterator](): Generator<Item> {
    for (let k = this.#head; k < this.#items.length; k++) yield this.#items[k]!
  }
}
