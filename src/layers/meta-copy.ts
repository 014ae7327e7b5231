/**
 * A copy of metadata blocks beside the volume: which blocks it has, and the place of each one's content. What a fence
 * saved, what its owner made of it, and what a backup image brought are copies of this form.
 *
 * A block of zeros has no place; here it needs one, to be told from a block that the copy does not have: places from
 * `zeroMark` on stand for zeros.
 */

import { assert } from '../core/assert.ts'
import { BlockMap, type Run } from '../core/block-map.ts'

const zeroMark = 2 ** 52

export class MetaCopy {
  readonly #map: BlockMap

  /** @param step how much a place grows from one block to the next. */
  constructor(step: number) {
    this.#map = new BlockMap(step)
  }

  /** How many blocks it has. */
  get blocks(): number {
    return this.#map.mapped
  }

  has(block: number): boolean {
    return this.#map.get(block) !== 0
  }

  /** The place of a block's content, 0 for zeros; undefined for a block it does not have. */
  place(block: number): number | undefined {
    const place = this.#map.get(block)
    if (place === 0) return undefined
    return place >= zeroMark ? 0 : place
  }

  /** Takes blocks [first, first + count), the content of which begins at `place`; 0 for zeros. */
  put(first: number, count: number, place: number): void {
    assert(place < zeroMark, 'a place is below 2^52')
    this.#map.write(first, count, place === 0 ? zeroMark + first * this.#map.step : place)
  }

  /** Takes all that the other copy has. */
  overlay(other: MetaCopy): void {
    for (const { block, count, place } of other.all()) this.put(block, count, place)
  }

  /** Blocks [first, first + count), all of which it has, as runs. */
  runs(first: number, count: number): Run[] {
    return this.#map.runs(first, count).map((run) => {
      assert(run.place !== 0, 'the copy has the blocks that are asked for')
      return run.place >= zeroMark ? { ...run, place: 0 } : run
    })
  }

  /** All it has, in order. */
  all(): Run[] {
    const runs: { block: number; count: number; place: number }[] = []
    for (const [page, cells] of this.#map.pages()) {
      for (let cell = 0; cell < cells.length; cell++) {
        const place = cells[cell]!
        if (place === 0) continue
        const block = page * cells.length + cell
        const last = runs.at(-1)
        const follows = last !== undefined && block === last.block + last.count
        if (follows && place === last.place + last.count * this.#map.step) last.count++
        else runs.push({ block, count: 1, place })
      }
    }
    return runs.map((run) => (run.place >= zeroMark ? { ...run, place: 0 } : run))
  }

  get hashLow(): number {
    return this.#map.hashLow
  }

  get hashHigh(): number {
    return this.#map.hashHigh
  }

  save(): number[][] {
    return this.all().map(({ block, count, place }) => [block, count, place])
  }

  static load(step: number, saved: unknown): MetaCopy {
    const copy = new MetaCopy(step)
    for (const [block, count, place] of saved as [number, number, number][]) copy.put(block, count, place)
    return copy
  }
}
