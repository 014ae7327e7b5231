/**
 * A series: numbers over time in a fixed number of intervals, whose width doubles whenever time goes past the last one.
 * One pass over a history of unknown length makes it, in constant memory.
 */

export class Series {
  /** Nanoseconds of an interval. */
  width: number
  readonly values: Float64Array
  readonly #isLevel: boolean
  readonly #join: (a: number, b: number) => number
  #level = 0
  #levelAt = 0

  /** @param how what an interval says: the sum of its numbers; or, of a level that stays until the next, the highest. */
  constructor(how: 'sum' | 'level', intervals = 60, width = 1000) {
    this.values = new Float64Array(intervals)
    this.width = width
    this.#isLevel = how === 'level'
    this.#join = how === 'sum' ? (a, b) => a + b : Math.max
  }

  /** Adds a number at `at` nanoseconds from the beginning; before it counts as at the beginning. */
  add(at: number, number: number): void {
    const interval = this.#intervalOf(at)
    if (this.#isLevel) this.#stay(interval)
    this.values[interval] = this.#join(this.values[interval]!, number)
    this.#level = number
    this.#levelAt = at
  }

  /** The intervals up to `end`. */
  upTo(end: number): number[] {
    const last = this.#intervalOf(end)
    if (this.#isLevel) this.#stay(last)
    return [...this.values.subarray(0, last + 1)]
  }

  #intervalOf(at: number): number {
    while (at >= this.width * this.values.length) this.#widen()
    return Math.max(0, Math.floor(at / this.width))
  }

  /** The level there was lasts up to this interval. */
  #stay(interval: number): void {
    for (let k = this.#intervalOf(this.#levelAt); k <= interval; k++) {
      this.values[k] = Math.max(this.values[k]!, this.#level)
    }
  }

  #widen(): void {
    const half = Math.ceil(this.values.length / 2)
    for (let k = 0; k < half; k++) {
      this.values[k] = this.#join(this.values[2 * k]!, this.values[2 * k + 1] ?? 0)
    }
    this.values.fill(0, half)
    this.width *= 2
  }
}
