/**
 * Changes of any bytes in whole sectors, for formats that know no less: a sector that was changed in part is a write of
 * it as it was left.
 *
 *     sectors    |     0     |     1     |     2     |
 *     zeroes            [=====================]            write of 0, zero of 1, write of 2
 *     write             [=====================]            write of 0, 1 and 2
 */

import type { Range } from '../core/range.ts'
import type { Volume } from '../layers/layer.ts'
import { edgesOf, touchedBlocks } from '../layers/sub-block.ts'
import type { PayloadStore } from '../payload/payload.ts'
import type { TraceOp } from '../trace/event.ts'

export interface SectorChange extends Range {
  readonly op: TraceOp
}

/** The changes in order; the bytes of writes are what the volume then holds. @param sector a power of two, bytes */
export function wholeSectors(op: TraceOp, range: Range, sector: number): SectorChange[] {
  if (op !== 'zero' && op !== 'discard') return [{ op, ...touchedBlocks(range, sector) }]
  const start = Math.ceil(range.offset / sector) * sector
  const end = Math.floor((range.offset + range.length) / sector) * sector
  const edges = edgesOf(range, sector).map((edge) => ({
    op: 'write' as const,
    offset: edge * sector,
    length: sector,
  }))
  const middle = end > start ? [{ op, offset: start, length: end - start }] : []
  const before = edges.filter(({ offset }) => offset < start)
  return [...before, ...middle, ...edges.slice(before.length)]
}

/** What a range of the medium of a volume holds; zeros behind its end. Throws PAYLOAD_CORRUPT. */
export function mediumContent(
  { map, size, block }: Volume,
  payload: PayloadStore,
  { offset, length }: Range,
): Uint8Array {
  const end = Math.min(offset + length, size)
  const first = Math.floor(offset / block)
  const count = Math.max(0, Math.ceil(end / block) - first)
  const from = offset - first * block
  const data = new Uint8Array(Math.max(from + length, count * block))
  for (const { block: at, count: blocks, place } of map.runs(first, count)) {
    if (place !== 0) data.set(payload.read(place, blocks * block), (at - first) * block)
  }
  return data.subarray(from, from + length)
}
