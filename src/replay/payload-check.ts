/**
 * Payloads against the digests that their frames hold. Where a chunk is damaged, the write whose payload changed is
 * named, not its neighbours in the chunk; damage that changed no payload is put down to the chunk's first write.
 */

import type { Finding } from '../check/check.ts'
import { sameBytes, sha256, shortHigh, shortLow } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import type { Row } from '../events/columns.ts'
import type { Frame } from '../journal/frame.ts'
import { chunkOf } from '../payload/chunk.ts'
import type { PayloadStore } from '../payload/payload.ts'

export class PayloadCheck {
  /** Payloads looked at, and their bytes. */
  count = 0
  bytes = 0
  readonly #store: PayloadStore
  /** Damaged chunks none of whose payloads was found changed so far, with what was said of the first write. */
  readonly #suspects = new Map<number, Finding>()
  readonly #named = new Set<number>()

  constructor(store: PayloadStore) {
    this.#store = store
  }

  /** What is wrong with the payloads of a frame, whose cursor this moves. */
  *faults(frame: Frame, row: Row): Generator<Finding> {
    let digests = 0
    for (row.index = 0; row.index < frame.count; row.index++) {
      if (!row.isInput || row.payload === 0) continue
      const digest = digests < frame.payloads ? frame.digest(digests) : undefined
      digests++
      if (this.#store.lacks?.(row.payload) === true) continue
      this.count++
      this.bytes += row.length
      const fault = this.#fault(row, digest)
      if (fault !== undefined) yield fault
    }
    if (digests !== frame.payloads) {
      const detail = `the frame has ${frame.payloads} digests for ${digests} payloads`
      yield { seq: frame.first, rule: 'JOURNAL_CORRUPT', detail }
    }
  }

  /** Damage that changed no payload that is known. */
  rest(): Finding[] {
    return [...this.#suspects.values()]
  }

  #fault(row: Row, digest: Uint8Array | undefined): Finding | undefined {
    const { seq, payload, length } = row
    if (
      digest !== undefined &&
      (shortHigh(digest) !== row.digestHigh || shortLow(digest) !== row.digestLow)
    ) {
      return { seq, rule: 'JOURNAL_CORRUPT', detail: `event ${seq} and its frame disagree about the digest` }
    }
    const isRight = (bytes: Uint8Array | undefined) =>
      bytes !== undefined && digest !== undefined && sameBytes(sha256(bytes), digest)
    const changed = `the payload of event ${seq} is not what was written`
    try {
      if (isRight(this.#store.read(payload, length))) return undefined
      return { seq, rule: 'PAYLOAD_CORRUPT', detail: `${changed}: its digest differs` }
    } catch (error) {
      if (!(error instanceof BlockboxError)) throw error
      const chunk = chunkOf(payload)
      const finding = { seq, rule: 'PAYLOAD_CORRUPT', detail: `${changed}: ${error.message}` }
      if (isRight(this.#asStored(payload, length))) {
        const detail = `${error.message}, though not in the payload of event ${seq}`
        if (!this.#named.has(chunk) && !this.#suspects.has(chunk))
          this.#suspects.set(chunk, { ...finding, detail })
        return undefined
      }
      this.#suspects.delete(chunk)
      this.#named.add(chunk)
      return finding
    }
  }

  #asStored(place: number, length: number): Uint8Array | undefined {
    try {
      return this.#store.asStored?.(place, length)
    } catch {
      return undefined
    }
  }
}
