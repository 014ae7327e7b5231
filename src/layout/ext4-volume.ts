/**
 * An ext2, ext3 or ext4 file system as far as a fence needs it: its superblock, its block groups, where each copy of
 * either lies. Field offsets and rules: the kernel's documentation, filesystems/ext4 (on-disk format).
 *
 *     group with a superblock:     superblock │ descriptors ... │ bitmaps, inode table (its own, or of a flex group)
 *     group without:               data, and what of the others' lies there
 *
 * What is read is never trusted: every number is held against the size of the volume before it is used.
 */

import { BlockboxError } from '../core/errors.ts'
import type { Reader } from './layout.ts'

const compat = { sparseSuper2: 0x200 } as const
const incompat = { journalDevice: 0x8, metaGroups: 0x10, wide: 0x80 } as const
const roCompat = { sparseSuper: 0x1 } as const

export interface Group {
  readonly blockBitmap: number
  readonly inodeBitmap: number
  readonly inodeTable: number
  /** Inodes, or blocks, of the group were never used, and the bitmap was never written. */
  readonly inodesUnused: boolean
  readonly blocksUnused: boolean
}

export class Ext4Volume {
  readonly reader: Reader
  /** Bytes of a block of the file system, and how many there are. */
  readonly block: number
  readonly blocks: number
  readonly firstBlock: number
  readonly blocksPerGroup: number
  readonly inodesPerGroup: number
  readonly inodes: number
  readonly inodeSize: number
  readonly groups: number
  readonly #descriptorSize: number
  readonly #backups: (group: number) => boolean
  /** Descriptor blocks from this one on lie in their own group of groups. */
  readonly #firstMeta: number

  /** Throws LAYOUT when there is no sound file system. */
  constructor(reader: Reader) {
    this.reader = reader
    if (reader.size < 2048) throw fault('the volume is too small for a superblock')
    const bytes = reader.read(1024, 1024).slice()
    const view = new DataView(bytes.buffer)
    const u16 = (at: number) => view.getUint16(at, true)
    const u32 = (at: number) => view.getUint32(at, true)
    if (u16(0x38) !== 0xef53) throw fault('there is no ext4 superblock: its magic number is missing')
    const features = { compat: u32(0x5c), incompat: u32(0x60), roCompat: u32(0x64) }
    if ((features.incompat & incompat.journalDevice) !== 0)
      throw fault('it is the journal of another file system')
    const wide = (features.incompat & incompat.wide) !== 0
    this.block = 1024 * 2 ** Math.min(31, u32(0x18))
    if (this.block > 65_536) throw fault(`blocks of ${this.block} bytes do not exist`)
    this.blocks = u32(0x4) + (wide ? u32(0x150) * 2 ** 32 : 0)
    this.firstBlock = u32(0x14)
    this.blocksPerGroup = u32(0x20)
    this.inodesPerGroup = u32(0x28)
    this.inodes = u32(0x0)
    this.inodeSize = u32(0x4c) === 0 ? 128 : u16(0x58)
    this.#descriptorSize = wide ? u16(0xfe) : 32
    if (this.firstBlock > 1) throw fault(`its first block cannot be ${this.firstBlock}`)
    if (this.blocks * this.block > reader.size) throw fault('it is larger than the volume')
    const perGroup = this.blocksPerGroup >= 256 && this.blocksPerGroup <= 65_536 * 8 * 16
    if (!perGroup) throw fault(`${this.blocksPerGroup} blocks in a group make no sense`)
    const power = (size: number, least: number, most: number) =>
      size >= least && size <= most && Number.isInteger(Math.log2(size))
    if (!power(this.inodeSize, 128, this.block))
      throw fault(`inodes of ${this.inodeSize} bytes make no sense`)
    if (!power(this.#descriptorSize, 32, 1024)) throw fault('its group descriptors make no sense')
    const tableful = this.inodesPerGroup > 0 && this.inodesPerGroup <= this.block * 8
    if (!tableful) throw fault(`${this.inodesPerGroup} inodes in a group make no sense`)
    if (this.blocks <= this.firstBlock) throw fault('it has no blocks')
    this.groups = Math.ceil((this.blocks - this.firstBlock) / this.blocksPerGroup)
    const metaGroups = (features.incompat & incompat.metaGroups) !== 0
    this.#firstMeta = metaGroups ? u32(0x104) : Number.MAX_SAFE_INTEGER
    if ((features.compat & compat.sparseSuper2) !== 0) {
      const two = [u32(0x24c), u32(0x250)]
      this.#backups = (group) => two.includes(group)
    } else {
      const sparse = (features.roCompat & roCompat.sparseSuper) !== 0
      this.#backups = (group) => !sparse || group === 1 || [3, 5, 7].some((base) => isPower(group, base))
    }
  }

  /** True for a group that begins with a copy of the superblock. */
  hasSuper(group: number): boolean {
    return group === 0 || this.#backups(group)
  }

  /** The block of a group's superblock, or where one would be. */
  superBlock(group: number): number {
    if (group === 0) return Math.floor(1024 / this.block)
    return this.firstBlock + group * this.blocksPerGroup
  }

  /** Every block of every copy of the descriptors of the groups, and of every superblock. */
  *anchors(): Generator<{ readonly first: number; readonly count: number }> {
    const perBlock = this.#perBlock
    const all = Math.ceil(this.groups / perBlock)
    const flat = Math.min(all, this.#firstMeta)
    for (let group = 0; group < this.groups; group++) {
      if (this.hasSuper(group)) yield { first: this.superBlock(group), count: 1 + flat }
    }
    for (let at = flat; at < all; at++) {
      const copies = [at * perBlock, at * perBlock + 1, at * perBlock + perBlock - 1]
      for (const group of copies) if (group < this.groups) yield { first: this.#metaBlock(group), count: 1 }
    }
  }

  /** The descriptor of a group. */
  group(number: number): Group {
    const perBlock = this.#perBlock
    const at = Math.floor(number / perBlock)
    const flat = at < this.#firstMeta
    const block = flat ? this.superBlock(0) + 1 + at : this.#metaBlock(at * perBlock)
    const bytes = this.read(block)
    const view = new DataView(bytes.buffer, bytes.byteOffset + (number % perBlock) * this.#descriptorSize)
    const place = (low: number, high: number) => {
      const found =
        view.getUint32(low, true) + (this.#descriptorSize >= 64 ? view.getUint32(high, true) * 2 ** 32 : 0)
      if (found <= 0 || found >= this.blocks)
        throw fault(`the descriptor of group ${number} points beyond the volume`)
      return found
    }
    const flags = view.getUint16(0x12, true)
    return {
      blockBitmap: place(0x0, 0x20),
      inodeBitmap: place(0x4, 0x24),
      inodeTable: place(0x8, 0x28),
      inodesUnused: (flags & 1) !== 0,
      blocksUnused: (flags & 2) !== 0,
    }
  }

  /** Blocks of the inode table of a group. */
  get tableBlocks(): number {
    return Math.ceil((this.inodesPerGroup * this.inodeSize) / this.block)
  }

  /** The bytes of a block, valid until the next read. */
  read(block: number): Uint8Array {
    if (!(block >= 0 && block < this.blocks)) throw fault(`block ${block} is not of this file system`)
    return this.reader.read(block * this.block, this.block)
  }

  get #perBlock(): number {
    return Math.floor(this.block / this.#descriptorSize)
  }

  #metaBlock(group: number): number {
    return this.superBlock(group) + (this.hasSuper(group) ? 1 : 0)
  }
}

function isPower(number: number, base: number): boolean {
  let power = base
  while (power < number) power *= base
  return power === number
}

/** Why a volume is no sound ext4 file system. */
export function fault(why: string): BlockboxError {
  return new BlockboxError('LAYOUT', `the volume is no ext4 file system that can be fenced: ${why}`)
}
