/**
 * Copy gate: the extents of a pair that are being copied right now (seed S3's copy-on-demand map, either
 * direction), and the host requests that wait for them.
 *
 * A request may go when no extent it touches blocks it and no older waiting request overlaps it. One that is found
 * behind an older one is looked at again when that one is gone, one that a copy blocks when the copy ends: the queue
 * is never walked whole. Memory only: after a crash nothing is being copied and nothing waits (SPEC 5.8).
 */

import { assert, must } from '../core/assert.ts'
import { Bitmap } from '../core/bitmap.ts'
import { Heap } from '../core/heap.ts'
import { Lanes } from '../core/lanes.ts'
import { cellsOf, type Range } from '../core/range.ts'
import { RangeIndex } from '../core/range-index.ts'
import type { Code } from '../events/code.ts'
import type { NewEvent } from '../events/columns.ts'
import { changes } from '../events/kind.ts'
import { endOf, type Request } from './request.ts'

/** How many extents of one pair are copied at a time in the background. */
export const copiesAtOnce = 4

/** More waiting requests than this on one pair, and new ones are refused E_QUEUE_FULL. */
export const maxWaiting = 65_536

export class CopyGate {
  readonly extent: number
  readonly copying: Bitmap
  readonly #waiting = new Map<number, Request>()
  readonly #index = new RangeIndex<Request>()
  readonly #lanes = new Lanes()
  /** Waiting requests that may have become ready, and some that are gone; looked at when a decision is due. */
  readonly #candidates = new Heap<Request>()
  /** By request, those found to wait for it, which overlap it and are younger. */
  readonly #behind = new Map<number, Request[]>()
  /** Which copy.started each running copy belongs to: a report of an older one is stale. */
  readonly #startedAt = new Map<number, number>()

  readonly #size: number

  /** @param extent bytes of an extent. @param size bytes of the volume. */
  constructor(extent: number, size: number) {
    this.extent = extent
    this.#size = size
    this.copying = new Bitmap(Math.ceil(size / extent))
  }

  get length(): number {
    return this.#waiting.size
  }

  get full(): boolean {
    return this.#waiting.size >= maxWaiting
  }

  /** True when an older waiting request overlaps this one, which must not overtake it (G-I5). */
  blockedByOlder(request: Range & { readonly io: number }): boolean {
    return this.#waiting.size > 0 && this.#index.older(request, request.io) !== undefined
  }

  /** True when an older waiting change of the same volume overlaps this one. */
  blockedByOwn({ io, volume, offset, length }: Request): boolean {
    if (this.#waiting.size === 0) return false
    const near = this.#index.overlapping({ offset, length })
    return near.some((older) => older.io < io && older.volume === volume && changes(older.op))
  }

  enqueue(request: Request): void {
    if (this.#waiting.has(request.io)) return
    this.#staysBehind(request)
    this.#waiting.set(request.io, request)
    this.#index.add(request)
    this.#lanes.add(request.io, 1)
  }

  /** Takes a request out, released or ended; false when it did not wait here. */
  take(io: number): boolean {
    const request = this.#waiting.get(io)
    if (request === undefined) return false
    this.#waiting.delete(io)
    this.#index.remove(request)
    this.#lanes.remove(io, 1)
    this.#consider(this.#behind.get(io) ?? [])
    this.#behind.delete(io)
    return true
  }

  /** A copy of an extent begins with the event `seq`. */
  began(extent: number, seq: number): void {
    must(extent < this.copying.length, 'S3-I2', `extent ${extent} lies outside the volume`)
    must(this.copying.set(extent), 'S3-I2', `extent ${extent} is already being copied`)
    this.#startedAt.set(extent, seq)
    this.#lanes.add(2 ** 40 + extent, seq)
  }

  /** True when a report is of a copy that is running: of that extent, whole, and of that start. */
  isOf(report: Range & { readonly about: number }): boolean {
    const { first } = extentsOf(report, this.extent)
    const offset = first * this.extent
    const length = Math.min(this.extent, this.#size - offset)
    if (report.offset !== offset || report.length !== length) return false
    return report.about > 0 && this.#startedAt.get(first) === report.about
  }

  /** The copies that are running, as [extent, sequence number of their copy.started]. */
  running(): Iterable<[number, number]> {
    return this.#startedAt
  }

  /** The copy of an extent ended, well or not: requests on it may have become ready. */
  ended(extent: number): void {
    assert(this.copying.clear(extent), `extent ${extent} is being copied`)
    this.#lanes.remove(2 ** 40 + extent, this.#startedAt.get(extent)!)
    this.#startedAt.delete(extent)
    this.#consider(this.#index.overlapping({ offset: extent * this.extent, length: this.extent }))
  }

  /** The oldest request that became ready, given what blocks a request besides older ones. */
  ready(isBlocked: (request: Request) => boolean): Request | undefined {
    for (let one = this.#candidates.peek(); one !== undefined; one = this.#candidates.peek()) {
      if (this.#waiting.has(one.io) && !this.#staysBehind(one) && !isBlocked(one)) return one
      this.#candidates.pop()
    }
    return undefined
  }

  /** Forgets the copies in flight, whose process is gone. */
  restart(): void {
    this.copying.clearAll()
    for (const [extent, seq] of this.#startedAt) this.#lanes.remove(2 ** 40 + extent, seq)
    this.#startedAt.clear()
  }

  /** Who waits, oldest first. */
  waiting(): Request[] {
    return [...this.#waiting.values()].sort((a, b) => a.io - b.io)
  }

  /** Everybody waiting may go as far as this gate is concerned. */
  open(): void {
    this.#consider(this.#waiting.values())
  }

  /** Waiting requests that touch an extent, oldest first. */
  waitingOn(extent: number): Request[] {
    return this.#index.overlapping({ offset: extent * this.extent, length: this.extent })
  }

  abandon(code: Code, session: number | undefined): NewEvent[] {
    const gone = this.waiting().filter((one) => session === undefined || one.session === session)
    return gone.map((request) => endOf('io.lost', request, code))
  }

  hash(place: number, lanes: Lanes): void {
    lanes.include(place, this.copying.hashLow, this.copying.hashHigh)
    lanes.include(place + 1, this.#lanes.low, this.#lanes.high)
  }

  save(): unknown {
    return [[...this.#startedAt], this.waiting()]
  }

  static load(extent: number, size: number, saved: unknown): CopyGate {
    const [running, waiting] = saved as [[number, number][], Request[]]
    const gate = new CopyGate(extent, size)
    for (const [e, seq] of running) gate.began(e, seq)
    for (const request of waiting) gate.enqueue(request)
    return gate
  }

  #consider(requests: Iterable<Request>): void {
    for (const request of requests) this.#candidates.push(request)
    if (this.#candidates.size <= 64 + 4 * this.#waiting.size) return
    this.#candidates.clear()
    for (const request of this.#waiting.values()) this.#candidates.push(request)
  }

  /** True when an older waiting request overlaps this one, which is looked at again when that one is gone. */
  #staysBehind(request: Request): boolean {
    const older = this.#index.older(request, request.io)
    if (older === undefined) return false
    const behind = this.#behind.get(older.io)
    if (behind === undefined) this.#behind.set(older.io, [request])
    else behind.push(request)
    return true
  }
}

/** The extents a range touches, as [first, last]. */
export function extentsOf(range: Range, extent: number): { first: number; last: number } {
  return cellsOf(range, extent)
}

/** True when a range covers extent `e` of a volume of `size` bytes whole; the last extent may be short. */
export function covers(range: Range, e: number, extent: number, size: number): boolean {
  const start = e * extent
  return range.offset <= start && range.offset + range.length >= Math.min(start + extent, size)
}
