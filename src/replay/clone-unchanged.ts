/**
 * The verify pass of a clone that lives outside: what a restore read from it, by the digests on record, against what is
 * there now. A clone that a protected restore was made from must not have changed (S4-I1).
 */

import type { Finding } from '../check/check.ts'
import { sha256, shortHigh, shortLow } from '../core/digest.ts'
import type { ExternalImage } from '../images/external.ts'
import type { Journal } from '../journal/journal.ts'

export interface CloneVerdict {
  /** Extents that were compared, and their bytes. */
  readonly extents: number
  readonly bytes: number
  readonly findings: readonly Finding[]
}

interface Copied {
  readonly seq: number
  readonly length: number
  readonly high: number
  readonly low: number
}

/**
 * Reads every extent that was ever copied from the clone of pair `tag` again. Throws what the journal throws; an image
 * that cannot be read is a finding.
 */
export async function cloneUnchanged(
  journal: Journal,
  tag: number,
  image: ExternalImage,
): Promise<CloneVerdict> {
  const findings: Finding[] = []
  let bytes = 0
  const copied = await copiedFrom(journal, tag)
  for (const [offset, { seq, length, high, low }] of copied) {
    bytes += length
    const fault = await faultOf(image, offset, length, high, low)
    if (fault === undefined) continue
    const detail = `the clone of pair ${tag} at offset ${offset}, copied with event ${seq}: ${fault}`
    findings.push({ seq, rule: 'S4-I1', detail })
  }
  return { extents: copied.size, bytes, findings }
}

async function faultOf(
  image: ExternalImage,
  offset: number,
  length: number,
  high: number,
  low: number,
): Promise<string | undefined> {
  try {
    const digest = sha256(await image.read(offset, length))
    return shortHigh(digest) === high && shortLow(digest) === low ? undefined : 'it is not what it was'
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return error.message
  }
}

/** The last copy of each extent of a pair that brought bytes, by its offset. */
async function copiedFrom(journal: Journal, tag: number): Promise<Map<number, Copied>> {
  const copied = new Map<number, Copied>()
  for await (const frame of journal.read(journal.bounds().first)) {
    const row = frame.open()
    for (row.index = 0; row.index < frame.count; row.index++) {
      const { kind, code, seq, offset, length, digestHigh: high, digestLow: low } = row
      if (kind !== 'copy.report' || row.tag !== tag || code !== 'ok' || high + low === 0) continue
      copied.set(offset, { seq, length, high, low })
    }
  }
  return copied
}
