/**
 * Views against the mirror they stand for: a full second image that gets every write to the base as well as those to
 * the view (the form of the sister patent). Table and mirror must show the same, block by block.
 *
 * A write of part of a block is one of the block as it was merged: the rest of the block goes with it (SPEC 4.7).
 *
 *     S2-I2  where the table names the base, image 2 holds nothing        S2-I5  the table after each write
 *     S2-I3  what a view shows, and X-I2 while its base is restored       S2-I7  what a view shows of a base's write
 *     S2-I4  what the base shows: no write to a view changes it           S2-I9  merges and drops
 */

import type { BlockMap } from '../core/block-map.ts'
import { type Event, takesEffect } from '../events/columns.ts'
import { type Volume, volumeOf, type World } from '../layers/layer.ts'
import { blocksOf } from '../layers/pair-state.ts'
import {
  nextShared,
  nextStored,
  type Overlay,
  overlayOf,
  preservesOf,
  viewsOf,
} from '../layers/preserve-state.ts'
import { deltaMapOf, needs, rangeOf, restoresOf } from '../layers/restore-state.ts'
import { putIn } from '../layers/sub-block.ts'
import { contentRuns, imageOf, isKnown } from '../volume/content.ts'
import type { MakeCheck } from './check.ts'

export const mirror: MakeCheck = (report) => {
  /** What each view and each base of one must show; none while content has yet to come from a clone outside. */
  const images = new Map<number, BlockMap>()
  let begun = false
  let baseHash = ''

  const learn = (volume: number, world: World) => {
    if (!images.has(volume) && isKnown(world, volume))
      images.set(volume, imageOf(world, volumeOf(world, volume)!).map.fork())
  }

  const show = (seq: number, volume: Volume, first: number, count: number, rule: string, world: World) => {
    const image = images.get(volume.id)
    if (image === undefined) return
    for (const run of contentRuns(world, volume, first, count)) {
      for (let k = 0; k < run.count; k++) {
        const place = run.place === 0 ? 0 : run.place + k * volume.map.step
        if (image.get(run.block + k) === place) continue
        const detail = `volume ${volume.id} shows at block ${run.block + k} what its mirror does not hold`
        report({ seq, rule, detail })
        return
      }
    }
  }

  const whole = (seq: number, id: number, rule: string, world: World) => {
    const image = images.get(id)
    if (image === undefined) return
    const { map } = imageOf(world, volumeOf(world, id)!)
    if (map.hashLow !== image.hashLow || map.hashHigh !== image.hashHigh) {
      report({ seq, rule, detail: `volume ${id} is not what its mirror is` })
    }
  }

  /** True when a volume, or a view that shows its writes, has a mirror. */
  const isMirrored = (volume: number, world: World) =>
    images.has(volume) || viewsOf(preservesOf(world), volume).some(({ view }) => images.has(view))

  const ruleOf = (overlay: Overlay, world: World) =>
    restoresOf(world).bySource.has(overlay.base) ? 'X-I2' : 'S2-I3'

  const read = (event: Event, world: World) => {
    const volume = volumeOf(world, event.volume)
    if (volume === undefined || !images.has(volume.id)) return
    const { first, count } = blocksOf(event, volume)
    const overlay = overlayOf(world, volume.id)
    show(event.seq, volume, first, count, overlay === undefined ? 'S2-I4' : ruleOf(overlay, world), world)
    if (overlay === undefined) return
    volume.map.eachMapped(first, count, (block) => {
      if (overlay.table.get(block)) return
      const detail = `image 2 of view ${volume.id} holds block ${block}, which its table gives to the base`
      report({ seq: event.seq, rule: 'S2-I2', detail })
    })
  }

  /** A write took effect: it is mirrored, and what it must have left in tables and views is looked at. */
  const written = (event: Event, world: World) => {
    const volume = volumeOf(world, event.volume)!
    const { first, count } = blocksOf(event, volume)
    const { seq, kind } = event
    const own = overlayOf(world, volume.id)
    const views = viewsOf(preservesOf(world), volume.id)
    for (const id of [volume.id, ...views.map(({ view }) => view)]) {
      const merging = kind === 'merge.block' && overlayOf(world, id)?.phase === 'merging'
      if (merging) continue
      const image = images.get(id)
      if (image !== undefined) putIn(image, event, volume.block)
    }
    if (own !== undefined) {
      if (nextShared(own.table, first, first + count) < first + count) {
        const detail = `the table of view ${own.view} lacks what write ${seq} stored`
        report({ seq, rule: 'S2-I5', detail })
      }
      if (baseHash !== hashOf(own.base, world)) {
        report({ seq, rule: 'S2-I4', detail: `write ${seq} to view ${own.view} changes its base` })
      }
    }
    for (const { view, table, phase } of views) {
      if (nextStored(table, first, first + count) < first + count) {
        const detail = `the table of view ${view} still has what write ${seq} put in the base`
        report({ seq, rule: 'S2-I5', detail })
      }
      const merged = kind === 'merge.block' && phase === 'merging'
      show(seq, volumeOf(world, view)!, first, count, merged ? 'S2-I9' : 'S2-I7', world)
    }
  }

  /** A restore is cancelled: what still needed its copy shows its old content again, in the base and its views. */
  const cancelled = (event: Event, world: World) => {
    const one = restoresOf(world).byTag.get(event.tag)
    if (one === undefined) return
    const source = volumeOf(world, one.source)!
    const cdm = deltaMapOf(world, one.tag)
    for (let e = cdm.next(0); e >= 0; e = cdm.next(e + 1)) {
      if (!needs(one, cdm, e)) continue
      const { first, count } = blocksOf(rangeOf(one, e), source)
      images.get(source.id)?.copy(source.map, first, count)
      for (const { view, table } of viewsOf(preservesOf(world), source.id)) {
        for (let block = first; block < first + count; block++) {
          if (!table.get(block)) images.get(view)?.copy(source.map, block, 1)
        }
      }
    }
  }

  const ends = (event: Event, world: World) => {
    const overlay = overlayOf(world, event.volume)
    if (overlay === undefined) return
    if (event.kind === 'preserve.dropped') return whole(event.seq, overlay.base, 'S2-I9', world)
    const image = images.get(overlay.view)
    if (image === undefined) images.delete(overlay.base)
    else images.set(overlay.base, image)
    whole(event.seq, overlay.base, 'S2-I9', world)
  }

  return {
    rules: ['S2-I2', 'S2-I3', 'S2-I4', 'S2-I5', 'S2-I7', 'S2-I9', 'X-I2'],
    before(event, world) {
      if (!begun) {
        begun = true
        for (const { view, base } of preservesOf(world).byView.values()) {
          learn(view, world)
          learn(base, world)
        }
      }
      if (images.size === 0) return
      if (event.fate === 'passed' && event.op === 'read') read(event, world)
      if (event.kind === 'preserve.dropped' || event.kind === 'merge.finished') ends(event, world)
      if (event.kind === 'restore.cancelled') cancelled(event, world)
      const own = takesEffect(event) ? overlayOf(world, event.volume) : undefined
      if (own !== undefined) baseHash = hashOf(own.base, world)
    },
    after(event, world) {
      if (event.kind === 'preserve.created') {
        const { base } = overlayOf(world, event.volume)!
        learn(base, world)
        learn(event.volume, world)
      } else if (event.kind === 'preserve.dropped' || event.kind === 'merge.finished') {
        images.delete(event.volume)
        const { byView, byBase } = preservesOf(world)
        for (const id of images.keys()) if (!byView.has(id) && !byBase.has(id)) images.delete(id)
      } else if (takesEffect(event) && isMirrored(event.volume, world)) written(event, world)
    },
    end(world) {
      const { byView } = preservesOf(world)
      for (const overlay of byView.values()) whole(world.seq, overlay.view, ruleOf(overlay, world), world)
      for (const id of images.keys()) if (!byView.has(id)) whole(world.seq, id, 'S2-I4', world)
    },
  }
}

function hashOf(volume: number, world: World): string {
  const { map } = volumeOf(world, volume)!
  return `${map.hashLow} ${map.hashHigh}`
}
