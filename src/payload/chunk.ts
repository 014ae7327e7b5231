/**
 * Payload chunks as stored: pieces, each a checked header and data. A chunk is short payloads one behind the other in one
 * piece, or a long one in many (src/journal/FORMAT.md).
 */

import { crc32 } from 'node:zlib'
import { BlockboxError } from '../core/errors.ts'
import { key, tables } from '../journal/keys.ts'
import { pieceUnits, placeUnit } from './payload.ts'

export const chunkHeaderBytes = 16
const magic = 0x31504242
/** The most data a piece has; all pieces of a chunk but the last are full. */
export const pieceBytes = pieceUnits * placeUnit
/** Places per chunk number. */
const chunkPlaces = 2 ** 20

/** The place of byte `offset` (a multiple of 512) of a chunk's data. */
export function placeIn(chunk: number, offset: number): number {
  return chunk * chunkPlaces + offset / placeUnit
}

/** Where a piece of a chunk is stored: the first under the chunk's number alone. */
export function pieceKey(chunk: number, piece: number): Uint8Array {
  return piece === 0 ? key(tables.payload, chunk) : key(tables.payload, chunk, piece)
}

/** Which piece of its chunk a key of the table is of. */
export function pieceOf(at: Uint8Array): number {
  return at.length < 17 ? 0 : Number(new DataView(at.buffer, at.byteOffset).getBigUint64(9))
}

export function chunkOf(place: number): number {
  return Math.floor(place / chunkPlaces)
}

/** Bytes from the beginning of the chunk's data to a place. */
export function offsetOf(place: number): number {
  return (place % chunkPlaces) * placeUnit
}

/** What the header of a piece says of where it is stored: a read that went astray brings another one's. Never 0. */
function nameOf(chunk: number, piece: number): number {
  return (Math.imul(chunk, 2 ** 14) + piece + 1) >>> 0
}

/** Fills in the header of a piece whose data stand in place behind it. */
export function sealChunk(bytes: Uint8Array, chunk: number, piece: number): Uint8Array {
  const data = bytes.subarray(chunkHeaderBytes)
  const view = new DataView(bytes.buffer, bytes.byteOffset, chunkHeaderBytes)
  view.setUint32(0, magic, true)
  view.setUint32(4, crc32(data), true)
  view.setUint32(8, data.length, true)
  view.setUint32(12, nameOf(chunk, piece), true)
  return bytes
}

/** The stored form of a piece with these data. */
export function encodeChunk(data: Uint8Array, chunk: number, piece = 0): Uint8Array {
  const bytes = new Uint8Array(chunkHeaderBytes + data.length)
  bytes.set(data, chunkHeaderBytes)
  return sealChunk(bytes, chunk, piece)
}

/** The data of a stored piece; throws PAYLOAD_CORRUPT when it is not what was stored. */
export function decodeChunk(bytes: Uint8Array | undefined, chunk: number, piece = 0): Uint8Array {
  if (bytes === undefined) throw new BlockboxError('PAYLOAD_CORRUPT', `payload chunk ${chunk} is missing`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const data = bytes.subarray(chunkHeaderBytes)
  const whole = bytes.length >= chunkHeaderBytes && view.getUint32(0, true) === magic
  const name = whole ? view.getUint32(12, true) : 0
  const astray = name !== 0 && name !== nameOf(chunk, piece)
  if (
    !whole ||
    astray ||
    view.getUint32(8, true) !== data.length ||
    view.getUint32(4, true) !== crc32(data)
  ) {
    throw new BlockboxError(
      'PAYLOAD_CORRUPT',
      `payload chunk ${chunk} is ${astray ? 'another one' : 'damaged'}: its bytes are not those stored`,
    )
  }
  return data
}
