/**
 * The locks of views, shown: what an event does to the tables and images of a base and its views, between the acquire
 * and the release of the lock it does it under (SPEC S2-I6). Asked with the state as it is before the event is folded.
 *
 *     W1, merge    lock.acquired ─▶ table.cleared of each view ─▶ image.stored (image 1) ─▶ lock.released
 *     W2           lock.acquired ─▶ table.set                  ─▶ image.stored (image 2) ─▶ lock.released
 *     R2           lock.acquired, shared ─▶ image.read of each piece, image 2 or 1      ─▶ lock.released
 *
 * A lock is of blocks of the base volume, whoever asks; it belongs to neither image. Nothing is stored of it: events
 * are folded one after the other, and a crash leaves none held.
 */

import type { Bitmap } from '../core/bitmap.ts'
import type { Event } from '../events/columns.ts'
import { changes } from '../events/kind.ts'
import { volumeOf, type World } from '../layers/layer.ts'
import { blocksOf } from '../layers/pair-state.ts'
import {
  nextShared,
  nextStored,
  type Overlay,
  overlayOf,
  preservesOf,
  viewsOf,
} from '../layers/preserve-state.ts'

/** One step under a lock. `volume` is the base of a lock, the view of a table, the owner of an image. */
export interface LockStep {
  readonly name:
    | 'lock.acquired'
    | 'table.set'
    | 'table.cleared'
    | 'image.stored'
    | 'image.read'
    | 'lock.released'
  readonly volume: number
  readonly block: number
  readonly blocks: number
  /** For locks: true when other readers may hold it too. */
  readonly shared?: boolean
}

/** The steps of a request or merge that goes now; none where no view is concerned. */
export function lockSteps(world: World, event: Event): LockStep[] {
  const volume = volumeOf(world, event.volume)
  const own = overlayOf(world, event.volume)
  const views = viewsOf(preservesOf(world), event.volume)
  const write = changes(event.op)
  if (volume === undefined || (own === undefined && (views.length === 0 || !write))) return []
  const { first: block, count: blocks } = blocksOf(event, volume)
  const lock = { volume: own?.base ?? volume.id, block, blocks, shared: !write }
  const stored = { name: 'image.stored', volume: volume.id, block, blocks } as const
  const end = block + blocks
  const steps: LockStep[] = []
  if (own === undefined) {
    for (const { view, table } of views) steps.push(...pieces('table.cleared', view, table, block, end, true))
    steps.push(stored)
  } else if (write) {
    steps.push(...pieces('table.set', own.view, own.table, block, end, false), stored)
  } else steps.push(...reads(own, block, end))
  return [{ name: 'lock.acquired', ...lock }, ...steps, { name: 'lock.released', ...lock }]
}

/** Runs of blocks whose bit is as told, as one step each. */
function pieces(
  name: LockStep['name'],
  volume: number,
  table: Bitmap,
  first: number,
  end: number,
  bit: boolean,
): LockStep[] {
  const [toRun, toEnd] = bit ? [nextStored, nextShared] : [nextShared, nextStored]
  const steps: LockStep[] = []
  for (let block = toRun(table, first, end); block < end; ) {
    const stop = toEnd(table, block, end)
    steps.push({ name, volume, block, blocks: stop - block })
    block = toRun(table, stop, end)
  }
  return steps
}

/** Where each piece of a read of a view is read. */
function reads({ view, base, table }: Overlay, first: number, end: number): LockStep[] {
  return [
    ...pieces('image.read', view, table, first, end, true),
    ...pieces('image.read', base, table, first, end, false),
  ].sort((a, b) => a.block - b.block)
}
