/**
 * Inodes of ext4 and the blocks they lead to: through a tree of extents, or through the indirect blocks of ext2 and
 * ext3. What leads there (`nodes`) is told from what lies there (`data`).
 */

import type { Range } from '../core/range.ts'
import { type Ext4Volume, fault } from './ext4-volume.ts'

const flags = { extents: 0x80000, inline: 0x10000000, encrypted: 0x800 } as const
const extentMagic = 0xf30a
const maxDepth = 5
/** A file in more pieces than this is refused: nothing sound looks so. */
const maxPieces = 2 ** 20

export interface Inode {
  readonly number: number
  readonly kind: 'file' | 'directory' | 'other'
  /** Bytes of its content. */
  readonly size: number
  /** Where the inode itself lies, in bytes of the volume. */
  readonly place: Range
  /** Blocks of the file system. */
  readonly nodes: readonly number[]
  readonly data: readonly { readonly first: number; readonly count: number }[]
}

/** Where inode `number` lies. Throws LAYOUT when there is none of that number. */
export function inodePlace(volume: Ext4Volume, number: number): Range {
  const group = Math.floor((number - 1) / volume.inodesPerGroup)
  if (number < 1 || number > volume.inodes || group >= volume.groups)
    throw fault(`there is no inode ${number}`)
  const offset = ((number - 1) % volume.inodesPerGroup) * volume.inodeSize
  return { offset: volume.group(group).inodeTable * volume.block + offset, length: volume.inodeSize }
}

/** An inode with all its blocks. Throws LAYOUT when they make no sense, or are kept in a way that is not known here. */
export function readInode(volume: Ext4Volume, number: number): Inode {
  const place = inodePlace(volume, number)
  if (place.offset + place.length > volume.blocks * volume.block)
    throw fault(`inode ${number} lies beyond the volume`)
  const bytes = volume.reader.read(place.offset, place.length).slice()
  const view = new DataView(bytes.buffer)
  const mode = view.getUint16(0, true) & 0xf000
  const kind = mode === 0x8000 ? 'file' : mode === 0x4000 ? 'directory' : 'other'
  const size = view.getUint32(0x4, true) + view.getUint32(0x6c, true) * 2 ** 32
  const set = view.getUint32(0x20, true)
  const found = new Blocks(volume, number)
  if (kind !== 'other') {
    if ((set & flags.inline) !== 0)
      throw fault(`inode ${number} holds its content itself, which is not supported`)
    if ((set & flags.encrypted) !== 0 && kind === 'directory') throw fault(`directory ${number} is encrypted`)
    const root = bytes.subarray(0x28, 0x28 + 60)
    if ((set & flags.extents) !== 0) found.extents(root, undefined)
    else found.indirect(root, Math.ceil(size / volume.block))
  }
  return { number, kind, size, place, nodes: [...found.nodes], data: found.data }
}

class Blocks {
  readonly nodes = new Set<number>()
  readonly data: { first: number; count: number }[] = []
  readonly #volume: Ext4Volume
  readonly #inode: number

  constructor(volume: Ext4Volume, inode: number) {
    this.#volume = volume
    this.#inode = inode
  }

  /** A node of a tree of extents; the root may be of any depth, its children one less each. */
  extents(bytes: Uint8Array, expected: number | undefined): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (view.getUint16(0, true) !== extentMagic) throw this.#fault('has a damaged tree of extents')
    const entries = view.getUint16(2, true)
    const depth = view.getUint16(6, true)
    const fits = 12 + entries * 12 <= bytes.length && depth <= maxDepth
    if (!fits || (expected !== undefined && depth !== expected))
      throw this.#fault('has a damaged tree of extents')
    for (let at = 12; at < 12 + entries * 12; at += 12) {
      if (depth === 0) {
        const length = view.getUint16(at + 4, true)
        const first = view.getUint16(at + 6, true) * 2 ** 32 + view.getUint32(at + 8, true)
        this.#take(first, length > 32_768 ? length - 32_768 : length)
      } else {
        const child = view.getUint32(at + 4, true) + view.getUint16(at + 8, true) * 2 ** 32
        this.extents(this.#node(child), depth - 1)
      }
    }
  }

  /** The fifteen pointers of ext2: twelve to data, one each to a block of pointers, of blocks of those, and so on. */
  indirect(bytes: Uint8Array, blocks: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let left = blocks
    for (let k = 0; k < 15 && left > 0; k++)
      left = this.#pointer(view.getUint32(k * 4, true), Math.max(0, k - 11), left)
  }

  /** Follows a pointer through `level` blocks of pointers; returns how many blocks are left behind it. */
  #pointer(block: number, level: number, left: number): number {
    const per = this.#volume.block / 4
    if (block === 0) return left - per ** level
    if (level === 0) {
      this.#take(block, 1)
      return left - 1
    }
    const node = this.#node(block)
    const view = new DataView(node.buffer, node.byteOffset, node.byteLength)
    let rest = left
    for (let k = 0; k < per && rest > 0; k++)
      rest = this.#pointer(view.getUint32(k * 4, true), level - 1, rest)
    return rest
  }

  #node(block: number): Uint8Array {
    if (this.nodes.has(block)) throw this.#fault('comes back to a block it has been through')
    const bytes = this.#volume.read(block).slice()
    this.nodes.add(block)
    if (this.nodes.size > maxPieces) throw this.#fault('is in too many pieces')
    return bytes
  }

  #take(first: number, count: number): void {
    const inside = first > 0 && count > 0 && first + count <= this.#volume.blocks
    if (!inside) throw this.#fault(`has blocks beyond the volume, from ${first} on`)
    const last = this.data.at(-1)
    if (last !== undefined && last.first + last.count === first) last.count += count
    else this.data.push({ first, count })
    if (this.data.length > maxPieces) throw this.#fault('is in too many pieces')
  }

  #fault(what: string) {
    return fault(`inode ${this.#inode} ${what}`)
  }
}
