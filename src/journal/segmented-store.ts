/**
 * A key-value store that keeps payload beside itself: where a batch has much of it, the pieces go to a segment, and the
 * store holds where each is. Whoever asks for a piece gets the piece; listing a table shows what the store holds.
 *
 *     batch ─▶ pieces to the segment, synced ─▶ frame and references to the store, synced
 *
 * In this order: a frame that is there has its payload. Little payload stays in the store, for one sync costs less than two.
 */

import { crc32 } from 'node:zlib'
import { tables } from './keys.ts'
import type { SegmentFolder } from './segment-folder.ts'
import { Segments, type Stretch } from './segments.ts'
import type { Batch, KvStore } from './store.ts'

/** Payload of a batch from which on it goes to a segment. */
export const segmentedBytes = 32 * 2 ** 10

const referenceBytes = 24
const magic = 0x31534242

/**
 * @param folder where the segments are.
 * @param from bytes of payload in a batch from which on it goes to a segment.
 */
export function segmentedStore(store: KvStore, folder: SegmentFolder, from = segmentedBytes): KvStore {
  const segments = new Segments(folder)
  const resolved = (key: Uint8Array, value: Uint8Array | undefined) => {
    const stretch = value !== undefined && key[0] === tables.payload ? decodeReference(value) : undefined
    return stretch === undefined ? value : segments.read(stretch)
  }
  return {
    open: () => store.open(),
    close: () => {
      segments.close()
      return store.close()
    },
    get: async (key) => resolved(key, await store.get(key)),
    getSync: (key) => resolved(key, store.getSync(key)),
    put: (key, value, options) => store.put(key, value, options),
    batch: () => new SegmentedBatch(store.batch(), segments, from),
    keys: (bounds) => store.keys(bounds),
    values: (bounds) => store.values(bounds),
    iterator: (bounds) => store.iterator(bounds),
  }
}

/** Changes stay in their order, so that the frame remains behind what it refers to. */
class SegmentedBatch implements Batch {
  readonly #batch: Batch
  readonly #segments: Segments
  readonly #changes: (readonly [key: Uint8Array, value: Uint8Array | undefined])[] = []
  readonly #pieces: Uint8Array[] = []
  readonly #from: number
  #bytes = 0

  constructor(batch: Batch, segments: Segments, from: number) {
    this.#batch = batch
    this.#segments = segments
    this.#from = from
  }

  put(key: Uint8Array, value: Uint8Array): Batch {
    if (key[0] === tables.payload) {
      this.#pieces.push(value)
      this.#bytes += value.length
    }
    this.#changes.push([key, value])
    return this
  }

  del(key: Uint8Array): Batch {
    this.#changes.push([key, undefined])
    return this
  }

  async write({ sync }: { readonly sync: boolean }): Promise<void> {
    let values: readonly Uint8Array[] = this.#pieces
    if (this.#bytes > 0 && this.#bytes >= this.#from) {
      values = (await this.#segments.append(this.#pieces, sync)).map(encodeReference)
    }
    let piece = 0
    for (const [key, value] of this.#changes) {
      if (value === undefined) this.#batch.del(key)
      else this.#batch.put(key, key[0] === tables.payload ? values[piece++]! : value)
    }
    await this.#batch.write({ sync })
  }
}

function encodeReference({ segment, offset, length }: Stretch): Uint8Array {
  const bytes = new Uint8Array(referenceBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, magic, true)
  view.setUint32(4, segment, true)
  view.setBigUint64(8, BigInt(offset), true)
  view.setUint32(16, length, true)
  view.setUint32(20, crc32(bytes.subarray(0, 20)), true)
  return bytes
}

/** Where a stored value says its piece is. Undefined for a piece itself, and for damage, which shows as a piece that is none. */
export function decodeReference(bytes: Uint8Array): Stretch | undefined {
  if (bytes.length !== referenceBytes) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const sound = view.getUint32(0, true) === magic && view.getUint32(20, true) === crc32(bytes.subarray(0, 20))
  if (!sound) return undefined
  return {
    segment: view.getUint32(4, true),
    offset: Number(view.getBigUint64(8, true)),
    length: view.getUint32(16, true),
  }
}
