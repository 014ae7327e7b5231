/**
 * Chunks put together again from the payloads that lay in them, each at its old place; what lay between them and was
 * never referred to becomes zeros.
 */

import { chunkOf, encodeChunk, offsetOf } from './chunk.ts'
import { placeUnit } from './payload.ts'

export interface RebuiltChunk {
  readonly number: number
  /** As stored. */
  readonly bytes: Uint8Array
}

export class ChunkRebuild {
  #number = 0
  #parts: Uint8Array[] = []
  #length = 0

  /** Takes the payload at `place`; gives the chunk before it when that is complete. Places come in order. */
  take(place: number, data: Uint8Array): RebuiltChunk | undefined {
    const done = chunkOf(place) === this.#number ? undefined : this.end()
    this.#number = chunkOf(place)
    const gap = offsetOf(place) - this.#length
    if (gap > 0) this.#add(new Uint8Array(gap))
    if (gap >= 0) this.#add(data)
    const rest = this.#length % placeUnit
    if (rest > 0) this.#add(new Uint8Array(placeUnit - rest))
    return done
  }

  /** The last chunk; undefined when there is none. */
  end(): RebuiltChunk | undefined {
    if (this.#length === 0) return undefined
    const data = new Uint8Array(this.#length)
    let at = 0
    for (const part of this.#parts) {
      data.set(part, at)
      at += part.length
    }
    const rebuilt = { number: this.#number, bytes: encodeChunk(data, this.#number) }
    this.#parts = []
    this.#length = 0
    return rebuilt
  }

  #add(part: Uint8Array): void {
    this.#parts.push(part)
    this.#length += part.length
  }
}
