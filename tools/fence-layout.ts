/** What a fence on the command line is to cover: the layout of a file system that is there, or ranges of bytes. */

import { BlockboxError } from '../src/core/errors.ts'
import type { OpenFolder } from '../src/engine/open-folder.ts'
import { readContent } from '../src/images/content.ts'
import type { Volume, World } from '../src/layers/layer.ts'
import { ext4 } from '../src/layout/ext4.ts'
import type { Fencing, Layout, Reader } from '../src/layout/layout.ts'
import { fencingOf, parseRanges } from '../src/layout/ranges.ts'

const layouts: readonly Layout[] = [ext4]

export interface LayoutOptions {
  readonly layout?: string
  /** Files of a partial fence. */
  readonly path?: readonly string[]
  readonly ranges?: string
  readonly covered?: string
  readonly last?: number
}

/** Throws USAGE when the options do not say it, LAYOUT or SHARED_META when the volume does not allow it. */
export function fencingFor(options: LayoutOptions, world: World, volume: Volume, open: OpenFolder): Fencing {
  const { layout, path, ranges, covered, last } = options
  const reader = readerOf(world, volume, open)
  if ((layout === undefined) === (ranges === undefined)) {
    throw new BlockboxError('USAGE', 'what is the metadata? Say it with --layout ext4 or with --ranges')
  }
  if (ranges !== undefined) {
    if (path !== undefined)
      throw new BlockboxError('USAGE', '--path names files of a --layout: use --covered')
    const list = {
      meta: parseRanges(ranges),
      ...(covered !== undefined && { covered: parseRanges(covered) }),
    }
    return fencingOf(reader, last === undefined ? list : { ...list, last })
  }
  if (covered !== undefined || last !== undefined) {
    throw new BlockboxError('USAGE', '--covered and --last go with --ranges: a layout knows them itself')
  }
  const known = layouts.find(({ name }) => name === layout)
  if (known === undefined) {
    const names = layouts.map(({ name }) => name).join(', ')
    throw new BlockboxError('USAGE', `there is no layout "${layout}": there is ${names}`)
  }
  return path === undefined ? known.full(reader) : known.partial(reader, path)
}

function readerOf(world: World, volume: Volume, { payload }: OpenFolder): Reader {
  const { size, block } = volume
  return { size, block, read: (offset, length) => readContent(world, volume, payload, offset, length) }
}
