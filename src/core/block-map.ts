/**
 * Block map: where the content of each block of a volume is. An entry is a payload place below 2^53; 0 means
 * that the block was never written or was zeroed, and reads as zeros.
 *
 *     root ─▶ leaf (2048 pages) ─▶ page (4096 entries of 8 bytes)
 *
 * Pages exist only where something was written: 16 TiB cost nothing while empty. Leaves and pages are shared
 * copy-on-write between forks. The hash is a set hash over (block, place), noted at the write and added up
 * when asked for: reading the old entry at once is what would cost.
 */

import { assert } from './assert.ts'
import { Lanes } from './lanes.ts'

const pageBlocks = 4096
const leafPages = 2048
const noteRoom = 2048
const noCells = new Float64Array(pageBlocks)

interface Leaf {
  readonly pages: (Float64Array | undefined)[]
  readonly owned: Uint8Array
}

/** A run of blocks whose content lies in one piece: `place` is 0 for zeros. */
export interface Run {
  readonly block: number
  readonly count: number
  readonly place: number
}

export class BlockMap {
  /** How much the place grows from one block of a payload to the next. */
  readonly step: number
  #root: (Leaf | undefined)[] = []
  #ownedLeaves: Uint8Array = new Uint8Array(8)
  #mapped = 0
  readonly #lanes = new Lanes()
  readonly #noted = new Float64Array(noteRoom * 3)
  #notes = 0

  constructor(step: number) {
    this.step = step
  }

  /** How many blocks have a place. */
  get mapped(): number {
    this.#addUp()
    return this.#mapped
  }

  get(block: number): number {
    const page = Math.floor(block / pageBlocks)
    const cells = this.#root[page >>> 11]?.pages[page & 2047]
    return cells === undefined ? 0 : cells[block - page * pageBlocks]!
  }

  /** Blocks [first, first + count) := the payload that begins at `place`. */
  write(first: number, count: number, place: number): void {
    assert(place > 0, 'a written block has a place')
    let block = first
    const end = first + count
    let at = place
    while (block < end) {
      const page = Math.floor(block / pageBlocks)
      const cells = this.#ownPage(page)
      let cell = block - page * pageBlocks
      const stop = Math.min(pageBlocks, cell + (end - block))
      block += stop - cell
      for (; cell < stop; cell++, at += this.step) this.#put(cells, page * pageBlocks + cell, cell, at)
    }
  }

  /** Blocks [first, first + count) := zeros. Costs only the pages that exist. */
  zero(first: number, count: number): void {
    this.#eachPage(first, count, (page, from, to) => {
      const cells = this.#ownPage(page)
      for (let cell = from; cell < to; cell++) this.#put(cells, page * pageBlocks + cell, cell, 0)
    })
  }

  /** Blocks [first, first + count) := the same blocks of another map with the same step. */
  copy(other: BlockMap, first: number, count: number): void {
    assert(other.step === this.step, 'references move between volumes of one block size')
    const end = first + count
    for (let block = first; block < end; ) {
      const page = Math.floor(block / pageBlocks)
      const start = block - page * pageBlocks
      const stop = Math.min(pageBlocks, start + end - block)
      block += stop - start
      const theirs = other.#cells(page)
      const mine = this.#cells(page)
      if (theirs === mine) continue
      for (let cell = start; cell < stop; cell++) {
        if (theirs[cell] === mine[cell]) continue
        this.#put(this.#ownPage(page), page * pageBlocks + cell, cell, theirs[cell]!)
      }
    }
  }

  /** True when both maps say the same of [first, first + count). */
  same(other: BlockMap, first: number, count: number): boolean {
    for (let block = first; block < first + count; block++) {
      if (this.get(block) !== other.get(block)) return false
    }
    return true
  }

  /** [first, first + count) as runs, in order, with nothing left out. */
  runs(first: number, count: number): Run[] {
    const runs: Run[] = []
    let start = first
    let place = count > 0 ? this.get(first) : 0
    for (let block = first + 1; block <= first + count; block++) {
      const next = block < first + count ? this.get(block) : -1
      const expected = place === 0 ? 0 : place + (block - start) * this.step
      if (next === expected) continue
      runs.push({ block: start, count: block - start, place })
      start = block
      place = next
    }
    return runs
  }

  /** Calls back with each block in [first, first + count) that has a place, page by page. */
  eachMapped(first: number, count: number, visit: (block: number, place: number) => void): void {
    this.#eachPage(first, count, (page, from, to) => {
      const cells = this.#root[page >>> 11]!.pages[page & 2047]!
      for (let cell = from; cell < to; cell++) {
        if (cells[cell] !== 0) visit(page * pageBlocks + cell, cells[cell]!)
      }
    })
  }

  get hashLow(): number {
    this.#addUp()
    return this.#lanes.low
  }

  get hashHigh(): number {
    this.#addUp()
    return this.#lanes.high
  }

  /** A version that stays as it is now while this one goes on changing, and the other way round. */
  fork(): BlockMap {
    this.#addUp()
    const kept = new BlockMap(this.step)
    kept.#root = this.#root.slice()
    kept.#ownedLeaves = new Uint8Array(this.#ownedLeaves.length)
    kept.#mapped = this.#mapped
    kept.#lanes.set(this.#lanes.low, this.#lanes.high)
    this.#ownedLeaves.fill(0)
    return kept
  }

  /** Pages that hold something, as [page number, entries], for a checkpoint. */
  *pages(): Generator<[number, Float64Array]> {
    for (const [top, leaf] of this.#root.entries()) {
      if (leaf === undefined) continue
      for (const [low, cells] of leaf.pages.entries()) {
        if (cells?.some((place) => place !== 0)) yield [top * leafPages + low, cells]
      }
    }
  }

  /** Takes over one page of a checkpoint into a map that has nothing there yet. */
  loadPage(page: number, cells: Float64Array): void {
    const own = this.#ownPage(page)
    for (let cell = 0; cell < pageBlocks; cell++) {
      if (cells[cell] !== 0) this.#put(own, page * pageBlocks + cell, cell, cells[cell]!)
    }
  }

  /** A page to look at: the one page of zeros where there is none. */
  #cells(page: number): Float64Array {
    return this.#root[page >>> 11]?.pages[page & 2047] ?? noCells
  }

  /** Only notes the old entry, decides nothing by it: it is still on its way from memory when the next write comes. */
  #put(cells: Float64Array, block: number, cell: number, place: number): void {
    if (this.#notes === noteRoom) this.#addUp()
    const note = this.#notes++ * 3
    this.#noted[note] = block
    this.#noted[note + 1] = cells[cell]!
    this.#noted[note + 2] = place
    cells[cell] = place
  }

  #addUp(): void {
    for (let note = 0; note < this.#notes * 3; note += 3) {
      const block = this.#noted[note]!
      const was = this.#noted[note + 1]!
      const place = this.#noted[note + 2]!
      if (was !== 0) {
        this.#lanes.remove(block, was)
        this.#mapped--
      }
      if (place !== 0) {
        this.#lanes.add(block, place)
        this.#mapped++
      }
    }
    this.#notes = 0
  }

  #ownPage(page: number): Float64Array {
    const top = page >>> 11
    let leaf = this.#root[top]
    if (leaf === undefined || this.#ownedLeaves[top] !== 1) leaf = this.#ownLeaf(top)
    const low = page & 2047
    let cells = leaf.pages[low]
    if (cells !== undefined && leaf.owned[low] === 1) return cells
    cells = cells === undefined ? new Float64Array(pageBlocks) : cells.slice()
    leaf.pages[low] = cells
    leaf.owned[low] = 1
    return cells
  }

  #ownLeaf(top: number): Leaf {
    const was = this.#root[top]
    const leaf = { pages: was?.pages.slice() ?? new Array(leafPages), owned: new Uint8Array(leafPages) }
    while (this.#root.length <= top) this.#root.push(undefined)
    if (this.#ownedLeaves.length <= top) {
      const grown = new Uint8Array(Math.max(top + 1, this.#ownedLeaves.length * 2))
      grown.set(this.#ownedLeaves)
      this.#ownedLeaves = grown
    }
    this.#root[top] = leaf
    this.#ownedLeaves[top] = 1
    return leaf
  }

  #eachPage(first: number, count: number, visit: (page: number, from: number, to: number) => void): void {
    const end = first + count
    const lastPage = Math.ceil(end / pageBlocks) - 1
    for (let page = Math.floor(first / pageBlocks); page <= lastPage; page++) {
      const leaf = this.#root[page >>> 11]
      if (leaf === undefined) {
        page |= leafPages - 1
        continue
      }
      if (leaf.pages[page & 2047] === undefined) continue
      visit(page, Math.max(0, first - page * pageBlocks), Math.min(pageBlocks, end - page * pageBlocks))
    }
  }
}
