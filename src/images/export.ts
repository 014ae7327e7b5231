/**
 * A volume's content as a file wants it: pieces of bounded size in ascending order, holes left out or made explicit.
 *
 *     block map pages ─▶ runs of blocks that have a place ─▶ pieces of at most 1 MiB      (holes: zeros, on request)
 */

import { digestStream } from '../core/digest.ts'
import type { Volume } from '../layers/layer.ts'
import type { PayloadStore } from '../payload/payload.ts'

/** No piece is longer, in bytes. */
export const pieceBytes = 2 ** 20

export interface Piece {
  /** Bytes from the beginning of the volume. */
  readonly offset: number
  /** Valid until the next piece is asked for. */
  readonly bytes: Uint8Array
  /** True for zeros where the volume has nothing; such pieces come only when holes were asked for. */
  readonly hole: boolean
}

/**
 * The pieces of a volume, whose map may not change meanwhile. With `holes` they cover the volume without a gap; `from`
 * leaves out what lies before it. Throws PAYLOAD_CORRUPT when stored bytes are missing or altered.
 */
export function* imagePieces(
  volume: Volume,
  payload: PayloadStore,
  holes = false,
  from = 0,
): Generator<Piece> {
  const buffer = new Uint8Array(Math.max(pieceBytes, volume.block))
  let end = from
  for (const { first, count } of mappedStretches(volume, buffer.length / volume.block)) {
    const offset = first * volume.block
    const length = Math.min(count * volume.block, volume.size - offset)
    if (offset + length <= from) continue
    if (holes) yield* zeros(end, offset)
    for (const { block, count: blocks, place } of volume.map.runs(first, count)) {
      buffer.set(payload.read(place, blocks * volume.block), (block - first) * volume.block)
    }
    yield { offset, bytes: buffer.subarray(0, length), hole: false }
    end = offset + length
  }
  if (holes) yield* zeros(end, volume.size)
}

/** SHA-256 of a volume's whole content, zeros included, as lower-case hexadecimal. */
export function imageDigest(volume: Volume, payload: PayloadStore): string {
  const digest = digestStream()
  for (const { bytes } of imagePieces(volume, payload, true)) digest.update(bytes)
  return digest.hex()
}

/** Bytes of a volume that have been written and not zeroed since. */
export function mappedBytes(volume: Volume): number {
  return volume.map.mapped * volume.block
}

interface Stretch {
  readonly first: number
  count: number
}

/** Blocks that have a place, as stretches of neighbours, none longer than `most` blocks; costs the pages in use. */
function* mappedStretches(volume: Volume, most: number): Generator<Stretch> {
  let open: Stretch | undefined
  for (const [page, cells] of volume.map.pages()) {
    for (let cell = 0; cell < cells.length; cell++) {
      if (cells[cell] === 0) continue
      const block = page * cells.length + cell
      if (open !== undefined && open.first + open.count === block && open.count < most) {
        open.count++
        continue
      }
      if (open !== undefined) yield open
      open = { first: block, count: 1 }
    }
  }
  if (open !== undefined) yield open
}

const nothing = new Uint8Array(pieceBytes)

function* zeros(from: number, to: number): Generator<Piece> {
  for (let offset = from; offset < to; offset += pieceBytes) {
    yield { offset, bytes: nothing.subarray(0, Math.min(pieceBytes, to - offset)), hole: true }
  }
}
