/**
 * Payload in the journal's own LevelDB: simple, and right for memory, small payloads and replicated journals.
 *
 * What is put waits in memory, gathered into chunks; what a frame refers to is marked off when it is sealed (`sync`), and
 * the journal drains that into the frame's batch, so that a frame and its payload become durable together. Chunks read back are checked once and kept in a bounded cache; one
 * that is kept longer than its neighbours leaves the slab it was put together in, so that the slab goes with them.
 */

import { BlockboxError } from '../core/errors.ts'
import type { Attachments } from '../journal/journal.ts'
import { from, key, numberOf, tables } from '../journal/keys.ts'
import type { KvStore } from '../journal/store.ts'
import { chunkHeaderBytes, chunkOf, decodeChunk, offsetOf, placeIn, sealChunk } from './chunk.ts'
import { type PayloadStore, placeUnit } from './payload.ts'

/** Payloads are gathered into chunks of about this size: what one read of a few blocks has to load. */
const chunkBytes = 256 * 1024
/** The longest single payload: it never fills the places of a chunk, so that no run of places crosses two. */
const maxPayloadBytes = (2 ** 20 - 1) * placeUnit
const cacheBytes = 64 * 2 ** 20

/** Chunks are put together one behind the other in a slab: made payload by payload, memory would cost more than all else. */
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
  /** Chunks that are full or drained and not yet durable, as stored. */
  readonly #waiting = new Map<number, Uint8Array>()
  /** Chunks below this number belong to frames that were sealed; the others wait for the next one. */
  #sealed = 0
  #drained: number[] = []
  readonly #cache = new Map<number, Uint8Array>()
  #cached = 0

  constructor(store: KvStore, nextChunk: number) {
    this.#store = store
    this.#gathering = { chunk: nextChunk, start: 0, length: 0 }
  }

  put(bytes: Uint8Array): number {
    const fits = bytes.length > 0 && bytes.length % placeUnit === 0 && bytes.length <= maxPayloadBytes
    if (!fits) throw new BlockboxError('USAGE', `a payload of ${bytes.length} bytes cannot be stored`)
    if (this.#gathering.length > 0 && this.#gathering.length + bytes.length > chunkBytes) this.#close()
    if (this.#gathering.length === 0) this.#makeRoom(Math.max(bytes.length, chunkBytes))
    const { chunk, start, length } = this.#gathering
    this.#slab.set(bytes, start + chunkHeaderBytes + length)
    this.#gathering.length += bytes.length
    return placeIn(chunk, length)
  }

  read(place: number, length: number): Uint8Array {
    const chunk = chunkOf(place)
    const data = chunk === this.#gathering.chunk ? this.#gathered() : this.#data(chunk)
    const at = offsetOf(place)
    if (at + length > data.length) {
      throw new BlockboxError('PAYLOAD_CORRUPT', `payload chunk ${chunk} is shorter than a reference into it`)
    }
    return data.subarray(at, at + length)
  }

  asStored(place: number, length: number): Uint8Array | undefined {
    const chunk = chunkOf(place)
    const at = chunkHeaderBytes + offsetOf(place)
    const bytes = this.#waiting.get(chunk) ?? this.#stored(chunk)
    return bytes === undefined || at + length > bytes.length ? undefined : bytes.subarray(at, at + length)
  }

  /** What was put so far goes with the next frame appended: the journal stores it in the frame's batch. */
  async sync(): Promise<void> {
    this.#close()
    this.#sealed = this.#gathering.chunk
  }

  drain(): readonly (readonly [Uint8Array, Uint8Array])[] {
    const due = [...this.#waiting].filter(([chunk]) => chunk < this.#sealed)
    this.#drained = due.map(([chunk]) => chunk)
    return due.map(([chunk, bytes]) => [key(tables.payload, chunk), bytes])
  }

  stored(): void {
    for (const chunk of this.#drained) {
      const bytes = this.#waiting.get(chunk)!
      this.#waiting.delete(chunk)
      this.#keep(chunk, bytes.subarray(chunkHeaderBytes))
    }
    this.#drained = []
  }

  #close(): void {
    const { chunk, start, length } = this.#gathering
    if (length === 0) return
    const end = start + chunkHeaderBytes + length
    this.#waiting.set(chunk, sealChunk(this.#slab.subarray(start, end)))
    this.#gathering = { chunk: chunk + 1, start: end, length: 0 }
  }

  /** The data of the chunk that is being put together. */
  #gathered(): Uint8Array {
    const from = this.#gathering.start + chunkHeaderBytes
    return this.#slab.subarray(from, from + this.#gathering.length)
  }

  /** Lets the chunk that begins have so many bytes of data in the slab; an old slab lives as long as its chunks. */
  #makeRoom(length: number): void {
    const { chunk, start } = this.#gathering
    if (start + chunkHeaderBytes + length <= this.#slab.length) return
    this.#slab = new Uint8Array(Buffer.allocUnsafeSlow(Math.max(slabBytes, chunkHeaderBytes + length)).buffer)
    this.#gathering = { chunk, start: 0, length: 0 }
  }

  #data(chunk: number): Uint8Array {
    const cached = this.#cache.get(chunk)
    if (cached !== undefined) {
      this.#cache.delete(chunk)
      const shares = cached.buffer.byteLength > 2 * (cached.length + chunkHeaderBytes)
      const own = shares ? cached.slice() : cached
      this.#cache.set(chunk, own)
      return own
    }
    const waiting = this.#waiting.get(chunk)
    if (waiting !== undefined) return waiting.subarray(chunkHeaderBytes)
    const data = decodeChunk(this.#stored(chunk), chunk)
    this.#keep(chunk, data)
    return data
  }

  #stored(chunk: number): Uint8Array | undefined {
    try {
      return this.#store.getSync(key(tables.payload, chunk))
    } catch (cause) {
      throw new BlockboxError('PAYLOAD_CORRUPT', `payload chunk ${chunk} cannot be read`, { cause })
    }
  }

  #keep(chunk: number, data: Uint8Array): void {
    this.#cache.set(chunk, data)
    this.#cached += data.length
    for (const [oldest, bytes] of this.#cache) {
      if (this.#cached <= cacheBytes || oldest === chunk) break
      this.#cache.delete(oldest)
      this.#cached -= bytes.length
    }
  }
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
