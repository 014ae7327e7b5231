/**
 * Logical content: what a read of a volume returns in a state, as runs of places. While a source is being restored
 * its content is the clone's wherever an extent still needs its copy (SPEC 5.3, step 1): what lies in the source's
 * own map there is from before the restore and is never shown to anybody; metadata behind a fence is its pattern. A
 * view shows image 2 where its table says so, and elsewhere the logical content of its base (SPEC 7.1, rule 3). Of a
 * clone that lives outside nothing is known before its extent was copied: asking for that is an error.
 */

import type { Run } from '../core/block-map.ts'
import { BlockboxError } from '../core/errors.ts'
import { fencedMeta } from '../layers/fence-state.ts'
import type { Volume, World } from '../layers/layer.ts'
import { volumeOf } from '../layers/layer.ts'
import { blocksOf, pairsOf } from '../layers/pair-state.ts'
import { baseOf, nextShared, nextStored, type Overlay, overlayOf } from '../layers/preserve-state.ts'
import { deltaMapOf, neededCount, needs, type Restore, rangeOf, restoresOf } from '../layers/restore-state.ts'

/** Blocks [first, first + count) of a volume as runs, in order, with nothing left out. */
export function contentRuns(world: World, volume: Volume, first: number, count: number): Run[] {
  const overlay = overlayOf(world, volume.id)
  return overlay === undefined
    ? plainRuns(world, volume, first, count)
    : viewRuns(world, volume, overlay, first, count)
}

function viewRuns(world: World, view: Volume, overlay: Overlay, first: number, count: number): Run[] {
  const base = volumeOf(world, overlay.base)!
  const end = first + count
  const runs: Run[] = []
  for (let block = first; block < end; ) {
    const stored = nextStored(overlay.table, block, end)
    runs.push(...plainRuns(world, base, block, stored - block))
    block = nextShared(overlay.table, stored, end)
    runs.push(...view.map.runs(stored, block - stored))
  }
  return runs
}

function plainRuns(world: World, volume: Volume, first: number, count: number): Run[] {
  const restore = restoresOf(world).bySource.get(volume.id)
  if (restore === undefined) return volume.map.runs(first, count)
  const cdm = deltaMapOf(world, restore.tag)
  const fenced = fencedMeta(world, volume.id)
  const blocks = restore.extent / volume.block
  const runs: Run[] = []
  for (let block = first; block < first + count; ) {
    const e = Math.floor(block / blocks)
    const stop = Math.min(first + count, (e + 1) * blocks)
    if (!needs(restore, cdm, e)) runs.push(...volume.map.runs(block, stop - block))
    else {
      const range = { offset: block * volume.block, length: (stop - block) * volume.block }
      for (const piece of fenced.split(range)) {
        const { first: from, count: most } = blocksOf(piece, volume)
        runs.push(...(piece.inside ? volume : cloneOf(world, restore, e)).map.runs(from, most))
      }
    }
    block = stop
  }
  return runs
}

/** The volume as its readers see it, for taking an image: its own map, or a fork with what lies elsewhere put in. */
export function imageOf(world: World, volume: Volume): Volume {
  const overlay = overlayOf(world, volume.id)
  if (overlay === undefined) return plainImage(world, volume)
  const map = plainImage(world, volumeOf(world, overlay.base)!).map.fork()
  for (let block = overlay.table.next(0); block >= 0; ) {
    const end = nextShared(overlay.table, block, overlay.table.length)
    map.copy(volume.map, block, end - block)
    block = overlay.table.next(end)
  }
  return { ...volume, map }
}

function plainImage(world: World, volume: Volume): Volume {
  const restore = restoresOf(world).bySource.get(volume.id)
  if (restore === undefined) return volume
  const cdm = deltaMapOf(world, restore.tag)
  const fenced = fencedMeta(world, volume.id)
  const map = volume.map.fork()
  for (let e = cdm.next(0); e >= 0; e = cdm.next(e + 1)) {
    if (!needs(restore, cdm, e)) continue
    for (const piece of fenced.split(rangeOf(restore, e))) {
      const { first, count } = blocksOf(piece, volume)
      if (!piece.inside) map.copy(cloneOf(world, restore, e).map, first, count)
    }
  }
  return { ...volume, map }
}

/** True when all content of a volume is known: nothing of it, or of its base, has yet to come from a clone outside. */
export function isKnown(world: World, volume: number): boolean {
  const restore = restoresOf(world).bySource.get(baseOf(world, volume))
  return (
    restore === undefined || restore.clone > 0 || neededCount(restore, deltaMapOf(world, restore.tag)) === 0
  )
}

/** The clone of a restore, for the content of extent `e`. Throws NO_SUCH_POINT when it lives outside. */
function cloneOf(world: World, restore: Restore, e: number): Volume {
  const clone = volumeOf(world, restore.clone)
  if (clone !== undefined) return clone
  const path = pairsOf(world).byTag.get(restore.tag)?.external?.path
  throw new BlockboxError(
    'NO_SUCH_POINT',
    `extent ${e} had not been copied from ${path} here: choose a point after the end of the restore`,
  )
}
