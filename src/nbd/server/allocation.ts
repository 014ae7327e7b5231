/** Where a volume holds data and where nothing: the context `base:allocation` out of the block map. */

import { BlockboxError } from '../../core/errors.ts'
import type { Volume, World } from '../../layers/layer.ts'
import { blocksOf } from '../../layers/pair-state.ts'
import { contentRuns } from '../../volume/content.ts'
import { allocation } from '../protocol/constant.ts'
import type { Extent } from '../protocol/reply.ts'

/** Blocks looked at in one piece, and in one answer: an answer may end early, and then the client asks on. */
const pieceBlocks = 2 ** 14
const answerBlocks = 2 ** 20

const data = 0
const nothing = allocation.hole | allocation.zero

/** Extents of [offset, offset + length) from its beginning on, at most `most`, together at most as long. */
export function extentsOf(
  world: World,
  volume: Volume,
  { offset, length }: { readonly offset: number; readonly length: number },
  most: number,
): Extent[] {
  const { first, count } = blocksOf({ offset, length }, volume)
  const end = offset + length
  const extents: { length: number; state: number }[] = []
  const stop = Math.min(first + count, first + answerBlocks)
  for (let block = first; block < stop; block += pieceBlocks) {
    for (const run of runs(world, volume, block, Math.min(pieceBlocks, stop - block))) {
      const from = Math.max(offset, run.block * volume.block)
      const bytes = Math.min(end, (run.block + run.count) * volume.block) - from
      const last = extents.at(-1)
      if (last?.state === run.state) last.length += bytes
      else if (extents.length === most) return extents
      else extents.push({ length: bytes, state: run.state })
    }
  }
  return extents
}

interface Stretch {
  readonly block: number
  readonly count: number
  readonly state: number
}

/** What has yet to come from a clone outside counts as data: nobody knows it here. */
function runs(world: World, volume: Volume, first: number, count: number): Stretch[] {
  try {
    return contentRuns(world, volume, first, count).map((run) => ({
      block: run.block,
      count: run.count,
      state: run.place === 0 ? nothing : data,
    }))
  } catch (error) {
    if (!(error instanceof BlockboxError)) throw error
    return [{ block: first, count, state: data }]
  }
}
