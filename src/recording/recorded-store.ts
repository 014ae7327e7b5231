/**
 * The payloads of a recording as a payload store: those it holds, by their places. What it does not hold, because
 * only digests were recorded or because it was written before the range, is an error to whoever reads it.
 */

import { BlockboxError } from '../core/errors.ts'
import { type PayloadStore, placeUnit } from '../payload/payload.ts'
import type { RecordedPayload } from './item.ts'

export class RecordedStore implements PayloadStore {
  /** Places in ascending order, and what lies there. */
  readonly #places: number[] = []
  readonly #data: Uint8Array[] = []
  readonly #partial: boolean
  bytes = 0

  /** @param partial true when it is meant that payloads are missing. */
  constructor(partial = false) {
    this.#partial = partial
  }

  /** Takes a payload whose bytes the recording holds. Throws TRACE_FORMAT when its place is behind the one before. */
  add({ seq, place, data }: RecordedPayload): void {
    if (data === undefined) return
    const last = this.#places.length - 1
    const end = last < 0 ? 0 : this.#places[last]! + this.#data[last]!.length / placeUnit
    if (place < end) {
      const message = `the payload of event ${seq} lies in that of an earlier event: the recording is damaged`
      throw new BlockboxError('TRACE_FORMAT', message, { seq })
    }
    this.#places.push(place)
    this.#data.push(data)
    this.bytes += data.length
  }

  put(): number {
    throw new BlockboxError('USAGE', 'a recording takes no payload: import it into a journal')
  }

  read(place: number, length: number): Uint8Array {
    const first = this.#pieceAt(place)
    const piece = this.#data[first]
    if (piece !== undefined) {
      const at = (place - this.#places[first]!) * placeUnit
      if (at + length <= piece.length) return piece.subarray(at, at + length)
    }
    return this.#gathered(place, length)
  }

  lacks(place?: number): boolean {
    if (place === undefined) return this.#partial
    const k = this.#pieceAt(place)
    return this.#partial && (k < 0 || place >= this.#places[k]! + this.#data[k]!.length / placeUnit)
  }

  async sync(): Promise<void> {}

  /** A run of places may go over several payloads. */
  #gathered(place: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    for (let done = 0; done < length; ) {
      const at = place + done / placeUnit
      const k = this.#pieceAt(at)
      const piece = this.#data[k]?.subarray((at - this.#places[k]!) * placeUnit)
      if (piece === undefined || piece.length === 0) throw missing(at)
      const part = piece.subarray(0, length - done)
      bytes.set(part, done)
      done += part.length
    }
    return bytes
  }

  /** The last payload that begins at or before a place; -1 when there is none. */
  #pieceAt(place: number): number {
    let low = 0
    let high = this.#places.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#places[middle]! <= place) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

function missing(place: number): BlockboxError {
  const why = 'only its digest was recorded, or it was written before the range'
  return new BlockboxError(
    'PAYLOAD_CORRUPT',
    `the recording does not hold the payload at place ${place}: ${why}`,
  )
}
