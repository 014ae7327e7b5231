/** Paths of an ext4 file system: from the root to an inode, and from inodes back to names. */

import { BlockboxError } from '../core/errors.ts'
import { type Inode, readInode } from './ext4-inode.ts'
import { type Ext4Volume, fault } from './ext4-volume.ts'

const root = 2
/** At most this many names are looked at when names are sought for inodes. */
const maxNames = 200_000

interface Entry {
  readonly inode: number
  readonly name: string
}

/** The inode of an absolute path; symbolic links are not followed. Throws LAYOUT when nothing is there. */
export function inodeOf(volume: Ext4Volume, path: string): Inode {
  if (!path.startsWith('/'))
    throw new BlockboxError('USAGE', `${path} is no absolute path of the file system`)
  let inode = readInode(volume, root)
  for (const name of path.split('/').filter((part) => part !== '' && part !== '.')) {
    if (inode.kind !== 'directory') throw missing(path)
    let next = 0
    for (const entry of entries(volume, inode)) {
      if (entry.name !== name) continue
      next = entry.inode
      break
    }
    if (next === 0) throw missing(path)
    inode = readInode(volume, next)
  }
  return inode
}

function missing(path: string): BlockboxError {
  return new BlockboxError('LAYOUT', `there is no ${path} in the file system`)
}

/** The paths that lead to these inodes, as far as they are found among a bounded number of names. */
export function pathsOf(volume: Ext4Volume, wanted: ReadonlySet<number>): string[] {
  const found: string[] = wanted.has(root) ? ['/'] : []
  const seen = new Set([root])
  const folders = [{ number: root, path: '' }]
  let names = 0
  for (let next = folders.shift(); next !== undefined && names < maxNames; next = folders.shift()) {
    for (const { inode, name } of readable(volume, next.number)) {
      names++
      if (name === '.' || name === '..' || inode === 0) continue
      const path = `${next.path}/${name}`
      if (wanted.has(inode)) found.push(path)
      if (seen.has(inode)) continue
      seen.add(inode)
      folders.push({ number: inode, path })
    }
  }
  return found
}

/** The entries of a directory; none of what is no directory, or cannot be read. */
function readable(volume: Ext4Volume, number: number): Entry[] {
  try {
    const inode = readInode(volume, number)
    return inode.kind === 'directory' ? [...entries(volume, inode)] : []
  } catch (error) {
    if (error instanceof BlockboxError) return []
    throw error
  }
}

/** The names in a directory, block by block: the index of large directories looks like empty entries. */
function* entries(volume: Ext4Volume, directory: Inode): Generator<Entry> {
  let left = Math.ceil(directory.size / volume.block)
  for (const { first, count } of directory.data) {
    for (let block = first; block < first + count && left > 0; block++, left--) {
      yield* entriesIn(volume.read(block).slice(), directory.number)
    }
  }
}

const decoder = new TextDecoder()

function* entriesIn(bytes: Uint8Array, directory: number): Generator<Entry> {
  const view = new DataView(bytes.buffer)
  for (let at = 0; at + 8 <= bytes.length; ) {
    const inode = view.getUint32(at, true)
    const said = view.getUint16(at + 4, true)
    const length = said === 65_535 || said === 0 ? bytes.length - at : said
    const nameLength = bytes[at + 6]!
    const sound = length >= 8 && length % 4 === 0 && at + length <= bytes.length && nameLength + 8 <= length
    if (!sound) throw fault(`directory ${directory} has a damaged entry`)
    if (inode !== 0) yield { inode, name: decoder.decode(bytes.subarray(at + 8, at + 8 + nameLength)) }
    at += length
  }
}
