/**
 * The record that the state keeps of a volume: never changed, but replaced; of one shape whatever became of the volume.
 *
 *     unfinished ─▶ there ─▶ gone
 *
 * Its part of the state's hash is made with it, for a journal that lives long has many volumes that are gone, and the
 * state is hashed at every frame. The map is no part of that: it changes with every write.
 */

import { BlockMap } from '../core/block-map.ts'
import { Lanes } from '../core/lanes.ts'
import type { Volume } from './layer.ts'

export type VolumeFields = Pick<Volume, 'id' | 'name' | 'size' | 'block'> & Partial<Volume>

/** A volume with these fields; there, and holding nothing, unless told otherwise. */
export function volumeRecord(of: VolumeFields): Volume {
  const { id, name, size, block, gone = false, unfinished = false } = of
  const lanes = new Lanes()
  lanes.add(id * 4, size)
  lanes.add(id * 4 + 1, block)
  if (gone) lanes.add(id * 4 + 2, 1)
  if (unfinished) lanes.add(id * 4 + 2, 2)
  if (gone) lanes.include(placeOfMap(id), 0, 0)
  const map = gone || of.map === undefined ? new BlockMap(block / 512) : of.map
  return { id, name, size, block, map, gone, unfinished, hashLow: lanes.low, hashHigh: lanes.high }
}

/** Adds a volume to the hash of a state: what it is, and what its map holds. */
export function hashVolume({ id, map, gone, hashLow, hashHigh }: Volume, lanes: Lanes): void {
  lanes.join(hashLow, hashHigh)
  if (!gone) lanes.include(placeOfMap(id), map.hashLow, map.hashHigh)
}

function placeOfMap(id: number): number {
  return id * 4 + 2 ** 20
}
