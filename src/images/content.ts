/**
 * The content of a volume in a state: its runs resolved to bytes.
 *
 * Blocks without a place read as zeros. Ranges are bytes and need not be aligned.
 */

import type { Run } from '../core/block-map.ts'
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
  const { first, count } = blocksOf({ offset, length }, volume)
  return copied(contentRuns(world, volume, first, count), volume, payload, offset, length)
}

/**
 * The same for who looks at it in this turn and lets go: where it lies in one piece it is the payload store's own memory.
 */
export function lentContent(
  world: World,
  volume: Volume,
  payload: PayloadStore,
  offset: number,
  length: number,
): Uint8Array {
  const { first, count } = blocksOf({ offset, length }, volume)
  const runs = contentRuns(world, volume, first, count)
  const { place, block } = runs[0]!
  if (runs.length === 1 && place > 0) {
    const skipped = offset - block * volume.block
    const from = place + Math.floor(skipped / placeUnit)
    const inside = skipped % placeUnit
    const units = Math.ceil((inside + length) / placeUnit)
    if ((from % pieceUnits) + units <= pieceUnits) {
      const bytes = payload.read(from, units * placeUnit)
      return bytes.length === length ? bytes : bytes.subarray(inside, inside + length)
    }
  }
  return copied(runs, volume, payload, offset, length)
}

function copied(
  runs: readonly Run[],
  volume: Volume,
  payload: PayloadStore,
  offset: number,
  length: number,
): Uint8Array {
  const bytes = new Uint8Array(length)
  for (const run of runs) {
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
