/**
 * LevelDB's tables, checked against the checksums they carry and read with or without them. Format:
 * doc/table_format.md of LevelDB 1.20.
 *
 *     table   data blocks, what helps to find things (filters), a list of that, the index, the footer
 *     block   entries, where some of them begin (4 each), their number (4);  type (1) checksum (4)
 *     entry   bytes shared with the key before it, bytes not shared, bytes of the value;  key, value
 *     key     the key, then 8 bytes: change number x 256 + 1 for a value, 0 for a removal
 *     footer  where the list and the index lie, zeros, magic (8): 48 bytes
 */

import { crc32c } from '../core/crc32c.ts'
import { type FileFault, isZero, Numbers, reading, type Source, unmasked } from './level-file.ts'

const trailerBytes = 5
const footerBytes = 48
const magic = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]
const pieceBytes = 2 ** 20
const keyTailBytes = 8

/** The first damage in a table: every byte of it is in the footer or in a block with a checksum. */
export function tableFault(path: string): FileFault | undefined {
  return reading(path, (source) => {
    const outline = outlineOf(source)
    if ('fault' in outline) return outline.fault
    const { meta, index, data, filters } = outline
    let next = 0
    for (const block of [...[...data, ...filters].sort((a, b) => a.offset - b.offset), meta, index]) {
      if (block.offset !== next || !isSound(source, block)) return { offset: next, what: 'a block' }
      next = block.offset + block.length + trailerBytes
    }
    return next === source.size - footerBytes ? undefined : { offset: next, what: 'the end' }
  })
}

/**
 * The first damage in what LevelDB finds its way by in a table: footer, index, filters. It believes them unchecked, and
 * ends the whole process over some of what a damaged one says.
 */
export function outlineFault(path: string): FileFault | undefined {
  return reading(path, (source) => {
    const outline = outlineOf(source)
    if ('fault' in outline) return outline.fault
    const bad = outline.filters.find((block) => !isSound(source, block))
    return bad === undefined ? undefined : { offset: bad.offset, what: 'a filter' }
  })
}

export interface TableEntry {
  readonly key: Uint8Array
  /** Where the value lies in the file; undefined when the key was removed. */
  readonly at: { readonly offset: number; readonly length: number } | undefined
  readonly value: Uint8Array
  /** LevelDB's own number of the change: the highest of a key counts. */
  readonly sequence: number
  /** True when the block verified that it lies in. */
  readonly isChecked: boolean
}

/**
 * Every entry of a table that can still be made out, in order: also those of damaged blocks as far as they make sense,
 * and without the index where that is damaged.
 */
export function tableEntries(path: string, take: (entry: TableEntry) => void): void {
  reading(path, (source) => {
    const outline = outlineOf(source)
    for (const block of 'fault' in outline ? walked(source) : outline.data) {
      const isChecked = isSound(source, block)
      const bytes = source.bytes(block.offset, block.length)
      for (const { key, from, to } of entries(bytes)) {
        if (key.length < keyTailBytes) continue
        const end = key.length - keyTailBytes
        const tail = new DataView(key.buffer, key.byteOffset + end, keyTailBytes).getBigUint64(0, true)
        const at = (tail & 255n) === 1n ? { offset: block.offset + from, length: to - from } : undefined
        const value = bytes.subarray(from, to)
        take({ key: key.slice(0, end), at, value, sequence: Number(tail >> 8n), isChecked })
      }
    }
  })
}

interface Handle {
  readonly offset: number
  readonly length: number
}

interface Outline {
  readonly meta: Handle
  readonly index: Handle
  readonly data: readonly Handle[]
  readonly filters: readonly Handle[]
}

/** Where the blocks of a table lie, by a footer, an index and a list that verify. */
function outlineOf(source: Source): Outline | { readonly fault: FileFault } {
  const footerAt = source.size - footerBytes
  if (footerAt < 0) return { fault: { offset: 0, what: 'the footer' } }
  const footer = source.bytes(footerAt, footerBytes)
  const numbers = new Numbers(footer)
  const meta = handle(numbers)
  const index = handle(numbers)
  const ends = magic.every((byte, k) => footer[footerBytes - 8 + k] === byte)
  if (!ends || numbers.padded || !isZero(footer.subarray(numbers.at, footerBytes - 8))) {
    return { fault: { offset: footerAt, what: 'the footer' } }
  }
  for (const block of [index, meta]) {
    if (!(block.offset + block.length < footerAt)) return { fault: { offset: footerAt, what: 'the footer' } }
    if (!isSound(source, block)) return { fault: { offset: block.offset, what: 'an index block' } }
  }
  const [data, filters] = [handlesIn(source, index), handlesIn(source, meta)]
  if (!areApart([...data, ...filters, meta, index], footerAt)) {
    return { fault: { offset: index.offset, what: 'an index block' } }
  }
  return { meta, index, data, filters }
}

/** True when the blocks lie one behind the other in the file: an index can be forged so that they do not. */
function areApart(blocks: readonly Handle[], end: number): boolean {
  let next = 0
  for (const { offset, length } of [...blocks].sort((a, b) => a.offset - b.offset)) {
    if (offset < next) return false
    next = offset + length + trailerBytes
  }
  return next <= end
}

function handle(numbers: Numbers): Handle {
  return { offset: numbers.number(), length: numbers.number() }
}

/** The handles that the entries of an index block hold. */
function handlesIn(source: Source, { offset, length }: Handle): Handle[] {
  const block = source.bytes(offset, length)
  return Array.from(entries(block), ({ from }) => handle(new Numbers(block, from)))
}

/** True when a block lies in the file, is stored as it is (nothing here ever compresses), and its checksum is right. */
function isSound(source: Source, { offset, length }: Handle): boolean {
  const end = offset + length + 1
  if (!(end + 4 <= source.size)) return false
  let crc = 0
  for (let at = offset; at < end; at += pieceBytes) {
    crc = crc32c(source.bytes(at, Math.min(pieceBytes, end - at)), crc)
  }
  const trailer = source.bytes(end - 1, trailerBytes)
  return trailer[0] === 0 && crc === unmasked(trailer, 1)
}

/** No key is longer: those of the journal have 25 bytes, the names of filters some more. */
const maxKeyBytes = 1024

/** The entries of a block, up to where they end or make no sense: their keys, and where their values lie in it. */
function* entries(block: Uint8Array): Generator<{ key: Uint8Array; from: number; to: number }> {
  const numbers = new Numbers(block)
  let key = new Uint8Array(0)
  while (numbers.at < block.length) {
    const [shared, own, value] = [numbers.number(), numbers.number(), numbers.number()]
    const from = numbers.at + own
    const to = from + value
    if (own === 0 || shared > key.length || shared + own > maxKeyBytes || !(to <= block.length)) return
    const next = new Uint8Array(shared + own)
    next.set(key.subarray(0, shared))
    next.set(block.subarray(numbers.at, from), shared)
    key = next
    yield { key, from, to }
    numbers.at = to
  }
}

/** Room for the three numbers in front of an entry. */
const entryHeaderBytes = 30

/**
 * The blocks of a table whose index is damaged, each behind the one before it, as long as they verify; then all that is
 * left, as if it were a block.
 */
function* walked(source: Source): Generator<Handle> {
  let offset = 0
  for (let length = lengthAt(source, 0); length !== undefined; length = lengthAt(source, offset)) {
    yield { offset, length }
    offset += length + trailerBytes
  }
  if (offset < source.size) yield { offset, length: source.size - offset }
}

/** The length of the block that begins at `offset`, told by its entries and its checksum. */
function lengthAt(source: Source, offset: number): number | undefined {
  let count = 0
  let at = offset
  for (; at < source.size; count++) {
    const numbers = new Numbers(source.bytes(at, entryHeaderBytes))
    const [, own, value] = [numbers.number(), numbers.number(), numbers.number()]
    if (own === 0) break
    at += numbers.at + own + value
  }
  for (let starts = 1; starts <= Math.max(1, count); starts++) {
    const length = at + 4 * starts + 4 - offset
    const end = source.bytes(offset + length - 4, 4)
    if (end.length < 4) return undefined
    const says = end[0]! | (end[1]! << 8) | (end[2]! << 16) | (end[3]! << 24)
    if (says === starts && isSound(source, { offset, length })) return length
  }
  return undefined
}
