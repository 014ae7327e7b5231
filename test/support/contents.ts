/**
 * What each volume holds by logic alone: one plain array of places a volume, in which a restore is a jump, a sync is
 * a copy, a view a mirror of its base, and a write is a write when it takes effect. Told of every event, it knows what each read must find.
 */

import * as assert from 'uvu/assert'
import type { Check } from '../../src/check/check.ts'
import { type Event, takesEffect } from '../../src/events/columns.ts'
import { count } from '../../src/events/detail.ts'
import { fencedMeta } from '../../src/layers/fence-state.ts'
import { type Volume, volumeOf, type World } from '../../src/layers/layer.ts'
import { type Pair, pairsOf, pairsOn } from '../../src/layers/pair-state.ts'
import { overlayOf, preservesOf, viewsOf } from '../../src/layers/preserve-state.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'

export class Contents implements Check {
  readonly rules = ['contents']
  readonly #held: number[][] = []
  /** How many reads were compared. */
  reads = 0

  before(event: Event, world: World): void {
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
      case 'sync.finished':
        this.#held[pair!.clone - 1] = [...this.#of(pair!.source)]
        return
      case 'pair.fractured':
        if (pair!.phase === 'syncing') this.#fractured(pair!, volumeOf(world, pair!.source)!)
        return
      case 'restore.started':
        this.#restored(pair!, world)
        return
      default:
    }
    if (takesEffect(event)) this.#write(event, world)
    if (event.fate === 'passed' && event.op === 'read') this.#read(event, world)
  }

  /** Compares every block of every volume. */
  compare(world: World): void {
    for (const volume of world.volumes) {
      if (volume.gone === true) continue
      const held = this.#of(volume.id)
      const found = held.map((place, block) => this.#find(volume, block, place, world))
      assert.equal(found, held, `volume ${volume.id} after event ${world.seq}`)
    }
  }

  /** From now on the source is the clone, but for metadata behind a fence. */
  #restored(pair: Pair, world: World): void {
    const before = this.#of(pair.source)
    const { block } = volumeOf(world, pair.source)!
    const fenced = fencedMeta(world, pair.source)
    this.#held[pair.source - 1] = this.#of(pair.clone).map((place, at) => {
      return fenced.touches({ offset: at * block, length: block }) ? before[at]! : place
    })
  }

  #of(volume: number): number[] {
    return this.#held[volume - 1]!
  }

  #write(event: Event, world: World): void {
    const volume = volumeOf(world, event.volume)!
    const written = [this.#of(volume.id)]
    for (const { view } of viewsOf(preservesOf(world), volume.id)) written.push(this.#of(view))
    for (const pair of pairsOn(pairsOf(world), volume.id)) {
      if (pair.source === volume.id && pair.phase === 'in-sync') written.push(this.#of(pair.clone))
    }
    const first = event.offset / volume.block
    for (let k = 0; k < event.length / volume.block; k++) {
      const place = event.op === 'write' ? event.payload + k * volume.map.step : 0
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
      if (needed) return volumeOf(world, restoring.clone)!.map.get(block)
    }
    for (const pair of pairsOn(pairsOf(world), volume.id)) {
      if (pair.clone !== volume.id || pair.phase !== 'syncing') continue
      const e = Math.floor((block * volume.block) / pair.extent)
      if (!pair.cdm.get(e)) return own === this.#of(pair.source)[block] ? place : own
    }
    return own
  }
}
