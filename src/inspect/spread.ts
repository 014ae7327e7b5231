/**
 * How durations are spread: count, least, median, 99th of a hundred, most. Exact up to 65,536 of them; beyond, kept in
 * classes a 32nd of a power of two wide, so that a quantile is right within 3.2 % and memory is bounded.
 */

const exactMost = 65_536
const perPower = 32

/** The keys are those of the printed JSON. */
export interface SpreadRecord {
  readonly count: number
  readonly min_ns: number
  readonly p50_ns: number
  readonly p99_ns: number
  readonly max_ns: number
  readonly sum_ns: number
}

export class Spread {
  count = 0
  sum = 0
  min = Number.POSITIVE_INFINITY
  max = Number.NEGATIVE_INFINITY
  #exact: number[] | undefined = []
  readonly #classes = new Map<number, number>()

  /** Adds a duration in nanoseconds; one below 0, as of a clock that was set back, counts as it is. */
  add(ns: number): void {
    this.count++
    this.sum += ns
    this.min = Math.min(this.min, ns)
    this.max = Math.max(this.max, ns)
    if (this.#exact === undefined) return this.#classify(ns)
    this.#exact.push(ns)
    if (this.#exact.length <= exactMost) return
    for (const one of this.#exact) this.#classify(one)
    this.#exact = undefined
  }

  /** The duration that `part` of all (0 to 1) do not exceed; NaN of none. */
  quantile(part: number): number {
    const rank = Math.max(1, Math.ceil(part * this.count))
    if (this.#exact !== undefined) {
      const sorted = Float64Array.from(this.#exact).sort()
      return sorted[rank - 1] ?? Number.NaN
    }
    let seen = 0
    for (const [key, count] of [...this.#classes].sort(([a], [b]) => a - b)) {
      seen += count
      if (seen >= rank)
        return Math.min(this.max, Math.max(this.min, key <= 0 ? 0 : 2 ** ((key - 0.5) / perPower)))
    }
    return this.max
  }

  /** Undefined of none. */
  record(): SpreadRecord | undefined {
    if (this.count === 0) return undefined
    const [p50_ns, p99_ns] = [this.quantile(0.5), this.quantile(0.99)].map(Math.round) as [number, number]
    return { count: this.count, min_ns: this.min, p50_ns, p99_ns, max_ns: this.max, sum_ns: this.sum }
  }

  #classify(ns: number): void {
    const key = ns < 1 ? 0 : 1 + Math.floor(Math.log2(ns) * perPower)
    this.#classes.set(key, (this.#classes.get(key) ?? 0) + 1)
  }
}

/** The `most` items that weigh most, heaviest first. */
export class Top<Item> {
  readonly items: Item[] = []
  readonly #most: number
  readonly #weight: (item: Item) => number

  constructor(most: number, weight: (item: Item) => number) {
    this.#most = most
    this.#weight = weight
  }

  add(item: Item): void {
    const weight = this.#weight(item)
    if (this.items.length === this.#most && this.#weight(this.items.at(-1)!) >= weight) return
    const place = this.items.findIndex((other) => this.#weight(other) < weight)
    this.items.splice(place < 0 ? this.items.length : place, 0, item)
    if (this.items.length > this.#most) this.items.pop()
  }
}
