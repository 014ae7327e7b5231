/**
 * Touches: which blocks of which volume an event reads or changes, found by looking at the state before and after it is
 * folded. The rules of copies, mirrors, views and restores stay where they are, in the layers; here is only looked at
 * what they did.
 *
 *     a place >= 0    the volume's own map has that content from here on (0: zeros), block by block in one piece
 *     read            a host read it, and got it here
 *     copied          the copy of its extent ended, whether the block was another before or not
 *     shown           a restore begins: readers see the clone's content from here on, until it is copied
 *     own             that ends without a copy: readers see the volume's own map (cancelled, or overwritten)
 *     base            a view shows its base again here
 *     gone            the volume is no more
 */

import type { Run } from '../core/block-map.ts'
import type { Range } from '../core/range.ts'
import { type Event, takesEffect } from '../events/columns.ts'
import { changes } from '../events/kind.ts'
import { branchesOf, volumeOfBranch } from '../layers/branch-state.ts'
import { fencedMeta } from '../layers/fence-state.ts'
import { type Volume, volumeOf, type World } from '../layers/layer.ts'
import { blocksOf, isWhole, pairsOf, pairsOn } from '../layers/pair-state.ts'
import { nextStored, preservesOf, viewsOf } from '../layers/preserve-state.ts'
import { deltaMapOf, isRunning, needs, type Restore, rangeOf, restoresOf } from '../layers/restore-state.ts'
import { isIdle } from '../volume.ts'

/** What is told in place of a place. */
export const marks = { read: -1, copied: -2, shown: -3, own: -4, base: -5, gone: -6 } as const

/** Is told of blocks [first, first + count) of a volume: a place or a mark. */
export type Tell = (seq: number, volume: number, first: number, count: number, what: number) => void

interface Stretch {
  readonly first: number
  readonly count: number
}

/** A stretch whose map may change besides what the event names, as it was. */
interface Watched extends Stretch {
  readonly volume: number
  readonly was: readonly Run[]
}

/** Asked around the fold of every event: `before` it, with the old state, and `after` it. */
export class Touches {
  readonly #tell: Tell
  #watched: Watched[] = []
  /** Extents that need their copy and that the event writes to. */
  #needed: number[] = []

  constructor(tell: Tell) {
    this.#tell = tell
  }

  before(event: Event, world: World): void {
    if (this.#watched.length > 0) this.#watched = []
    if (this.#needed.length > 0) this.#needed = []
    if (takesEffect(event)) {
      if (!isIdle(world, event.volume)) this.#beforeEffect(event, world)
      return
    }
    switch (event.kind) {
      case 'copy.report':
        return this.#beforeCopy(event, world)
      case 'restore.cancelled': {
        const one = restoresOf(world).byTag.get(event.tag)
        if (one !== undefined) this.#tellNeeded(event.seq, one, world, marks.own)
        return
      }
      case 'branch.failed': {
        const { id, size, block } = world.volumes[event.volume - 1]!
        return this.#tell(event.seq, id, 0, size / block, marks.gone)
      }
      case 'volume.resized':
      case 'volume.deleted':
      case 'preserve.dropped':
      case 'merge.finished':
        return this.#ends(event, world)
      default:
    }
  }

  after(event: Event, world: World): void {
    const { seq, volume: id } = event
    if (event.fate === 'passed' && event.op !== 'flush') {
      const volume = volumeOf(world, id)!
      const { first, count } = blocksOf(event, volume)
      if (changes(event.op)) {
        if (event.op === 'write') this.#tell(seq, id, first, count, event.payload)
        else if (event.payload === 0) this.#tell(seq, id, first, count, 0)
        else this.#tellRuns(seq, volume, { first, count })
        this.#afterEffect(seq, id, world)
      } else this.#tell(seq, id, first, count, marks.read)
    } else if (event.kind === 'branch.report') this.#tellReported(event, world)
    else if (event.kind === 'restore.started') {
      this.#tellNeeded(seq, restoresOf(world).byTag.get(event.tag)!, world, marks.shown)
    }
    for (const watched of this.#watched) this.#tellChanges(seq, watched, world)
  }

  /** A run that a branch took over; one that was refused changed nothing. */
  #tellReported(event: Event, world: World): void {
    const branch = branchesOf(world).byVolume.get(event.volume)
    if (branch?.mapHash !== '' || branch.next !== event.offset + event.length) return
    const volume = volumeOfBranch(world, branch)
    const { first, count } = blocksOf(event, volume)
    if (volume.map.get(first) === event.payload) this.#tell(event.seq, volume.id, first, count, event.payload)
  }

  /** Zeros whose edges were merged with what was there: as the map has it now. */
  #tellRuns(seq: number, { id, map }: Volume, { first, count }: Stretch): void {
    for (const run of map.runs(first, count)) this.#tell(seq, id, run.block, run.count, run.place)
  }

  #beforeEffect(event: Event, world: World): void {
    const volume = volumeOf(world, event.volume)!
    const range = blocksOf(event, volume)
    for (const { view, table } of viewsOf(preservesOf(world), volume.id)) {
      const end = range.first + range.count
      if (nextStored(table, range.first, end) < end) {
        this.#tell(event.seq, view, range.first, range.count, marks.base)
      }
    }
    for (const { source, clone, phase } of pairsOn(pairsOf(world), volume.id)) {
      if (source === volume.id && clone > 0 && phase !== 'fractured') {
        this.#watch(volumeOf(world, clone)!, range)
      }
    }
    const restore = restoresOf(world).bySource.get(volume.id)
    if (restore === undefined) return
    const cdm = deltaMapOf(world, restore.tag)
    const last = Math.floor((event.offset + event.length - 1) / restore.extent)
    for (let e = Math.floor(event.offset / restore.extent); e <= last; e++) {
      if (needs(restore, cdm, e)) this.#needed.push(e)
    }
  }

  /** Extents whose copy a write made needless: what it left there shows the source's own map from now on. */
  #afterEffect(seq: number, id: number, world: World): void {
    const restore = this.#needed.length === 0 ? undefined : restoresOf(world).bySource.get(id)
    if (restore === undefined) return
    const cdm = deltaMapOf(world, restore.tag)
    const volume = volumeOf(world, id)!
    for (const e of this.#needed) {
      if (needs(restore, cdm, e)) continue
      const { first, count } = blocksOf(rangeOf(restore, e), volume)
      this.#tell(seq, id, first, count, marks.own)
    }
  }

  #beforeCopy(event: Event, world: World): void {
    const pair = pairsOf(world).byTag.get(event.tag)
    if (pair === undefined || event.code !== 'ok') return
    const toClone = event.volume === pair.clone
    const isOn = toClone ? pair.gate.isOf(event) && isWhole(pair, event) : isRunning(world, event)
    if (!isOn) return
    const volume = volumeOf(world, event.volume)!
    const range = blocksOf(event, volume)
    this.#tell(event.seq, volume.id, range.first, range.count, marks.copied)
    this.#watch(volume, range)
  }

  #ends(event: Event, world: World): void {
    const { id, size, block } = volumeOf(world, event.volume)!
    const blocks = Math.ceil(size / block)
    if (event.kind !== 'volume.resized') return this.#tell(event.seq, id, 0, blocks, marks.gone)
    const left = (event.detail.size as number) / block
    if (left < blocks) this.#tell(event.seq, id, left, blocks - left, 0)
  }

  #watch({ id, map }: Volume, { first, count }: Stretch): void {
    this.#watched.push({ volume: id, first, count, was: map.runs(first, count) })
  }

  /** Tells where a watched stretch is another than it was: both are runs without a gap, gone through side by side. */
  #tellChanges(seq: number, { volume, first, count, was }: Watched, world: World): void {
    const { map } = volumeOf(world, volume)!
    const end = first + count
    let old = 0
    for (const run of map.runs(first, count)) {
      const stop = run.block + run.count
      for (let block = run.block; block < stop; ) {
        const other = was[old]!
        const to = Math.min(stop, other.block + other.count)
        const place = placeIn(run, block, map.step)
        if (place !== placeIn(other, block, map.step)) this.#tell(seq, volume, block, to - block, place)
        if (to === other.block + other.count && to < end) old++
        block = to
      }
    }
  }

  /** Tells of all extents that need their copy; what a fence covers shows its pattern as before. */
  #tellNeeded(seq: number, restore: Restore, world: World, what: number): void {
    const source = volumeOf(world, restore.source)!
    const fenced = fencedMeta(world, source.id)
    for (const range of neededRanges(restore, world)) {
      for (const piece of fenced.split(range)) {
        if (piece.inside && what === marks.shown) continue
        const { first, count } = blocksOf(piece, source)
        this.#tell(seq, source.id, first, count, what)
      }
    }
  }
}

/** The bytes of a source that a restore has still to copy, neighbours joined. */
export function neededRanges(restore: Restore, world: World): Range[] {
  const cdm = deltaMapOf(world, restore.tag)
  const ranges: { offset: number; length: number }[] = []
  for (let e = cdm.next(0); e >= 0; e = cdm.next(e + 1)) {
    if (!needs(restore, cdm, e)) continue
    const { offset, length } = rangeOf(restore, e)
    const last = ranges.at(-1)
    if (last !== undefined && last.offset + last.length === offset) last.length += length
    else ranges.push({ offset, length })
  }
  return ranges
}

function placeIn({ block, place }: Run, at: number, step: number): number {
  return place === 0 ? 0 : place + (at - block) * step
}
