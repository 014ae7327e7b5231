/**
 * Layout providers: where on a volume the metadata lies through which its data is found. A fence overwrites what they
 * name, so a provider must name every copy: a backup superblock left standing lets a host in (SPEC 2.2).
 */

import { BlockboxError } from '../core/errors.ts'
import type { Range } from '../core/range.ts'
import { RangeSet } from '../core/range-set.ts'

/** The bytes of a volume as they are now. */
export interface Reader {
  /** Bytes of the volume, and of its blocks: what a fence covers is whole blocks. */
  readonly size: number
  readonly block: number
  /** Valid until the next call. */
  read(offset: number, length: number): Uint8Array
}

/** What to fence, in whole blocks of the volume. */
export interface Fencing {
  readonly meta: RangeSet
  /** The data that the metadata leads to; all of the volume when `full`. */
  readonly covered: RangeSet
  readonly full: boolean
  /** The block that makes the device mountable, in bytes: written last. */
  readonly last: number
}

export interface Layout {
  readonly name: string
  /** All metadata of the volume. Throws LAYOUT when the volume holds nothing of this form, or nothing sound. */
  full(reader: Reader): Fencing
  /** The metadata of these files alone. Throws SHARED_META when it describes others too. */
  partial(reader: Reader, paths: readonly string[]): Fencing
}

/** Metadata in the way of a partial fence: it serves others besides. `paths` are theirs, as far as they were found. */
export class SharedMeta extends BlockboxError {
  readonly inodes: readonly number[]
  readonly paths: readonly string[]

  constructor(inodes: readonly number[], paths: readonly string[]) {
    const some = paths.slice(0, 20).join(', ')
    const names = paths.length > 0 ? some : `inodes ${inodes.slice(0, 20).join(', ')}`
    super('SHARED_META', `the metadata also serves ${names}: fence these too, or the whole volume`)
    this.name = 'SharedMeta'
    this.inodes = inodes
    this.paths = paths
  }
}

/** More ranges than this do not fit one record; more before they are joined are nothing sound. */
const maxRanges = 2048
const maxPieces = 2 ** 21

/** Ranges in whole blocks of the volume, outwards; LAYOUT when they leave it or are too many. */
export function wholeBlocks(ranges: Iterable<Range>, reader: Reader): RangeSet {
  const { block, size } = reader
  const rounded: Range[] = []
  for (const { offset, length } of ranges) {
    const from = Math.floor(offset / block) * block
    const to = Math.ceil((offset + length) / block) * block
    if (from < 0 || to > size)
      throw new BlockboxError('LAYOUT', `bytes ${offset} to ${to} lie beyond the volume`)
    rounded.push({ offset: from, length: to - from })
    if (rounded.length > maxPieces) throw new BlockboxError('LAYOUT', 'the metadata lies in too many pieces')
  }
  const set = RangeSet.of(rounded)
  if (set.ranges.length <= maxRanges) return set
  const message = `the metadata lies in ${set.ranges.length} pieces, more than ${maxRanges}: fence fewer files`
  throw new BlockboxError('LAYOUT', message)
}

/** How a fence is to stand, besides where. */
export interface FenceOptions {
  readonly advisory?: boolean
  readonly metaFirst?: boolean
  /** How long it may wait for requests that are on their way; 0: the default. */
  readonly deadlineMs?: number
}

/** The detail of the fence.raise that asks for this. */
export function raiseDetail(name: string, fencing: Fencing, options: FenceOptions = {}) {
  const { advisory = false, metaFirst = false, deadlineMs = 0 } = options
  const { meta, covered, full, last } = fencing
  const ranges = { meta: meta.counts(), covered: full ? [] : covered.counts() }
  return { name, ...ranges, full, last, advisory, metaFirst, deadlineMs }
}
