/**
 * The blocks that a change of part of them leaves: what they hold in the state just before it takes effect, with the
 * host's bytes, or zeros, over it. Which blocks a row names: layers/sub-block.ts.
 */

import { BlockboxError } from '../core/errors.ts'
import type { Range } from '../core/range.ts'
import type { Op } from '../events/kind.ts'
import { refuse, type Verdict, type Volume, type World } from '../layers/layer.ts'
import { edgesOf, mergedBytes, touchedBlocks } from '../layers/sub-block.ts'
import type { PayloadStore } from '../payload/payload.ts'
import { readContent } from './content.ts'

/**
 * The merged blocks of a change of part of a block: of a write all it touches, of zeros its edges.
 *
 * @param data what a write brings, as long as its range; nothing for zeros.
 * Throws PAYLOAD_CORRUPT when what an edge holds is damaged, NO_SUCH_POINT when it has yet to come from outside.
 */
export function mergedBlocks(
  world: World,
  volume: Volume,
  payload: PayloadStore,
  { op, offset, length }: Range & { readonly op: Op },
  data: Uint8Array | undefined,
): Uint8Array {
  const { block } = volume
  const bytes = new Uint8Array(mergedBytes({ op, offset, length }, block))
  const first = Math.floor(offset / block)
  for (const [k, edge] of edgesOf({ offset, length }, block).entries()) {
    const at = (op === 'write' ? edge - first : k) * block
    const start = edge * block
    bytes.set(readContent(world, volume, payload, start, block), at)
    const from = Math.max(offset, start) - start
    bytes.fill(0, at + from, at + Math.min(offset + length - start, block))
  }
  if (data !== undefined) bytes.set(data, offset - first * block)
  return bytes
}

/** The bytes that a write brought, of the row at which it takes effect. Throws PAYLOAD_CORRUPT. */
export function writtenBytes(
  payload: PayloadStore,
  row: Range & { readonly payload: number },
  block: number,
): Uint8Array {
  const touched = touchedBlocks(row, block)
  const from = row.offset - touched.offset
  return payload.read(row.payload, touched.length).slice(from, from + row.length)
}

/** The verdict where what was to be merged with cannot be read. Throws what else went wrong, which ends the engine. */
export function unreadable(error: unknown): Verdict {
  if (error instanceof BlockboxError) return refuse('E_IO')
  throw error
}
