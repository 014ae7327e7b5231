/**
 * Sub-block changes: a write, a zeroing or a discard that covers some block only in part. Hosts may ask for any bytes;
 * maps know whole blocks. So such a change is merged with what its edges hold at the moment it takes effect, not when
 * it arrives (SPEC 10.2), and the row at which it does names the merged blocks, while its range stays the host's:
 *
 *     blocks     |     0     |     1     |     2     |
 *     write             [=====================]            payload: blocks 0, 1 and 2, merged
 *     zeroes            [=====================]            payload: blocks 0 and 2, its edges, merged; 0 where these
 *                                                          are zeros; between the edges all is zeros
 *
 * A row that waits, held or queued, names the bytes as the host sent them.
 */

import { must } from '../core/assert.ts'
import type { BlockMap } from '../core/block-map.ts'
import type { Range } from '../core/range.ts'
import type { Event } from '../events/columns.ts'
import { changes, type Op } from '../events/kind.ts'

/** True for whole blocks. A block is a power of two, so the quotient is exact; a remainder takes ten times as long. */
export function isWhole({ offset, length }: Range, block: number): boolean {
  return Number.isInteger(offset / block) && Number.isInteger(length / block)
}

/** The blocks that a range covers only in part: none, one or two, in order. */
export function edgesOf({ offset, length }: Range, block: number): number[] {
  const end = offset + length
  const first = Math.floor(offset / block)
  const last = Math.ceil(end / block) - 1
  const edges: number[] = []
  if (offset > first * block || (last === first && end < (first + 1) * block)) edges.push(first)
  if (last > first && end < (last + 1) * block) edges.push(last)
  return edges
}

/** The blocks that a range touches, whole. */
export function touchedBlocks({ offset, length }: Range, block: number): Range {
  const start = Math.floor(offset / block) * block
  return { offset: start, length: Math.ceil((offset + length) / block) * block - start }
}

/** True for a row whose payload holds merged blocks. @param block bytes of a block of its volume. */
export function isMerged(event: Range & Pick<Event, 'fate' | 'op'>, block: number): boolean {
  return event.fate === 'passed' && changes(event.op) && !isWhole(event, block)
}

/** Bytes of the blocks that a merged row names. */
export function mergedBytes({ op, offset, length }: Range & { readonly op: Op }, block: number): number {
  if (op !== 'write') return edgesOf({ offset, length }, block).length * block
  return touchedBlocks({ offset, length }, block).length
}

/** A change takes effect in a map of blocks of so many bytes. */
export function putIn(map: BlockMap, event: Event, block: number): void {
  const { offset, length, payload } = event
  const first = Math.floor(offset / block)
  const count = Math.ceil((offset + length) / block) - first
  if (event.op === 'write') return map.write(first, count, payload)
  map.zero(first, count)
  if (payload === 0) return
  const edges = edgesOf(event, block)
  must(edges.length > 0, 'G-I2', `event ${event.seq} makes whole blocks zeros and names a payload`)
  for (const [k, edge] of edges.entries()) map.write(edge, 1, payload + k * map.step)
}
