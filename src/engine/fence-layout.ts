/** What a fence is to cover: the layout of a file system that is there, or ranges of bytes. */

import { BlockboxError } from '../core/errors.ts'
import { readContent } from '../images/content.ts'
import type { Volume, World } from '../layers/layer.ts'
import { ext4 } from '../layout/ext4.ts'
import type { Fencing, Layout, Reader } from '../layout/layout.ts'
import { fencingOf, parseRanges } from '../layout/ranges.ts'
import type { PayloadStore } from '../payload/payload.ts'

const layouts: readonly Layout[] = [ext4]

/** The names of the layouts that are known. */
export const layoutNames = layouts.map(({ name }) => name)

export interface LayoutOptions {
  readonly layout?: string | undefined
  /** Files of a partial fence. */
  readonly paths?: readonly string[] | undefined
  readonly ranges?: string | undefined
  readonly covered?: string | undefined
  readonly last?: number | undefined
}

/** Throws USAGE when the options do not say what it is, LAYOUT or SHARED_META when the volume does not allow it. */
export function fencingFor(
  options: LayoutOptions,
  world: World,
  volume: Volume,
  payload: PayloadStore,
): Fencing {
  const { layout, paths, ranges, covered, last } = options
  const reader = readerOf(world, volume, payload)
  if ((layout === undefined) === (ranges === undefined)) {
    throw new BlockboxError('USAGE', 'what is the metadata? Name a layout, as ext4, or ranges')
  }
  if (ranges !== undefined) {
    if (paths !== undefined)
      throw new BlockboxError('USAGE', 'paths name files of a layout: with ranges say what is covered')
    const list = {
      meta: parseRanges(ranges),
      ...(covered !== undefined && { covered: parseRanges(covered) }),
    }
    return fencingOf(reader, last === undefined ? list : { ...list, last })
  }
  if (covered !== undefined || last !== undefined) {
    throw new BlockboxError(
      'USAGE',
      'what is covered and what comes last go with ranges: a layout knows them itself',
    )
  }
  const known = layouts.find(({ name }) => name === layout)
  if (known === undefined) {
    throw new BlockboxError('USAGE', `there is no layout "${layout}": there is ${layoutNames.join(', ')}`)
  }
  return paths === undefined ? known.full(reader) : known.partial(reader, paths)
}

function readerOf(world: World, volume: Volume, payload: PayloadStore): Reader {
  const { size, block } = volume
  return { size, block, read: (offset, length) => readContent(world, volume, payload, offset, length) }
}
