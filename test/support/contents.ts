/**
 * What each volume holds by logic alone: one plain array of places a volume, in which a restore is a jump, a sync is
 * a copy, a view a mirror of its base, and a write is a write when it takes effect. Told of every event, it knows what each read must find.
 */

import * as assert from 'uvu/assert'
import type { Check } from '../../src/check/check.ts'
import { type Event, takesEffect } from '../../src/events/columns.ts'
import { count } from '../../src/events/detail.ts'
import { branchesOf } from '../../src/layers/branch-state.ts'
import { fencedMeta } from '../../src/layers/fence-state.ts'
import { type Volume, volumeOf, type World } from '../../src/layers/layer.ts'
import { type Pair, pairsOf, pairsOn } from '../../src/layers/pair-state.ts'
import { overlayOf, preservesOf, viewsOf } from '../../src/layers/preserve-state.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import { outside } from './history.ts'

/** Branches of older moments are not for this oracle. */
const moments = 256

export class Contents implements Check {
  readonly rules = ['contents']
  readonly #held: number[][] = []
  /** By source, what it held when its restore began. */
  readonly #before = new Map<number, number[]>()
  /** What all held after each of the last events: where branches come from. */
  readonly #moments = new Map<number, number[][]>()
  /** How many reads were compared. */
  reads = 0

  before(event: Event, world: World): void {
    this.#remember(event.seq - 1)
    const pair = pairsOf(world).byTag.get(event.tag)
    switch (event.kind) {
      case 'volume.created': {
        const blocks = count(event.detail, 'size') / count(event.detail, 'block')
        this.#held.push(new Array(blocks).fill(0))
        return
      }
      case 'preserve.created':
        this.#held.push([...this.#of(count(event.detail, 'base'))])
        return
      case 'branch.started':
        this.#held.push([])
        return
      case 'branch.finished': {
        const { from, seq } = branchesOf(world).byVolume.get(event.volume)!
        this.#held[event.volume - 1] = [...this.#moments.get(seq)![from - 1]!]
        return
      }
      case 'sync.finished':
        this.#held[pair!.clone - 1] = [...this.#of(pair!.source)]
        return
      case 'pair.fractured':
        if (pair!.phase === 'syncing') this.#fractured(pair!, volumeOf(world, pair!.source)!)
        return
      case 'restore.started':
        this.#started(pair!, world)
        return
      case 'restore.cancelled':
        this.#cancelled(pair!, world)
        return
      case 'volume.resized':
        this.#resized(event.volume, count(event.detail, 'size') / volumeOf(world, event.volume)!.block)
        return
      case 'volume.deleted':
        this.#held[event.volume - 1] = []
        return
      default:
    }
    if (takesEffect(event)) this.#write(event, world)
    if (event.fate === 'passed' && event.op === 'read') this.#read(event, world)
  }

  /** Compares every block of every volume. */
  compare(world: World): void {
    for (const volume of world.volumes) {
      if (volume.gone === true || volume.unfinished === true) continue
      const held = this.#of(volume.id)
      const found = held.map((place, block) => this.#find(volume, block, place, world))
      assert.equal(found, held, `volume ${volume.id} after event ${world.seq}`)
    }
  }

  #remember(seq: number): void {
    this.#moments.set(
      seq,
      this.#held.map((held) => [...held]),
    )
    this.#moments.delete(seq - moments)
  }

  #of(volume: number): number[] {
    return this.#held[volume - 1]!
  }

  #write(event: Event, world: World): void {
    const volume = volumeOf(world, event.volume)!
    const written = [this.#of(volume.id)]
    for (const { view } of viewsOf(preservesOf(world), volume.id)) written.push(this.#of(view))
    for (const pair of pairsOn(pairsOf(world), volume.id)) {
      if (pair.source !== volume.id) continue
      const both = pair.phase === 'in-sync' || restoresOf(world).byTag.get(pair.tag)?.protected === false
      if (both) written.push(this.#of(pair.clone))
    }
    const { offset, length, op, payload } = event
    const first = Math.floor(offset / volume.block)
    let edges = 0
    for (let k = 0; (first + k) * volume.block < offset + length; k++) {
      const start = (first + k) * volume.block
      const whole = start >= offset && start + volume.block <= offset + length
      let place = op === 'write' ? payload + k * volume.map.step : 0
      if (op !== 'write' && !whole && payload > 0) place = payload + edges++ * volume.map.step
      for (const held of written) held[first + k] = place
    }
  }

  #read(event: Event, world: World): void {
    const volume = volumeOf(world, event.volume)!
    const end = event.offset + event.length
    for (let block = Math.floor(event.offset / volume.block); block * volume.block < end; block++) {
      const place = this.#of(volume.id)[block]!
      assert.is(this.#seen(volume, block, place, world), place, `read ${event.request}, block ${block}`)
    }
    this.reads++
  }

  /** The source is what its clone is, as far as it is known to differ from it, but for metadata behind a fence. */
  #started({ source, clone, external, cdm, extent }: Pair, world: World): void {
    this.#before.set(source, [...this.#of(source)])
    const { block } = volumeOf(world, source)!
    const fenced = fencedMeta(world, source)
    const held = this.#of(source)
    for (const at of held.keys()) {
      if (fenced.touches({ offset: at * block, length: block })) continue
      if (external === null) held[at] = this.#of(clone)[at]!
      else if (cdm.get(Math.floor((at * block) / extent))) held[at] = outside(at)
    }
  }

  /** What was neither copied nor written is again what it was before the restore. */
  #cancelled({ tag, source, cdm, extent }: Pair, world: World): void {
    const { prm } = restoresOf(world).byTag.get(tag)!
    const before = this.#before.get(source)!
    const views = viewsOf(preservesOf(world), source)
    for (const block of this.#of(source).keys()) {
      const e = Math.floor((block * 4096) / extent)
      if (!cdm.get(e) || prm.get(e)) continue
      this.#of(source)[block] = before[block]!
      for (const { view, table } of views) if (!table.get(block)) this.#of(view)[block] = before[block]!
    }
  }

  #resized(volume: number, blocks: number): void {
    const held = this.#of(volume)
    while (held.length > blocks) held.pop()
    while (held.length < blocks) held.push(0)
  }

  /** Extents that were copied are the source's, the others what the clone was before. */
  #fractured(pair: Pair, source: Volume): void {
    for (const [block, place] of this.#of(pair.source).entries()) {
      const e = Math.floor((block * source.block) / pair.extent)
      if (!pair.cdm.get(e)) this.#of(pair.clone)[block] = place
    }
  }

  /** What a read that goes now finds: a view's own, or what its base really has, never what a copy still owes. */
  #seen(volume: Volume, block: number, place: number, world: World): number {
    const overlay = overlayOf(world, volume.id)
    if (overlay === undefined || overlay.table.get(block)) return volume.map.get(block)
    return this.#seen(volumeOf(world, overlay.base)!, block, place, world)
  }

  /** Where the content of a block is now, whatever the state of its pairs. */
  #find(volume: Volume, block: number, place: number, world: World): number {
    const own = volume.map.get(block)
    const overlay = overlayOf(world, volume.id)
    if (overlay !== undefined) {
      return overlay.table.get(block) ? own : this.#find(volumeOf(world, overlay.base)!, block, place, world)
    }
    const restoring = restoresOf(world).bySource.get(volume.id)
    if (restoring !== undefined) {
      const e = Math.floor((block * volume.block) / restoring.extent)
      const fenced = fencedMeta(world, volume.id).touches({
        offset: block * volume.block,
        length: volume.block,
      })
      const needed = !fenced && pairsOf(world).byTag.get(restoring.tag)!.cdm.get(e) && !restoring.prm.get(e)
      if (needed) return volumeOf(world, restoring.clone)?.map.get(block) ?? outside(block)
    }
    for (const pair of pairsOn(pairsOf(world), volume.id)) {
      if (pair.clone !== volume.id || pair.phase !== 'syncing') continue
      const e = Math.floor((block * volume.block) / pair.extent)
      if (!pair.cdm.get(e)) return own === this.#of(pair.source)[block] ? place : own
    }
    return own
  }
}
