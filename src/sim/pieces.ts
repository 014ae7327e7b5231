/**
 * Pieces of payload on a disk under test: in the store, or in a segment that the store refers to.
 */

import type sorted from 'sorted-btree'
import { numberOf, tables } from '../journal/keys.ts'
import { decodeReference } from '../journal/segmented-store.ts'
import type { Stretch } from '../journal/segments.ts'
import { decodeChunk, pieceOf } from '../payload/chunk.ts'
import type { Files } from './files.ts'

type Content = sorted.default<Uint8Array, Uint8Array>

/** What a disk holds (disk.ts). */
interface Held {
  readonly content: Content
  readonly files: Files
}

/** The keys of payload that refer to a segment, and to what in it. */
export function referrers(content: Content): (readonly [Uint8Array, Stretch])[] {
  return entries(content).flatMap(([at, value]) => {
    const stretch = decodeReference(value)
    return stretch === undefined ? [] : [[at, stretch] as const]
  })
}

/** The bytes of a stretch that are there. */
export function pieceAt(files: Files, { segment, offset, length }: Stretch): Uint8Array {
  return files.read(segment, offset, length)
}

/** The piece under a key of payload, as it is stored; undefined when there is none. */
export function pieceUnder(disk: Held, at: Uint8Array): Uint8Array | undefined {
  const value = disk.content.get(at)
  const stretch = value === undefined ? undefined : decodeReference(value)
  return stretch === undefined ? value : pieceAt(disk.files, stretch)
}

/** Keys of payload under which there is no whole piece: none where no sync lied and nothing was torn in the store. */
export function brokenPieces(disk: Held): string[] {
  return entries(disk.content).flatMap(([at]) => {
    try {
      decodeChunk(pieceUnder(disk, at), numberOf(at), pieceOf(at))
      return []
    } catch (error) {
      return [(error as Error).message]
    }
  })
}

function entries(content: Content): [Uint8Array, Uint8Array][] {
  return content.getRange(Uint8Array.of(tables.payload), Uint8Array.of(tables.payload + 1))
}
