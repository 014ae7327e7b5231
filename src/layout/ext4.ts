/**
 * The layout of ext4: for a full fence every superblock, every copy of the group descriptors, the bitmaps and inode
 * tables; for files the blocks of their inodes and of the trees that lead to their data.
 *
 * One block of an inode table serves several files. A partial fence whose metadata, or whose blocks of the volume,
 * serve a file that is not named is SHARED_META, with the list of those files (SPEC 2.3).
 */

import { BlockboxError } from '../core/errors.ts'
import type { Range } from '../core/range.ts'
import { RangeSet } from '../core/range-set.ts'
import type { Inode } from './ext4-inode.ts'
import { inodeOf, pathsOf } from './ext4-path.ts'
import { Ext4Volume } from './ext4-volume.ts'
import { type Layout, SharedMeta, wholeBlocks } from './layout.ts'

export const ext4: Layout = {
  name: 'ext4',

  full(reader) {
    const volume = new Ext4Volume(reader)
    const meta = wholeBlocks(metadata(volume), reader)
    const covered = RangeSet.of([{ offset: 0, length: reader.size }])
    const last = Math.floor(1024 / reader.block) * reader.block
    return { meta, covered, full: true, last }
  },

  partial(reader, paths) {
    const volume = new Ext4Volume(reader)
    if (paths.length === 0)
      throw new BlockboxError('USAGE', 'a partial fence needs the path of at least one file')
    const inodes = paths.map((path) => {
      const inode = inodeOf(volume, path)
      if (inode.kind !== 'file')
        throw new BlockboxError('LAYOUT', `${path} is no regular file: only these can be fenced`)
      return inode
    })
    const meta = wholeBlocks(
      inodes.flatMap((inode) => leading(volume, inode)),
      reader,
    )
    const covered = wholeBlocks(
      inodes.flatMap(({ data }) => bytesOf(volume, data)),
      reader,
    )
    refuseShared(volume, inodes, meta.with(covered))
    const last = Math.floor(inodes[0]!.place.offset / reader.block) * reader.block
    return { meta, covered: covered.minus(meta), full: false, last }
  },
}

/** Everything without which the file system cannot be opened, nor a file in it found. */
function* metadata(volume: Ext4Volume): Generator<Range> {
  const { block } = volume
  for (const { first, count } of volume.anchors()) yield { offset: first * block, length: count * block }
  const length = volume.tableBlocks * block
  for (let number = 0; number < volume.groups; number++) {
    const { blockBitmap, inodeBitmap, inodeTable } = volume.group(number)
    yield { offset: blockBitmap * block, length: block }
    yield { offset: inodeBitmap * block, length: block }
    yield { offset: inodeTable * block, length }
  }
}

/** What leads to the content of a file: the block of its inode, and the nodes of its tree. */
function leading(volume: Ext4Volume, { place, nodes }: Inode): Range[] {
  const { block } = volume
  const first = Math.floor(place.offset / block) * block
  return [{ offset: first, length: block }, ...nodes.map((node) => ({ offset: node * block, length: block }))]
}

function bytesOf({ block }: Ext4Volume, runs: Inode['data']): Range[] {
  return runs.map(({ first, count }) => ({ offset: first * block, length: count * block }))
}

/** Throws SharedMeta when what is to be fenced holds the inode of another file, or a block in use that is not theirs. */
function refuseShared(volume: Ext4Volume, inodes: readonly Inode[], fenced: RangeSet): void {
  const { block } = volume
  const named = new Set(inodes.map(({ number }) => number))
  const own = RangeSet.of(
    inodes.flatMap(({ nodes, data }) => [
      ...nodes.map((node) => ({ offset: node * block, length: block })),
      ...bytesOf(volume, data),
    ]),
  )
  const tables = tablesIn(volume, fenced)
  const others = new Set<number>()
  for (const { group, first, range } of tables) {
    for (const number of usedInodes(volume, group, first, range)) if (!named.has(number)) others.add(number)
  }
  if (others.size > 0)
    throw new SharedMeta(
      [...others].sort((a, b) => a - b),
      pathsOf(volume, others),
    )
  for (const range of fenced.minus(own).minus(RangeSet.of(tables.map(({ range }) => range))).ranges) {
    for (let at = Math.floor(range.offset / block); at * block < range.offset + range.length; at++) {
      if (!isFree(volume, at))
        throw new SharedMeta([], [`block ${at} of the file system, which is not theirs`])
    }
  }
}

interface TablePart {
  readonly group: number
  /** Byte of the volume where the group's inode table begins. */
  readonly first: number
  readonly range: Range
}

/** The parts of inode tables that lie in some ranges. */
function tablesIn(volume: Ext4Volume, fenced: RangeSet): TablePart[] {
  const length = volume.tableBlocks * volume.block
  const parts: TablePart[] = []
  for (let group = 0; group < volume.groups; group++) {
    const first = volume.group(group).inodeTable * volume.block
    for (const { inside, ...range } of fenced.split({ offset: first, length })) {
      if (inside) parts.push({ group, first, range })
    }
  }
  return parts
}

/** The inodes in use of a part of a group's table. */
function* usedInodes(volume: Ext4Volume, group: number, first: number, range: Range): Generator<number> {
  const { inodeBitmap, inodesUnused } = volume.group(group)
  if (inodesUnused) return
  const bitmap = volume.read(inodeBitmap).slice()
  const from = Math.floor((range.offset - first) / volume.inodeSize)
  const to = Math.min(
    volume.inodesPerGroup,
    Math.ceil((range.offset + range.length - first) / volume.inodeSize),
  )
  for (let k = from; k < to; k++) {
    if (((bitmap[k >>> 3] ?? 0) & (1 << (k & 7))) !== 0) yield group * volume.inodesPerGroup + k + 1
  }
}

/** True for a block that the file system does not use, or that lies behind its end. */
function isFree(volume: Ext4Volume, block: number): boolean {
  if (block >= volume.blocks) return true
  const group = Math.floor((block - volume.firstBlock) / volume.blocksPerGroup)
  if (group < 0) return false
  const { blockBitmap, blocksUnused } = volume.group(group)
  if (blocksUnused) return false
  const k = (block - volume.firstBlock) % volume.blocksPerGroup
  return ((volume.read(blockBitmap)[k >>> 3] ?? 255) & (1 << (k & 7))) === 0
}
