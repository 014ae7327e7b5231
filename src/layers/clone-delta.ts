/**
 * What changes the clone delta map: writes that take effect on either side, copies that end, and the restore of a
 * source from another of its clones. A bit is cleared only by the copy of its extent, or by a write of the whole extent
 * that takes effect on both sides at once, in an unprotected restore (SPEC S3-I9, S3-I11).
 */

import { assert, must } from '../core/assert.ts'
import type { Event } from '../events/columns.ts'
import { covers, extentsOf } from './copy-gate.ts'
import { volumeOf, type World } from './layer.ts'
import { blocksOf, isWhole, type Pair, rangeOfExtent } from './pair-state.ts'
import { isRunning, restoresOf } from './restore-state.ts'

/** Another clone of a source that is about to change differs wherever the restoring pair does (SPEC 5.3, 1). */
export function widen(other: Pair, restoring: Pair): void {
  const runs = restoring.cdm.runs()
  for (let k = 0; k < runs.length; k += 2) {
    const { offset } = rangeOfExtent(restoring, runs[k]!)
    const end = rangeOfExtent(restoring, runs[k]! + runs[k + 1]! - 1)
    const length = end.offset + end.length - offset
    const { first, last } = extentsOf({ offset, length }, other.extent)
    other.cdm.setRange(first, last - first + 1)
  }
}

/** A copy was reported. One clone to source that is running clears the delta bit; its layer moves the content. */
export function reported(one: Pair, event: Event, world: World): void {
  if (event.volume === one.clone) return synced(one, event, world)
  if (event.code !== 'ok' || !isRunning(world, event)) return
  const e = extentsOf(event, one.extent).first
  assert(one.cdm.clear(e), `extent ${e} of pair ${one.name} differed until it was copied`)
}

/** A copy source to clone was reported. One whose sync was given up meanwhile changes nothing. */
function synced(one: Pair, event: Event, world: World): void {
  if (!one.gate.isOf(event) || !isWhole(one, event)) return
  const e = extentsOf(event, one.extent).first
  one.gate.ended(e)
  if (event.code === 'ok') {
    const { first, count: blocks } = blocksOf(event, volumeOf(world, one.source)!)
    volumeOf(world, one.clone)!.map.copy(volumeOf(world, one.source)!.map, first, blocks)
    one.cdm.clear(e)
  } else one.cursor = 0
}

/** A write took effect on one side of a pair. */
export function trackWrite(one: Pair, event: Event, world: World): void {
  const { first, last } = extentsOf(event, one.extent)
  if (one.phase === 'fractured') {
    for (let e = first; e <= last; e++) one.cdm.set(e)
    return
  }
  const restoring = restoresOf(world).byTag.get(one.tag)
  if (restoring?.protected === true) return
  must(event.volume === one.source, 'S3-I11', `write ${event.seq} changes the clone of ${one.name}`)
  if (restoring !== undefined) return both(one, event, world)
  const source = volumeOf(world, one.source)!
  const clone = volumeOf(world, one.clone)!
  const range = blocksOf(event, source)
  for (let e = first; e <= last; e++) {
    must(!one.gate.copying.get(e), 'S3-I3', `write ${event.seq} reaches extent ${e} during its copy`)
    if (one.cdm.get(e)) continue
    const start = Math.max(range.first, (e * one.extent) / source.block)
    const stop = Math.min(range.first + range.count, ((e + 1) * one.extent) / source.block)
    clone.map.copy(source.map, start, stop - start)
  }
}

/** A write during an unprotected restore is one to source and clone: where it covers an extent, they are equal again. */
function both(one: Pair, event: Event, world: World): void {
  const source = volumeOf(world, one.source)!
  const { first, count: blocks } = blocksOf(event, source)
  volumeOf(world, one.clone)!.map.copy(source.map, first, blocks)
  const extents = extentsOf(event, one.extent)
  for (let e = extents.first; e <= extents.last; e++) {
    if (one.cdm.get(e) && covers(event, e, one.extent, one.size)) one.cdm.clear(e)
  }
}
