/**
 * Payloads against the digests that their frames hold. Where a chunk is damaged, the write whose payload changed is
 * named, not its neighbours in the chunk; damage that changed no payload is put down to the chunk's first write.
 */

import type { Finding } from '../check/check.ts'
import { sameBytes, sha256, shortHigh, shortLow } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import type { Row } from '../events/columns.ts'
import { count } from '../events/detail.ts'
import { changes } from '../events/kind.ts'
import type { Frame } from '../journal/frame.ts'
import { isMerged, mergedBytes } from '../layers/sub-block.ts'
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
  /** By volume, bytes of its block. */
  readonly #blocks = new Map<number, number>()

  constructor(store: PayloadStore) {
    this.#store = store
  }

  /** What is wrong with the payloads of a frame, whose cursor this moves. */
  *faults(frame: Frame, row: Row): Generator<Finding> {
    let digests = 0
    for (row.index = 0; row.index < frame.count; row.index++) {
      if (!row.isInput) this.#note(row)
      if (row.payload === 0 || !isOwn(row)) continue
      const digest = digests < frame.payloads ? frame.digest(digests) : undefined
      digests++
      if (this.#store.lacks?.(row.payload) === true) continue
      const length = this.#stored(row, digest)
      this.count++
      this.bytes += length
      const fault = this.#fault(row, length, digest)
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

  #fault(row: Row, length: number, digest: Uint8Array | undefined): Finding | undefined {
    const { seq, payload } = row
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

  /** Volumes that come have a block, views that of their base. */
  #note({ kind, volume, detail }: Row): void {
    if (kind === 'volume.created' || kind === 'branch.started')
      this.#blocks.set(volume, count(detail, 'block'))
    else if (kind === 'preserve.created') {
      const block = this.#blocks.get(count(detail, 'base'))
      if (block !== undefined) this.#blocks.set(volume, block)
    }
  }

  /** Bytes of the payload that was stored for a row. */
  #stored(row: Row, digest: Uint8Array | undefined): number {
    const { length, op, fate, volume } = row
    if (fate !== 'passed' || !changes(op)) return length
    const block = this.#blocks.get(volume)
    if (block !== undefined) return bytesIn(row, block)
    const right = blockSizes.filter((size) => this.#isRight(row.payload, bytesIn(row, size), digest))
    if (right.length === 1) this.#blocks.set(volume, right[0]!)
    return bytesIn(row, right[0] ?? 512)
  }

  /** True when so many bytes at a place have the digest: of a volume older than the record that tells its block. */
  #isRight(place: number, length: number, digest: Uint8Array | undefined): boolean {
    if (digest === undefined) return false
    try {
      return sameBytes(sha256(this.#store.read(place, length)), digest)
    } catch (error) {
      if (error instanceof BlockboxError) return false
      throw error
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

/** Blocks that a volume may have. */
const blockSizes = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536] as const

/**
 * True for a row that brought its payload; a release has its request's, unless blocks were merged for it, and the report
 * of a branch names what another event brought.
 */
function isOwn({ isInput, kind, digestHigh, digestLow }: Row): boolean {
  if (kind === 'branch.report') return false
  return isInput || (kind.endsWith('.released') && digestHigh + digestLow > 0)
}

function bytesIn(row: Row, block: number): number {
  return isMerged(row, block) ? mergedBytes(row, block) : row.length
}
