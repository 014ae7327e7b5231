/**
 * One running restore: the protected restore map (PRM), the copies clone to source in flight (the copy-on-demand
 * map) and who waits for them.
 */

import { Bitmap } from '../core/bitmap.ts'
import type { Range } from '../core/range.ts'
import type { Event } from '../events/columns.ts'
import { changes } from '../events/kind.ts'
import { CopyGate, covers, extentsOf } from './copy-gate.ts'
import { volumeOf, type World } from './layer.ts'
import { isWhole, type Pair, pairsOf } from './pair-state.ts'
import { baseOf, overlayOf, showsBase } from './preserve-state.ts'
import type { Request } from './request.ts'
import { edgesOf } from './sub-block.ts'

export interface Restore {
  /** The pair's number. */
  readonly tag: number
  readonly source: number
  /** 0 when it lives outside. */
  readonly clone: number
  readonly extent: number
  readonly size: number
  readonly protected: boolean
  /** Protected restore map: bit e set when a host changed extent e of the source since the restore began. */
  readonly prm: Bitmap
  /** Copies clone to source: its bitmap is the copy-on-demand map. */
  readonly gate: CopyGate
  /** What the clone was when the restore began: a protected one may not change (S4-I1). */
  readonly cloneHash: string
  /** Copies that failed since the last one that went well. */
  failures: number
  /** False after too many failures: only demand copies go on. */
  background: boolean
  /** True when somebody paused it: only demand copies go on, also after a restart. */
  paused: boolean
  /** True when it ends as soon as the copies in flight have. */
  cancelling: boolean
  /** Background copies a second that may start; 0: as many as go. */
  readonly rate: number
  /** Where the background copier looks next; a hint, no part of the state's hash. */
  cursor: number
}

export interface Restores {
  readonly byTag: Map<number, Restore>
  readonly bySource: Map<number, Restore>
  readonly byClone: Map<number, Restore>
}

export function addRestore(state: Restores, restore: Restore): void {
  state.byTag.set(restore.tag, restore)
  state.bySource.set(restore.source, restore)
  if (restore.clone > 0) state.byClone.set(restore.clone, restore)
}

export function removeRestore(state: Restores, restore: Restore): void {
  state.byTag.delete(restore.tag)
  state.bySource.delete(restore.source)
  state.byClone.delete(restore.clone)
}

/** The clone delta map of a restore's pair. */
export function deltaMapOf(world: World, tag: number): Pair['cdm'] {
  return pairsOf(world).byTag.get(tag)!.cdm
}

/** The one predicate that steers background copies, demand copies and resume: CDM and not PRM (SPEC 5.2). */
export function needs(restore: Restore, cdm: Bitmap, e: number): boolean {
  return cdm.get(e) && !restore.prm.get(e)
}

/** The next extent at or after `from` that needs its copy and has none running; -1 when there is none. */
export function nextNeeded(restore: Restore, cdm: Bitmap, from: number): number {
  const { prm, gate } = restore
  for (let e = cdm.nextBeyond(prm, from); e >= 0; e = cdm.nextBeyond(prm, e + 1)) {
    if (!gate.copying.get(e)) return e
  }
  return -1
}

/** True when a report belongs to a copy clone to source that is still running. */
export function isRunning(world: World, report: Event): boolean {
  const one = restoresOf(world).byTag.get(report.tag)
  if (one === undefined || report.volume !== one.source || !one.gate.isOf(report)) return false
  return isWhole(pairsOf(world).byTag.get(one.tag)!, report)
}

/** How many extents still need their copy. */
export function neededCount(restore: Restore, cdm: Bitmap): number {
  return cdm.countBeyond(restore.prm)
}

/** The restore whose gate a request passes: that of its volume; for a view that of the view's base. */
export function restoreAt(
  state: Restores,
  { volume }: Pick<Request, 'volume'>,
  world: World,
): Restore | undefined {
  return state.bySource.get(baseOf(world, volume))
}

/**
 * True when a request stands behind an older one at the gate. A change of a view overtakes all but older changes of
 * the same view: what waits for the base is none of its business.
 */
export function isBehind({ gate, source }: Restore, request: Request): boolean {
  const ofView = request.volume !== source && changes(request.op)
  return ofView ? gate.blockedByOwn(request) : gate.blockedByOlder(request)
}

/**
 * The extents that block a request: those being copied; and, unless the request is a write that covers them whole,
 * those that need their copy first (SPEC 5.2, the table of bit states). A view's own blocks wait for no extent; a change
 * of part of a block of its base's reads that block.
 */
export function blockers(restore: Restore, cdm: Bitmap, request: Request, world: World): number[] {
  const { first, last } = extentsOf(request, restore.extent)
  const write = changes(request.op)
  const view = overlayOf(world, request.volume)
  const block = volumeOf(world, restore.source)!.block
  if (view !== undefined && write) {
    const shown = edgesOf(request, block).filter((edge) => !view.table.get(edge))
    const extents = new Set(shown.map((edge) => Math.floor((edge * block) / restore.extent)))
    return [...extents].filter((e) => restore.gate.copying.get(e) || needs(restore, cdm, e))
  }
  const blocking: number[] = []
  for (let e = first; e <= last; e++) {
    const covered = write && covers(request, e, restore.extent, restore.size)
    if (!restore.gate.copying.get(e) && (covered || !needs(restore, cdm, e))) continue
    if (view === undefined || showsBase(view.table, meet(request, rangeOf(restore, e)), block))
      blocking.push(e)
  }
  return blocking
}

/**
 * True when a request cannot do without the copy of extent `e`, which is running: it reads the extent, or changes a part
 * of it. A change of all of it only waits for the copy to end, well or not.
 */
export function lacks(restore: Restore, cdm: Bitmap, request: Request, world: World, e: number): boolean {
  const own = request.volume === restore.source && changes(request.op)
  if (own && covers(request, e, restore.extent, restore.size)) return false
  return blockers(restore, cdm, request, world).includes(e)
}

/** What two overlapping ranges have in common. */
function meet(a: Range, b: Range): Range {
  const offset = Math.max(a.offset, b.offset)
  return { offset, length: Math.min(a.offset + a.length, b.offset + b.length) - offset }
}

/** The bytes of extent `e` of the source; the last one may be short. */
export function rangeOf(restore: Restore, e: number): Range {
  const offset = e * restore.extent
  return { offset, length: Math.min(restore.extent, restore.size - offset) }
}

export function saveRestore(restore: Restore): unknown {
  const { prm, gate, cursor: _, ...plain } = restore
  return [plain, prm.runs(), gate.save()]
}

export function loadRestore(saved: unknown): Restore {
  const [plain, runs, gate] = saved as [Omit<Restore, 'prm' | 'gate' | 'cursor'>, number[], unknown]
  const extents = Math.ceil(plain.size / plain.extent)
  return {
    ...plain,
    prm: Bitmap.fromRuns(extents, runs),
    gate: CopyGate.load(plain.extent, plain.size, gate),
    cursor: 0,
  }
}

/** The restore layer's state in the world. */
export function restoresOf(world: World): Restores {
  return world.own.restore as Restores
}

/** The protected restore map of a running restore: what its pair ORs into the clone delta map at the end. */
export function protectedMapOf(world: World, tag: number): Bitmap | undefined {
  return restoresOf(world).byTag.get(tag)?.prm
}
