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
 * kept in a bounded cache, second chance: the oldest goes, unless it was read since it was looked at last. What was put
 * is not kept once it is stored: its memory takes what is put next; made anew each time it would cost more than all else.
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
/** Bytes of pieces kept in memory unless told otherwise. */
const defaultCacheBytes = 64 * 2 ** 20

/** Pieces that may stay each time that one comes: nobody waits for long. */
const secondChances = 8
/** Payloads are put together in slabs of so many bytes unless told otherwise; so many that hold nothing are kept. */
const defaultSlabBytes = 4 * 2 ** 20
const freeSlabs = 4

interface Slab {
  readonly bytes: Uint8Array
  /** Pieces in it that are not stored yet. */
  waiting: number
}

/** A piece that is full or sealed, as stored, and the slab it lies in. */
interface Piece {
  readonly bytes: Uint8Array
  readonly slab: Slab | undefined
}

interface Gathering {
  readonly chunk: number
  /** Where the chunk begins in the slab, and the bytes of its data so far. */
  readonly start: number
  length: number
}

export interface LevelPayloadOptions {
  /** The most bytes of pieces that were read and are kept in memory. */
  readonly cacheBytes?: number | undefined
  /** True of a store that has its own copy of what it was given once that is written, as LevelDB does. */
  readonly copies?: boolean
  /** Bytes of a slab, more than a piece takes. */
  readonly slabBytes?: number
}

/** A piece in the cache. */
interface Kept {
  readonly data: Uint8Array
  /** Read since it was put there or looked at last. */
  read: boolean
}

export class LevelPayload implements PayloadStore, Attachments {
  readonly #store: KvStore
  #gathering: Gathering
  #slab: Slab = { bytes: new Uint8Array(0), waiting: 0 }
  readonly #free: Slab[] = []
  /** Pieces that are full or sealed and not yet durable, by chunk x chunkPieces + piece. */
  readonly #waiting = new Map<number, Piece>()
  /** Chunks below this number belong to frames that were sealed; the others wait for the next one. */
  #sealed = 0
  #drained: number[] = []
  /** Pieces by the same numbers, in the order in which they are looked at. */
  readonly #cache = new Map<number, Kept>()
  readonly #options: LevelPayloadOptions
  readonly #slabBytes: number
  #cached = 0

  constructor(store: KvStore, nextChunk: number, options: LevelPayloadOptions = {}) {
    this.#store = store
    this.#options = options
    this.#slabBytes = options.slabBytes ?? defaultSlabBytes
    this.#gathering = { chunk: nextChunk, start: 0, length: 0 }
  }

  put(bytes: Uint8Array): number {
    const fits = bytes.length > 0 && bytes.length % placeUnit === 0 && bytes.length <= maxPayloadBytes
    if (!fits) throw new BlockboxError('USAGE', `a payload of ${bytes.length} bytes cannot be stored`)
    if (this.#gathering.length + bytes.length > pieceBytes) this.#close()
    if (bytes.length > pieceBytes) return this.#putLong(bytes)
    if (this.#gathering.length === 0) this.#makeRoom(chunkHeaderBytes + pieceBytes)
    const { chunk, start, length } = this.#gathering
    this.#slab.bytes.set(bytes, start + chunkHeaderBytes + length)
    this.#gathering.length += bytes.length
    return placeIn(chunk, length)
  }

  read(place: number, length: number): Uint8Array {
    const chunk = chunkOf(place)
    const at = offsetOf(place)
    const piece = Math.floor(at / pieceBytes)
    const from = at - piece * pieceBytes
    const kept = this.#cache.get(idOf(chunk, piece))
    if (kept !== undefined && from + length <= kept.data.length) {
      kept.read = true
      return kept.data.subarray(from, from + length)
    }
    return this.#range(place, length, (piece) => this.#data(chunk, piece)) ?? tooShort(chunk)
  }

  asStored(place: number, length: number): Uint8Array | undefined {
    const chunk = chunkOf(place)
    return this.#range(place, length, (piece) => {
      const bytes = this.#waiting.get(idOf(chunk, piece))?.bytes ?? this.#stored(chunk, piece)
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
    return due.map(([id, { bytes }]) => [pieceKey(Math.floor(id / chunkPieces), id % chunkPieces), bytes])
  }

  stored(): void {
    for (const id of this.#drained) {
      const { slab } = this.#waiting.get(id)!
      this.#waiting.delete(id)
      if (slab === undefined) continue
      slab.waiting--
      this.#leave(slab)
    }
    this.#drained = []
  }

  #putLong(bytes: Uint8Array): number {
    const count = Math.ceil(bytes.length / pieceBytes)
    const room = bytes.length + count * chunkHeaderBytes
    const fits = room <= this.#slabBytes
    if (fits) this.#makeRoom(room)
    const { chunk, start } = this.#gathering
    const slab = fits ? this.#slab : undefined
    const stored = slab?.bytes ?? fresh(room)
    let at = fits ? start : 0
    for (let piece = 0; piece < count; piece++) {
      const data = bytes.subarray(piece * pieceBytes, (piece + 1) * pieceBytes)
      const end = at + chunkHeaderBytes + data.length
      stored.set(data, at + chunkHeaderBytes)
      this.#wait(chunk, piece, stored.subarray(at, end), slab)
      at = end
    }
    this.#gathering = { chunk: chunk + 1, start: fits ? at : start, length: 0 }
    return placeIn(chunk, 0)
  }

  #close(): void {
    const { chunk, start, length } = this.#gathering
    if (length === 0) return
    const end = start + chunkHeaderBytes + length
    this.#wait(chunk, 0, this.#slab.bytes.subarray(start, end), this.#slab)
    this.#gathering = { chunk: chunk + 1, start: end, length: 0 }
  }

  #wait(chunk: number, piece: number, bytes: Uint8Array, slab: Slab | undefined): void {
    this.#waiting.set(idOf(chunk, piece), { bytes: sealChunk(bytes, chunk, piece), slab })
    if (slab !== undefined) slab.waiting++
  }

  /** Lets what begins have so much room in a slab. */
  #makeRoom(room: number): void {
    const { chunk, start } = this.#gathering
    const full = this.#slab
    if (start + room <= full.bytes.length) return
    this.#slab = this.#free.pop() ?? { bytes: fresh(this.#slabBytes), waiting: 0 }
    this.#gathering = { chunk, start: 0, length: 0 }
    this.#leave(full)
  }

  /** A slab that takes nothing more, and of which all is stored, may be used again. */
  #leave(slab: Slab): void {
    if (slab === this.#slab || slab.waiting > 0 || slab.bytes.length < this.#slabBytes) return
    if (this.#options.copies === true && this.#free.length < freeSlabs) this.#free.push(slab)
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
      return this.#slab.bytes.subarray(from, from + this.#gathering.length)
    }
    if (piece > 0 && (this.#cache.get(idOf(chunk, 0))?.data.length ?? 0) > pieceBytes) return undefined
    const id = idOf(chunk, piece)
    const kept = this.#cache.get(id)
    if (kept !== undefined) {
      kept.read = true
      return kept.data
    }
    const waiting = this.#waiting.get(id)
    if (waiting !== undefined) return waiting.bytes.subarray(chunkHeaderBytes)
    const bytes = this.#stored(chunk, piece)
    if (bytes === undefined && piece > 0) return undefined
    const data = decodeChunk(bytes, chunk, piece)
    this.#keep(id, data)
    return data
  }

  #stored(chunk: number, piece: number): Uint8Array | undefined {
    try {
      return this.#store.getSync(pieceKey(chunk, piece))
    } catch (cause) {
      throw new BlockboxError('PAYLOAD_CORRUPT', `payload chunk ${chunk} cannot be read`, { cause })
    }
  }

  #keep(id: number, data: Uint8Array): void {
    this.#cache.set(id, { data, read: false })
    this.#cached += data.length
    const { cacheBytes = defaultCacheBytes } = this.#options
    let chances = secondChances
    for (const [oldest, kept] of this.#cache) {
      if (this.#cached <= cacheBytes || oldest === id) break
      this.#cache.delete(oldest)
      if (kept.read && chances-- > 0) this.#cache.set(oldest, { data: kept.data, read: false })
      else this.#cached -= kept.data.length
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
export async function openLevelPayload(store: KvStore, options?: LevelPayloadOptions): Promise<LevelPayload> {
  const cursor = store.keys({ ...from(tables.payload, 0), reverse: true, limit: 1 })
  try {
    const [last] = await cursor.nextv(1)
    return new LevelPayload(store, last === undefined ? 1 : numberOf(last) + 1, options)
  } finally {
    await cursor.close()
  }
}
