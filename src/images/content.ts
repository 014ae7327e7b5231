/**
 * The content of a volume in a state: its runs resolved to bytes.
 *
 * Blocks without a place read as zeros. Ranges are bytes and need not be aligned.
 */

import type { Volume, World } from '../layers/layer.ts'
import { blocksOf } from '../layers/pair-state.ts'
import { type PayloadStore, pieceUnits, placeUnit } from '../payload/payload.ts'
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
    fill(bytes.subarray(from - offset, to - offset), run.place, from - start, payload)
  }
  return bytes
}

/** Fills `bytes` with what lies `skipped` bytes behind a place, piece by piece: nothing is put together twice. */
function fill(bytes: Uint8Array, place: number, skipped: number, payload: PayloadStore): void {
  for (let done = 0; done < bytes.length; ) {
    const at = skipped + done
    const from = place + Math.floor(at / placeUnit)
    const inside = at % placeUnit
    const most = (pieceUnits - (from % pieceUnits)) * placeUnit - inside
    const length = Math.min(most, bytes.length - done)
    const units = Math.ceil((inside + length) / placeUnit)
    bytes.set(payload.read(from, units * placeUnit).subarray(inside, inside + length), done)
    done += length
  }
}
