/**
 * One moment at which power may fail: what had been asked of the disk, what had been answered, what is durable by that,
 * and, sector by sector, what the rest may have left.
 *
 *     asked ──▶ in flight ──▶ answered ──▶ durable
 *                   │             │           a flush asked after the answer was answered; of a FUA write: at once
 *                   └─────────────┴── a crash leaves any of its sectors
 */

import { answeredOf, type DiskOperation, extentOf } from './disk-operation.ts'
import { landed, SectorChoices, type Share } from './sector-choices.ts'

/** A sector of the disk that the history wrote to. */
export interface MomentSector {
  readonly number: number
  readonly shares: readonly Share[]
  readonly choices: SectorChoices
}

/** The writes that are seen in a sector, oldest first. */
export type Seen = readonly number[]

export class CrashMoment {
  /** So many operations had been asked. */
  readonly after: number
  readonly answered: ReadonlySet<number>
  /** Writes that had been asked. */
  readonly writes: readonly number[]
  /** Writes that a crash may take, wholly or in part. */
  readonly pending: readonly number[]
  /** Sectors that may hold more than one thing. */
  readonly open: readonly MomentSector[]
  /** What is seen in the others. */
  readonly #settled: readonly { readonly number: number; readonly seen: Seen }[]
  readonly #history: readonly DiskOperation[]
  readonly #sector: number
  #base:
    | { readonly size: number; readonly before: Uint8Array | undefined; readonly image: Uint8Array }
    | undefined

  /** @param upTo answers are in that came before operation `upTo` was asked. */
  constructor(history: readonly DiskOperation[], after: number, upTo: number, sector: number) {
    this.after = after
    this.#history = history
    this.#sector = sector
    const answers = history.slice(0, after).map((_, index) => answeredOf(history, index))
    this.answered = new Set(answers.flatMap((answered, index) => (answered <= upTo ? [index] : [])))
    const flushes = [...this.answered].filter((index) => history[index]!.op === 'flush')
    const newest = Math.max(-1, ...flushes)
    const pending: number[] = []
    const sectors = new Map<number, Share[]>()
    for (let index = 0; index < after; index++) {
      const operation = history[index]!
      if (operation.op === 'flush') continue
      const answered = answers[index]!
      const durable = answered <= newest || (operation.fua === true && this.answered.has(index))
      if (!durable) pending.push(index)
      const { offset, end } = extentOf(operation)
      for (let number = Math.floor(offset / sector); number * sector < end; number++) {
        const whole = offset <= number * sector && end >= (number + 1) * sector
        const shares = sectors.get(number)
        if (shares === undefined) sectors.set(number, [{ index, answered, whole, durable }])
        else shares.push({ index, answered, whole, durable })
      }
    }
    this.writes = history.slice(0, after).flatMap(({ op }, index) => (op === 'flush' ? [] : [index]))
    this.pending = pending
    const all = [...sectors].map(([number, shares]) => ({
      number,
      shares,
      choices: new SectorChoices(shares),
    }))
    this.open = all.filter(({ choices }) => choices.count > 1).sort((a, b) => a.number - b.number)
    const settled = all.filter(({ choices }) => choices.count === 1)
    this.#settled = settled.map(({ number, choices }) => ({ number, seen: choices.at(0) }))
  }

  /** True when nothing can be different from what it was at `other`. */
  repeats(other: CrashMoment | undefined): boolean {
    if (other === undefined || other.answered.size !== this.answered.size) return false
    return other.pending.length === this.pending.length
  }

  /** What is seen in each open sector when of the writes that may be gone those survive that `survives` names. */
  seenWith(survives: (index: number, sector: number) => boolean): Seen[] {
    return this.open.map(({ number, shares }) => landed(shares, (index) => survives(index, number)))
  }

  /** The disk with `seen` in the open sectors. */
  image(seen: readonly Seen[], size: number, before: Uint8Array | undefined): Uint8Array {
    if (this.#base?.size !== size || this.#base.before !== before) {
      const image = new Uint8Array(size)
      if (before !== undefined) image.set(before.subarray(0, size))
      for (const sector of this.#settled) this.#lay(image, sector.number, sector.seen)
      this.#base = { size, before, image }
    }
    const image = this.#base.image.slice()
    for (const [k, { number }] of this.open.entries()) this.#lay(image, number, seen[k]!)
    return image
  }

  /** Sectors of the disk that write `index` touches. */
  sectorsOf(index: number): number[] {
    const { offset, end } = extentOf(this.#history[index]!)
    const first = Math.floor(offset / this.#sector)
    return Array.from({ length: Math.ceil(end / this.#sector) - first }, (_, k) => first + k)
  }

  #lay(image: Uint8Array, number: number, seen: Seen): void {
    for (const index of seen) {
      const operation = this.#history[index]!
      if (operation.op === 'flush') continue
      const { offset, end } = extentOf(operation)
      const from = Math.max(offset, number * this.#sector)
      const to = Math.min(end, (number + 1) * this.#sector, image.length)
      if (from >= to) continue
      if (operation.op === 'write') image.set(operation.data.subarray(from - offset, to - offset), from)
      else image.fill(0, from, to)
    }
  }
}
