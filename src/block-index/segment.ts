/**
 * Segments of the block index as bytes (FORMAT.md): made from touches, and searched page by page.
 *
 *     touches ─▶ groups by volume and level ─▶ sorted ─▶ pages          block ─▶ page table ─▶ pages ─▶ touches
 */

import { crc32 } from 'node:zlib'
import { sameBytes } from '../core/digest.ts'
import { type Entry, isEntry } from '../inspect/roster.ts'
import { entryBytes, type Group, pageBytes, pageEntries } from './group.ts'
import { isPoint, type PointEntry } from './points.ts'

const magic = 0x31584242
const version = 2
const fixedBytes = 108
const sumAt = 104
const groupBytes = 24
const pageHeadBytes = 12
/** Levels are powers of two of blocks, of which no stretch has more than a number of 32 bits. */
const maxLevel = 32

/** The events that a segment is about, and the frames it hangs on. */
export interface SegmentSpan {
  readonly first: number
  readonly last: number
  readonly previous: Uint8Array
  readonly head: Uint8Array
}

/** What a segment keeps as JSON: who came in it, and its points. */
export interface SegmentNames {
  readonly roster: readonly Entry[]
  readonly points: readonly PointEntry[]
}

/**
 * The bytes of a segment.
 *
 * @param frames the first event of each frame, counted from the first of the segment, which is 0.
 */
export function encodeSegment(
  span: SegmentSpan,
  groups: readonly Group[],
  frames: readonly number[],
  { roster, points }: SegmentNames,
): Uint8Array {
  const names = new TextEncoder().encode(JSON.stringify({ roster, points }))
  const pages = groups.reduce((sum, group) => sum + group.pages, 0)
  const table = fixedBytes + groupBytes * groups.length
  const frameTable = table + pageHeadBytes * pages
  const headBytes = frameTable + 4 * frames.length + names.length
  const bytes = new Uint8Array(headBytes + pages * pageBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, magic, true)
  view.setUint32(4, version, true)
  view.setBigUint64(8, BigInt(span.first), true)
  view.setBigUint64(16, BigInt(span.last), true)
  bytes.set(span.previous, 24)
  bytes.set(span.head, 56)
  view.setUint32(88, groups.length, true)
  view.setUint32(92, pages, true)
  view.setUint32(96, frames.length, true)
  view.setUint32(100, names.length, true)
  for (const [k, first] of frames.entries()) view.setUint32(frameTable + 4 * k, first, true)
  bytes.set(names, headBytes - names.length)
  let page = 0
  for (const [k, group] of groups.entries()) {
    const fields = [group.volume, group.level, page, group.pages, group.count, 0]
    for (const [field, value] of fields.entries()) {
      view.setUint32(fixedBytes + groupBytes * k + field * 4, value, true)
    }
    let next = page
    group.store(view, headBytes + page * pageBytes, (lowest) => {
      view.setFloat64(table + pageHeadBytes * next++, lowest, true)
    })
    for (; page < next; page++) {
      const at = headBytes + page * pageBytes
      view.setUint32(table + pageHeadBytes * page + 8, crc32(bytes.subarray(at, at + pageBytes)), true)
    }
  }
  view.setUint32(sumAt, headSum(bytes, headBytes), true)
  return bytes
}

function headSum(bytes: Uint8Array, headBytes: number): number {
  return crc32(bytes.subarray(fixedBytes, headBytes), crc32(bytes.subarray(0, sumAt)))
}

/** Bytes of a file, or of memory. */
export type ReadBytes = (offset: number, length: number) => Uint8Array

interface GroupHead {
  readonly volume: number
  readonly level: number
  readonly page: number
  readonly pages: number
  readonly entries: number
}

/** A touch as found: `place` is that of the block asked for, or a mark. */
export type OnTouch = (seq: number, what: number, first: number, count: number) => void

/** Thrown where a segment is not what was written. */
export class SegmentDamaged extends Error {}

/** A segment that is searched. */
export class Segment implements SegmentNames {
  readonly span: SegmentSpan
  readonly roster: readonly Entry[]
  readonly points: readonly PointEntry[]
  /** Bytes of the whole file. */
  readonly size: number
  readonly #read: ReadBytes
  readonly #groups: readonly GroupHead[]
  readonly #table: DataView
  readonly #frames: DataView
  readonly #headBytes: number

  /** Throws SegmentDamaged when the head is not whole. */
  constructor(read: ReadBytes) {
    this.#read = read
    const fixed = read(0, fixedBytes)
    if (fixed.length < fixedBytes) throw new SegmentDamaged('it is too short')
    const view = viewOf(fixed)
    if (view.getUint32(0, true) !== magic || view.getUint32(4, true) !== version) {
      throw new SegmentDamaged('it is no segment of this version')
    }
    const [groups, pages, frames, names] = [88, 92, 96, 100].map((at) => view.getUint32(at, true)) as [
      number,
      number,
      number,
      number,
    ]
    const table = fixedBytes + groupBytes * groups
    const frameTable = table + pageHeadBytes * pages
    this.#headBytes = frameTable + 4 * frames + names
    this.size = this.#headBytes + pages * pageBytes
    const bytes = this.#headBytes <= 2 ** 30 ? read(0, this.#headBytes) : fixed
    if (bytes.length < this.#headBytes || headSum(bytes, this.#headBytes) !== view.getUint32(sumAt, true)) {
      throw new SegmentDamaged('its head is damaged')
    }
    const head = viewOf(bytes)
    this.span = {
      first: Number(head.getBigUint64(8, true)),
      last: Number(head.getBigUint64(16, true)),
      previous: bytes.slice(24, 56),
      head: bytes.slice(56, 88),
    }
    const { first, last } = this.span
    if (frames === 0 || first > last || !Number.isSafeInteger(last))
      throw new SegmentDamaged('its head is none')
    this.#groups = Array.from({ length: groups }, (_, k): GroupHead => {
      const at = fixedBytes + groupBytes * k
      const [volume, level, page, count, entries] = [0, 4, 8, 12, 16].map((field) =>
        head.getUint32(at + field, true),
      )
      const isInside = page! + count! <= pages && count! > 0 && level! <= maxLevel
      if (!isInside || entries! > count! * pageEntries) throw new SegmentDamaged('a group lies outside')
      return { volume: volume!, level: level!, page: page!, pages: count!, entries: entries! }
    })
    this.#table = viewOf(bytes.subarray(table, frameTable))
    this.#frames = viewOf(bytes.subarray(frameTable, frameTable + 4 * frames))
    const { roster, points } = namesIn(bytes.subarray(this.#headBytes - names))
    this.roster = roster
    this.points = points
  }

  /** True when this segment goes on where another ends. */
  follows(other: SegmentSpan): boolean {
    return this.span.first === other.last + 1 && sameBytes(this.span.previous, other.head)
  }

  /** Finds what covers a block, in no particular order. Throws SegmentDamaged. */
  find(volume: number, block: number, found: OnTouch): void {
    for (const group of this.#groups) {
      if (group.volume !== volume) continue
      const lowest = block - 2 ** group.level + 1
      const from = this.#pageOf(group, lowest)
      const to = this.#pageOf(group, block + 1)
      this.#pages(group, from, to, (seq, what, first, count) => {
        if (first <= block && block < first + count) found(seq, what, first, count)
      })
    }
  }

  /** The first event of each frame, counted from the first of the segment, which is 0. */
  frames(): number[] {
    return Array.from({ length: this.#frames.byteLength / 4 }, (_, k) => this.#frames.getUint32(4 * k, true))
  }

  /** The first event of the frame that holds an event of the segment. */
  frameOf(seq: number): number {
    const wanted = seq - this.span.first
    let low = 0
    let high = this.#frames.byteLength / 4 - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (this.#frames.getUint32(4 * middle, true) <= wanted) low = middle
      else high = middle - 1
    }
    return this.span.first + this.#frames.getUint32(4 * low, true)
  }

  /** Every touch, group by group. */
  each(visit: (volume: number, seq: number, what: number, first: number, count: number) => void): void {
    for (const group of this.#groups) {
      this.#pages(group, group.page, group.page + group.pages - 1, (seq, what, first, count) => {
        visit(group.volume, seq, what, first, count)
      })
    }
  }

  /** The page of a group in which blocks from `block` on begin: the last one whose lowest block is below it. */
  #pageOf({ page, pages }: GroupHead, block: number): number {
    let low = page
    let high = page + pages - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (this.#table.getFloat64(middle * pageHeadBytes, true) < block) low = middle
      else high = middle - 1
    }
    return low
  }

  #pages(group: GroupHead, from: number, to: number, found: OnTouch): void {
    const bytes = this.#read(this.#headBytes + from * pageBytes, (to - from + 1) * pageBytes)
    if (bytes.length < (to - from + 1) * pageBytes) throw new SegmentDamaged('it is too short')
    const view = viewOf(bytes)
    for (let page = from; page <= to; page++) {
      const at = (page - from) * pageBytes
      const sum = this.#table.getUint32(page * pageHeadBytes + 8, true)
      if (crc32(bytes.subarray(at, at + pageBytes)) !== sum)
        throw new SegmentDamaged(`page ${page} is damaged`)
      const entries = Math.min(pageEntries, group.entries - (page - group.page) * pageEntries)
      for (let entry = at; entry < at + entries * entryBytes; entry += entryBytes) {
        const seq = this.span.first - 1 + view.getUint32(entry + 16, true)
        const first = view.getFloat64(entry, true)
        found(seq, view.getFloat64(entry + 8, true), first, view.getUint32(entry + 20, true))
      }
    }
  }
}

/** Who takes part, by the names at the end of a head. Throws SegmentDamaged. */
function namesIn(bytes: Uint8Array): SegmentNames {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new SegmentDamaged('its names are no JSON')
  }
  const { roster, points } = (value ?? {}) as Readonly<Record<string, unknown>>
  const isWhole =
    Array.isArray(roster) && roster.every(isEntry) && Array.isArray(points) && points.every(isPoint)
  if (isWhole) return { roster, points }
  throw new SegmentDamaged('its names make no sense')
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
