/**
 * What is kept of branches: for each volume that is one, what it is a branch of and how much of its map is there.
 *
 *     runs of the past:  [0, next) reported ── next ──▶ still to come
 *
 * A branch that is whole stays listed with the hash its map had then, so that its origin can be told and checked.
 */

import type { Range } from '../core/range.ts'
import { type Volume, volumeOf, type World } from './layer.ts'

export interface Branch {
  /** The branch, a volume. */
  readonly volume: number
  /** The volume it is a branch of, and after which event. */
  readonly from: number
  readonly seq: number
  /** Sequence number of its branch.started. */
  readonly startedSeq: number
  /** Bytes; every run that begins before has been reported. */
  next: number
  /** Runs reported so far. */
  runs: number
  /** The set hash of its map when it was whole; empty until then. */
  mapHash: string
}

export interface Branches {
  readonly byVolume: Map<number, Branch>
}

/** A run that is reported: where it lies, and at which place its content. */
export interface BranchRun extends Range {
  readonly payload: number
  /** The branch.started it is for. */
  readonly about: number
}

/** The branches whose maps are still to be reported, oldest first. */
export function unfinished({ byVolume }: Branches): Branch[] {
  return [...byVolume.values()].filter((branch) => branch.mapHash === '')
}

/** True for a run that may come next: behind those that came, of whole blocks, inside the volume, with a place. */
export function comesNext(branch: Branch, volume: Volume, run: BranchRun): boolean {
  const { offset, length, payload, about } = run
  const whole = length > 0 && offset % volume.block === 0 && length % volume.block === 0
  const inside = offset >= branch.next && offset <= volume.size - length
  return about === branch.startedSeq && branch.mapHash === '' && whole && inside && payload > 0
}

/** The volume of a branch, whole or not. */
export function volumeOfBranch(world: World, { volume }: Pick<Branch, 'volume'>): Volume {
  return volumeOf(world, volume) ?? world.volumes[volume - 1]!
}

/** The branch layer's state in the world. */
export function branchesOf(world: World): Branches {
  return world.own.branch as Branches
}
