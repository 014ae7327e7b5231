/** Smallest first: a binary heap of items ordered by a number each has. Equal numbers may stand side by side. */

export class Heap<Item extends { readonly io: number }> {
  readonly #items: Item[] = []

  get size(): number {
    return this.#items.length
  }

  push(item: Item): void {
    const items = this.#items
    let at = items.length
    items.push(item)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (items[parent]!.io <= item.io) break
      items[at] = items[parent]!
      at = parent
    }
    items[at] = item
  }

  /** The item with the smallest number, left where it is. */
  peek(): Item | undefined {
    return this.#items[0]
  }

  pop(): Item | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (items.length === 0 || last === undefined) return first
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= items.length) break
      if (child + 1 < items.length && items[child + 1]!.io < items[child]!.io) child++
      if (items[child]!.io >= last.io) break
      items[at] = items[child]!
      at = child
    }
    items[at] = last
    return first
  }

  clear(): void {
    this.#items.length = 0
  }
}
