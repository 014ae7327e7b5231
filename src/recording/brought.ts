/**
 * Which rows of a frame brought a payload, in the order of the digests that the frame holds: inputs, and releases that
 * name blocks of their own, not the reports of branches, which name what is there; and how many bytes each brought, as its digest tells.
 */

import { sameBytes, sha256 } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import type { Row } from '../events/columns.ts'
import type { PayloadStore } from '../payload/payload.ts'

/** Blocks that a volume may have. */
const blockSizes = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536] as const

/** The rows whose digests the frame holds, by index. @param digests how many it holds. Throws JOURNAL_CORRUPT. */
export function rowsWithPayload(row: Row, digests: number): number[] {
  const inputs: number[] = []
  const own: number[] = []
  for (row.index = 0; row.index < row.columns.count; row.index++) {
    if (row.payload === 0 || row.kind === 'branch.report') continue
    if (row.isInput) inputs.push(row.index)
    const releases = row.kind.endsWith('.released')
    if (row.isInput || (releases && row.digestHigh + row.digestLow > 0)) own.push(row.index)
  }
  if (inputs.length === digests) return inputs
  if (own.length === digests) return own
  const message = `the frame of event ${row.first} has ${digests} digests for ${own.length} payloads: run \`blockbox verify\``
  throw new BlockboxError('JOURNAL_CORRUPT', message, { seq: row.first })
}

/**
 * The bytes that a row brought: those of its range, or of the blocks that it touches, whichever has the digest. Throws
 * PAYLOAD_CORRUPT when none has.
 */
export function payloadOf(row: Row, digest: Uint8Array, store: PayloadStore): Uint8Array {
  let failure: BlockboxError | undefined
  for (const length of lengthsOf(row)) {
    try {
      const bytes = store.read(row.payload, length)
      if (sameBytes(sha256(bytes), digest)) return bytes.slice()
    } catch (error) {
      if (!(error instanceof BlockboxError)) throw error
      failure ??= error
    }
  }
  const why = failure === undefined ? 'its digest differs' : failure.message
  const message = `the payload of event ${row.seq} is not what was written: ${why}`
  throw new BlockboxError('PAYLOAD_CORRUPT', message, {
    seq: row.seq,
    ...(failure !== undefined && { cause: failure }),
  })
}

function lengthsOf({ offset, length }: Row): Set<number> {
  const lengths = new Set([length])
  for (const size of blockSizes) {
    lengths.add(Math.ceil((offset + length) / size) * size - Math.floor(offset / size) * size)
    lengths.add(size).add(2 * size)
  }
  return lengths
}
