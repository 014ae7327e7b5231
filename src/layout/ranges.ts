/** The layout of somebody who knows better: ranges of bytes, given one by one. */

import { BlockboxError } from '../core/errors.ts'
import type { Range } from '../core/range.ts'
import { nothing, RangeSet } from '../core/range-set.ts'
import { type Fencing, type Reader, wholeBlocks } from './layout.ts'

/**
 * What to fence, from an explicit list. Without `covered` the fence is full; `last` is the byte of the block to write
 * last, the first of the metadata unless said. Throws LAYOUT.
 */
export function fencingOf(
  reader: Reader,
  list: { readonly meta: readonly Range[]; readonly covered?: readonly Range[]; readonly last?: number },
): Fencing {
  const meta = wholeBlocks(list.meta, reader)
  if (meta.bytes === 0) throw new BlockboxError('LAYOUT', 'a fence needs at least one range of metadata')
  const full = list.covered === undefined
  const whole = RangeSet.of([{ offset: 0, length: reader.size }])
  const covered = full ? whole : wholeBlocks(list.covered ?? nothing.ranges, reader)
  const byte = list.last ?? meta.ranges[0]!.offset
  const last = Math.floor(byte / reader.block) * reader.block
  if (!meta.covers({ offset: last, length: reader.block })) {
    throw new BlockboxError('LAYOUT', `byte ${byte}, to be written last, is no metadata`)
  }
  return { meta, covered, full, last }
}

/** A list of ranges as people write it: `OFFSET+LENGTH,OFFSET+LENGTH`, in bytes. Throws USAGE. */
export function parseRanges(text: string): Range[] {
  return text.split(',').map((part) => {
    const found = /^(\d{1,15})\+(\d{1,15})$/.exec(part.trim())
    if (found === null || Number(found[2]) === 0) {
      throw new BlockboxError('USAGE', `${JSON.stringify(part)} is no range: write OFFSET+LENGTH in bytes`)
    }
    return { offset: Number(found[1]), length: Number(found[2]) }
  })
}
