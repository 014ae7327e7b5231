/**
 * What a restoring source holds, by an oracle (S3-I1): the clone's content at the start, overlaid by the writes since.
 * Every read that goes finds it there, and so does the end of the restore, block by block.
 */

import type { BlockMap } from '../core/block-map.ts'
import { type Event, takesEffect } from '../events/columns.ts'
import { fencedMeta } from '../layers/fence-state.ts'
import { volumeOf, type World } from '../layers/layer.ts'
import { blocksOf, pairsOf, rangeOfExtent } from '../layers/pair-state.ts'
import { deltaMapOf, isRunning, needs, type Restore, restoresOf } from '../layers/restore-state.ts'
import { putIn } from '../layers/sub-block.ts'
import type { MakeCheck } from './check.ts'

export const restoredContent: MakeCheck = (report) => {
  /** What each restoring source must hold. */
  const oracles = new Map<number, BlockMap>()
  let begun = false

  const compare = (seq: number, source: number, first: number, count: number, who: string, world: World) => {
    const { map } = volumeOf(world, source)!
    const oracle = oracles.get(source)!
    for (let block = first; block < first + count; block++) {
      if (map.get(block) === oracle.get(block) || isUnknown(source, block, world)) continue
      const detail = `${who} finds at block ${block} neither the clone's content nor a later write`
      report({ seq, rule: 'S3-I1', detail })
      return
    }
  }

  /** An extent of a clone outside that was not copied yet: nobody may pass there, which is another rule (S3-I4). */
  const isUnknown = (source: number, block: number, world: World) => {
    const one = restoresOf(world).bySource.get(source)
    if (one === undefined || one.clone > 0) return false
    const e = Math.floor((block * volumeOf(world, source)!.block) / one.extent)
    return needs(one, deltaMapOf(world, one.tag), e)
  }

  /** An extent came from a clone outside, which is what the source holds there from now on. */
  const brought = (event: Event, world: World) => {
    const one = restoresOf(world).byTag.get(event.tag)
    const oracle = oracles.get(event.volume)
    if (one === undefined || one.clone > 0 || oracle === undefined || !isRunning(world, event)) return
    for (const piece of fencedMeta(world, event.volume).split(event)) {
      if (piece.inside) continue
      const { first, count } = blocksOf(piece, volumeOf(world, event.volume)!)
      if (event.payload > 0) oracle.write(first, count, event.payload + (piece.offset - event.offset) / 512)
      else oracle.zero(first, count)
    }
  }

  const read = (event: Event, world: World) => {
    const volume = volumeOf(world, event.volume)!
    const { first, count } = blocksOf(event, volume)
    compare(event.seq, volume.id, first, count, `read ${event.request}`, world)
  }

  return {
    rules: ['S3-I1'],
    before(event, world) {
      if (!begun) {
        begun = true
        for (const one of restoresOf(world).byTag.values()) oracles.set(one.source, rebuilt(one, world))
      }
      if (event.kind === 'copy.report' && event.code === 'ok') brought(event, world)
      if (event.kind === 'restore.cancelled') {
        oracles.delete(restoresOf(world).byTag.get(event.tag)?.source ?? 0)
      }
      if (event.kind === 'restore.completed') {
        const source = restoresOf(world).byTag.get(event.tag)?.source
        if (source === undefined || !oracles.has(source)) return
        const { size, block } = volumeOf(world, source)!
        compare(event.seq, source, 0, size / block, 'the end of the restore', world)
        oracles.delete(source)
      }
      if (oracles.has(event.volume) && event.fate === 'passed' && event.op === 'read') read(event, world)
    },
    after(event, world) {
      if (event.kind === 'restore.started') {
        const { source, clone } = pairsOf(world).byTag.get(event.tag)!
        const own = volumeOf(world, source)!
        const oracle = (volumeOf(world, clone) ?? own).map.fork()
        for (const range of fencedMeta(world, source).ranges) {
          const { first, count } = blocksOf(range, own)
          oracle.copy(own.map, first, count)
        }
        oracles.set(source, oracle)
      }
      const oracle = oracles.get(event.volume)
      if (oracle === undefined || !takesEffect(event)) return
      putIn(oracle, event, volumeOf(world, event.volume)!.block)
    },
  }
}

/** The oracle of a restore that was running when the record begins. */
function rebuilt(one: Restore, world: World): BlockMap {
  const source = volumeOf(world, one.source)!
  const oracle = source.map.fork()
  const cdm = deltaMapOf(world, one.tag)
  const pair = pairsOf(world).byTag.get(one.tag)!
  if (one.clone === 0) return oracle
  const fenced = fencedMeta(world, one.source)
  for (let e = cdm.next(0); e >= 0; e = cdm.next(e + 1)) {
    if (!needs(one, cdm, e)) continue
    for (const piece of fenced.split(rangeOfExtent(pair, e))) {
      const { first, count } = blocksOf(piece, source)
      if (!piece.inside) oracle.copy(volumeOf(world, one.clone)!.map, first, count)
    }
  }
  return oracle
}
