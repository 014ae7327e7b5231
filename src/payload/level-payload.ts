/**
 * Payload in the journal's own LevelDB: simple, and right for memory, small payloads and replicated journals.
 *
 * What is put waits in memory, gathered into pieces; what a frame refers to is marked off when it is sealed (`sync`), and
 * the journal drains that into the frame's batch, so that a frame and its payload become durable together.
 *
 *     short payloads ─▶ gathered, a chunk of one piece
 *     a long one     ─▶ a chunk of its own, of as many pieces as it takes (src/journal/FORMAT.md)
 *
 * LevelDB reads a value whole, so a piece is what a read of a few bytes costs. Pieces read back are checked once and
 * kept in a bounded cache; one that is kept longer than its neighbours leaves the memory it was put together in, so that
 * this goes with them.
 */

import { BlockboxError } from '../core/errors.ts'
import type { Attachments } from '../journal/journal.ts'
import { from, numberOf, tables } from '../journal/keys.ts'
import type { KvStore } from '../journal/store.ts'
import {
  chunkHeaderBytes,
  chunkOf,
  decodeChunk,
  offsetOf,
  pieceBytes,
  pieceKey,
  placeIn,
  sealChunk,
} from './chunk.ts'
import { type PayloadStore, placeUnit } from './payload.ts'

/** Pieces that a chunk may have: a number that tells chunk and piece is below 2^53. */
const chunkPieces = 2 ** 15
/** The longest single payload: it never fills the places of a chunk, so that no run of places crosses two. */
const maxPayloadBytes = (2 ** 20 - 1) * placeUnit
const cacheBytes = 64 * 2 ** 20

/** Short payloads are put together in a slab: made payload by payload, memory would cost more than all else. */
const slabBytes = 4 * 2 ** 20

interface Gathering {
  readonly chunk: number
  /** Where the chunk begins in the slab, and the bytes of its data so far. */
  readonly start: number
  length: number
}

export class LevelPayload implements PayloadStore, Attachments {
  readonly #store: KvStore
  #gathering: Gathering
  #slab = new Uint8Array(0)
  /** Pieces that are full or sealed and not yet durable, as stored, by chunk x chunkPieces + piece. */
  readonly #waiting = new Map<number, Uint8Array>()
  /** Chunks below this number belong to frames that were sealed; the others wait for the next one. */
  #sealed = 0
  #drained: number[] = []
  /** The data of pieces, by the same numbers. */
  readonly #cache = new Map<number, Uint8Array>()
  #cached = 0

  constructor(store: KvStore, nextChunk: number) {
    this.#store = store
    this.#gathering = { chunk: nextChunk, start: 0, length: 0 }
  }

  put(bytes: Uint8Array): number {
    const fits = bytes.length > 0 && bytes.length % placeUnit === 0 && bytes.length <= maxPayloadBytes
    if (!fits) throw new BlockboxError('USAGE', `a payload of ${bytes.length} bytes cannot be stored`)
    if (this.#gathering.length + bytes.length > pieceBytes) this.#close()
    if (bytes.length > pieceBytes) return this.#putLong(bytes)
    if (this.#gathering.length === 0) this.#makeRoom()
    const { chunk, start, length } = this.#gathering
    this.#slab.set(bytes, start + chunkHeaderBytes + length)
    this.#gathering.length += bytes.length
    return placeIn(chunk, length)
  }

  read(place: number, length: number): Uint8Array {
    const chunk = chunkOf(place)
    return this.#range(place, length, (piece) => this.#data(chunk, piece)) ?? tooShort(chunk)
  }

  asStored(place: number, length: number): Uint8Array | undefined {
    const chunk = chunkOf(place)
    return this.#range(place, length, (piece) => {
      const bytes = this.#waiting.get(idOf(chunk, piece)) ?? this.#stored(chunk, piece)
      return bytes?.subarray(chunkHeaderBytes)
    })
  }

  /** What was put so far goes with the next frame appended: the journal stores it in the frame's batch. */
  async sync(): Promise<void> {
    this.#close()
    this.#sealed = this.#gathering.chunk
  }

  drain(): readonly (readonly [Uint8Array, Uint8Array])[] {
    const due = [...this.#waiting].filter(([id]) => id < idOf(this.#sealed, 0))
    this.#drained = due.map(([id]) => id)
    return due.map(([id, bytes]) => [pieceKey(Math.floor(id / chunkPieces), id % chunkPieces), bytes])
  }

  stored(): void {
    for (const id of this.#drained) {
      const bytes = this.#waiting.get(id)!
      this.#waiting.delete(id)
      this.#keep(id, bytes.subarray(chunkHeaderBytes))
    }
    this.#drained = []
  }

  #putLong(bytes: Uint8Array): number {
    const { chunk, start } = this.#gathering
    const count = Math.ceil(bytes.length / pieceBytes)
    const stored = fresh(bytes.length + count * chunkHeaderBytes)
    for (let piece = 0, at = 0; piece < count; piece++) {
      const data = bytes.subarray(piece * pieceBytes, (piece + 1) * pieceBytes)
      const end = at + chunkHeaderBytes + data.length
      stored.set(data, at + chunkHeaderBytes)
      this.#waiting.set(idOf(chunk, piece), sealChunk(stored.subarray(at, end), chunk, piece))
      at = end
    }
    this.#gathering = { chunk: chunk + 1, start, length: 0 }
    return placeIn(chunk, 0)
  }

  #close(): void {
    const { chunk, start, length } = this.#gathering
    if (length === 0) return
    const end = start + chunkHeaderBytes + length
    this.#waiting.set(idOf(chunk, 0), sealChunk(this.#slab.subarray(start, end), chunk, 0))
    this.#gathering = { chunk: chunk + 1, start: end, length: 0 }
  }

  /** Lets the piece that begins have room in the slab; an old slab lives as long as its pieces. */
  #makeRoom(): void {
    const { chunk, start } = this.#gathering
    if (start + chunkHeaderBytes + pieceBytes <= this.#slab.length) return
    this.#slab = fresh(slabBytes)
    this.#gathering = { chunk, start: 0, length: 0 }
  }

  /**
   * So many bytes at a place, of what `dataOf` has of the pieces; undefined when there are fewer. A chunk from before
   * there were pieces has all its data in the first one.
   */
  #range(
    place: number,
    length: number,
    dataOf: (piece: number) => Uint8Array | undefined,
  ): Uint8Array | undefined {
    const at = offsetOf(place)
    let whole: Uint8Array | undefined
    for (let done = 0; done < length; ) {
      const piece = Math.floor((at + done) / pieceBytes)
      const own = piece === 0 ? undefined : dataOf(piece)
      const data = own ?? dataOf(0)
      const from = at + done - (own === undefined ? 0 : piece * pieceBytes)
      if (data === undefined || from >= data.length) return undefined
      const part = data.subarray(from, from + length - done)
      if (part.length === length) return part
      whole ??= fresh(length)
      whole.set(part, done)
      done += part.length
    }
    return whole
  }

  /** The data of a piece; undefined for one behind the first that is not there. Throws PAYLOAD_CORRUPT. */
  #data(chunk: number, piece: number): Uint8Array | undefined {
    if (chunk === this.#gathering.chunk) {
      if (piece > 0) return undefined
      const from = this.#gathering.start + chunkHeaderBytes
      return this.#slab.subarray(from, from + this.#gathering.length)
    }
    if (piece > 0 && (this.#cache.get(idOf(chunk, 0))?.length ?? 0) > pieceBytes) return undefined
    const id = idOf(chunk, piece)
    const cached = this.#cache.get(id)
    if (cached !== undefined) return this.#used(id, cached)
    const waiting = this.#waiting.get(id)
    if (waiting !== undefined) return waiting.subarray(chunkHeaderBytes)
    const bytes = this.#stored(chunk, piece)
    if (bytes === undefined && piece > 0) return undefined
    const data = decodeChunk(bytes, chunk, piece)
    this.#keep(id, data)
    return data
  }

  /** Moves a cached piece behind the others, out of memory that it shares. */
  #used(id: number, cached: Uint8Array): Uint8Array {
    const shares = cached.buffer.byteLength > 2 * (cached.length + chunkHeaderBytes)
    const own = shares ? cached.slice() : cached
    this.#cache.delete(id)
    this.#cache.set(id, own)
    return own
  }

  #stored(chunk: number, piece: number): Uint8Array | undefined {
    try {
      return this.#store.getSync(pieceKey(chunk, piece))
    } catch (cause) {
      throw new BlockboxError('PAYLOAD_CORRUPT', `payload chunk ${chunk} cannot be read`, { cause })
    }
  }

  #keep(id: number, data: Uint8Array): void {
    this.#cache.set(id, data)
    this.#cached += data.length
    for (const [oldest, bytes] of this.#cache) {
      if (this.#cached <= cacheBytes || oldest === id) break
      this.#cache.delete(oldest)
      this.#cached -= bytes.length
    }
  }
}

function idOf(chunk: number, piece: number): number {
  return chunk * chunkPieces + piece
}

/** Memory that is about to be filled. */
function fresh(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer as ArrayBuffer)
}

function tooShort(chunk: number): never {
  throw new BlockboxError('PAYLOAD_CORRUPT', `payload chunk ${chunk} is shorter than a reference into it`)
}

/** The payload store of a journal's database, going on behind the last chunk that is there. */
export async function openLevelPayload(store: KvStore): Promise<LevelPayload> {
  const cursor = store.keys({ ...from(tables.payload, 0), reverse: true, limit: 1 })
  try {
    const [last] = await cursor.nextv(1)
    return new LevelPayload(store, last === undefined ? 1 : numberOf(last) + 1)
  } finally {
    await cursor.close()
  }
}
