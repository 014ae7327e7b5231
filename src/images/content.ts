/**
 * The content of a volume in a state: its runs resolved to bytes.
 *
 * Blocks without a place read as zeros. Ranges are bytes and need not be aligned.
 */

import type { Volume, World } from '../layers/layer.ts'
import { blocksOf } from '../layers/pair-state.ts'
import type { PayloadStore } from '../payload/payload.ts'
import { contentRuns } from '../volume/content.ts'

/** The bytes of [offset, offset + length) of a volume, as a read in this state returns them. */
export function readContent(
  world: World,
  volume: Volume,
  payload: PayloadStore,
  offset: number,
  length: number,
): Uint8Array {
  const bytes = new Uint8Array(length)
  const { first, count } = blocksOf({ offset, length }, volume)
  for (const run of contentRuns(world, volume, first, count)) {
    if (run.place === 0) continue
    const start = run.block * volume.block
    const from = Math.max(offset, start)
    const to = Math.min(offset + length, start + run.count * volume.block)
    const stored = payload.read(run.place, run.count * volume.block)
    bytes.set(stored.subarray(from - start, to - start), from - offset)
  }
  return bytes
}
