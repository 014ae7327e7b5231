/**
 * What preserve keeps: for each view its base and the lookup table of seed S2, whose bit b says that block b of the
 * view lies in image 2; and which sessions are sent to a view wherever they name its base.
 *
 *     view, block b ──▶ table ── set ────▶ image 2: the view's own block map
 *                             └─ clear ──▶ the base, through all that its own readers see of it
 *
 * The lock that SPEC 4.2 puts around each change of a table belongs to no image either: it is the event itself, which
 * is folded whole or not at all (volume/view-locks.ts shows it).
 */

import { Bitmap } from '../core/bitmap.ts'
import type { Range } from '../core/range.ts'
import type { World } from './layer.ts'

export interface Overlay {
  /** The view's volume, and its base's. */
  readonly view: number
  readonly base: number
  /** Sequence number of its preserve.created. */
  readonly createdSeq: number
  /** At most this many blocks of it may lie in image 2; 0 for as many as it has. */
  readonly maxBlocks: number
  /** Lookup table: bit b set when block b of the view lies in image 2. */
  readonly table: Bitmap
  phase: 'open' | 'merging'
  /** Where the merge looks for the next block; a hint, no part of the state's hash. */
  cursor: number
}

export interface Preserves {
  readonly byView: Map<number, Overlay>
  readonly byBase: Map<number, Overlay[]>
  /** By session, base and view: where requests that name the base go. */
  readonly rebound: Map<number, Map<number, number>>
}

const none: readonly Overlay[] = []

/** Volumes of this many blocks or more have no lookup table. */
export const maxBlocks = 2 ** 31

export function addOverlay(state: Preserves, overlay: Overlay): void {
  state.byView.set(overlay.view, overlay)
  state.byBase.set(overlay.base, [...viewsOf(state, overlay.base), overlay])
}

/** A view ends: who was sent to it reaches the base again. */
export function removeOverlay(state: Preserves, overlay: Overlay): void {
  state.byView.delete(overlay.view)
  const others = viewsOf(state, overlay.base).filter((other) => other !== overlay)
  if (others.length === 0) state.byBase.delete(overlay.base)
  else state.byBase.set(overlay.base, others)
  for (const [session, views] of state.rebound) {
    if (views.get(overlay.base) === overlay.view) views.delete(overlay.base)
    if (views.size === 0) state.rebound.delete(session)
  }
}

/** The views of a volume, oldest first. */
export function viewsOf(state: Preserves, base: number): readonly Overlay[] {
  return state.byBase.get(base) ?? none
}

/** The overlay of a view; undefined for every other volume. */
export function overlayOf(world: World, volume: number): Overlay | undefined {
  return preservesOf(world).byView.get(volume)
}

/** The base of a view; every other volume itself. */
export function baseOf(world: World, volume: number): number {
  return overlayOf(world, volume)?.base ?? volume
}

/** Mirror closure (SPEC 7.1, rule 4): who holds a view must hold its base, whose writes the view shows. */
export function heldTogether(world: World, volumes: readonly number[]): number[] {
  return [...new Set([...volumes, ...volumes.map((volume) => baseOf(world, volume))])]
}

/** The volume that a request of a session reaches when it names this one. */
export function reached(world: World, session: number, volume: number): number {
  const { rebound } = preservesOf(world)
  return rebound.size === 0 ? volume : (rebound.get(session)?.get(volume) ?? volume)
}

/** The first block in [from, end) that lies in image 2; `end` when none does. */
export function nextStored(table: Bitmap, from: number, end: number): number {
  const stored = table.next(from, end)
  return stored < 0 ? end : stored
}

/** The first block in [from, end) that does not lie in image 2; `end` when all do. */
export function nextShared(table: Bitmap, from: number, end: number): number {
  return Math.min(end, table.nextClear(from))
}

/** True when a range of a view shows at least one block of its base. */
export function showsBase(table: Bitmap, range: Range, block: number): boolean {
  const end = Math.ceil((range.offset + range.length) / block)
  return nextShared(table, Math.floor(range.offset / block), end) < end
}

export function saveOverlay({ table, cursor: _, ...plain }: Overlay): unknown {
  return [plain, table.length, table.runs()]
}

export function loadOverlay(saved: unknown): Overlay {
  const [plain, blocks, runs] = saved as [Omit<Overlay, 'table' | 'cursor'>, number, number[]]
  return { ...plain, maxBlocks: plain.maxBlocks ?? 0, table: Bitmap.fromRuns(blocks, runs), cursor: 0 }
}

/** The preserve layer's state in the world. */
export function preservesOf(world: World): Preserves {
  return world.own.preserve as Preserves
}
