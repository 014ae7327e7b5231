/**
 * A key-value store in memory: what a journal stands on that lives no longer than its process (a trace that is being
 * looked at, a run that is only to be compared). Keys are kept in order table by table, so that appending costs what
 * it does in a list.
 */

import type { Batch, Bounds, Cursor, KvStore } from './store.ts'

/** A key as text: one character a byte, so that texts sort as the keys do. */
function nameOf(key: Uint8Array): string {
  return String.fromCharCode(...key)
}

function keyOf(name: string): Uint8Array {
  return Uint8Array.from(name, (character) => character.charCodeAt(0))
}

/** The first place in an ordered list at which `name` could stand. */
function placeOf(names: readonly string[], name: string): number {
  let low = 0
  let high = names.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (names[middle]! < name) low = middle + 1
    else high = middle
  }
  return low
}

export class MemoryStore implements KvStore {
  readonly #values = new Map<string, Uint8Array>()
  /** Names in order, by their first byte. */
  readonly #tables = new Map<number, string[]>()

  async open(): Promise<void> {}

  async close(): Promise<void> {}

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.getSync(key)
  }

  getSync(key: Uint8Array): Uint8Array | undefined {
    return this.#values.get(nameOf(key))
  }

  async put(key: Uint8Array, value: Uint8Array): Promise<void> {
    this.#put(key, value)
  }

  batch(): Batch {
    const acts: (() => void)[] = []
    const batch: Batch = {
      put: (key, value) => {
        acts.push(() => this.#put(key, value))
        return batch
      },
      del: (key) => {
        acts.push(() => this.#delete(key))
        return batch
      },
      write: async () => {
        for (const act of acts) act()
      },
    }
    return batch
  }

  keys(bounds: Bounds): Cursor<Uint8Array> {
    return cursorOver(this.#names(bounds), keyOf)
  }

  values(bounds: Bounds): Cursor<Uint8Array> {
    return cursorOver(this.#names(bounds), (name) => this.#values.get(name)!)
  }

  iterator(bounds: Bounds): Cursor<[Uint8Array, Uint8Array]> {
    return cursorOver(this.#names(bounds), (name) => [keyOf(name), this.#values.get(name)!])
  }

  #put(key: Uint8Array, value: Uint8Array): void {
    const name = nameOf(key)
    if (!this.#values.has(name)) {
      const names = this.#tables.get(key[0]!)
      if (names === undefined) this.#tables.set(key[0]!, [name])
      else if (names.length === 0 || names.at(-1)! < name) names.push(name)
      else names.splice(placeOf(names, name), 0, name)
    }
    this.#values.set(name, value.slice())
  }

  #delete(key: Uint8Array): void {
    const name = nameOf(key)
    if (!this.#values.delete(name)) return
    const names = this.#tables.get(key[0]!)!
    names.splice(placeOf(names, name), 1)
  }

  /** The names within bounds as they are now: what is written later does not show. */
  #names({ gte, lt, reverse = false, limit = Number.POSITIVE_INFINITY }: Bounds): string[] {
    const from = gte === undefined ? '' : nameOf(gte)
    const to = lt === undefined ? undefined : nameOf(lt)
    const found: string[] = []
    for (const table of [...this.#tables.keys()].sort((a, b) => a - b)) {
      const names = this.#tables.get(table)!
      const end = to === undefined ? names.length : placeOf(names, to)
      const start = placeOf(names, from)
      if (start >= end) continue
      const wanted = reverse ? names.slice(Math.max(start, end - limit), end) : names.slice(start, end)
      for (const name of wanted) found.push(name)
    }
    if (reverse) found.reverse()
    return found.length > limit ? found.slice(0, limit) : found
  }
}

function cursorOver<Item>(names: readonly string[], itemOf: (name: string) => Item): Cursor<Item> {
  let next = 0
  return {
    async nextv(size) {
      const some = names.slice(next, next + size)
      next += some.length
      return some.map(itemOf)
    },
    async close() {
      next = names.length
    },
  }
}
