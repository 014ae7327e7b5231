/** The base: where the frames that are left begin, after events in front were given up (FORMAT.md). */

import { Packr, Unpackr } from 'msgpackr'
import { digestBytes, noDigest } from '../core/digest.ts'
import { damage } from './frame.ts'

const packr = new Packr({ useRecords: false })

export interface Base {
  /** The first sequence number that is left. */
  readonly first: number
  /** Hash of the frame before it; zeros for a whole journal. */
  readonly previous: Uint8Array
  readonly epoch: number
}

export function encodeBase(base: Base): Uint8Array {
  return packr.pack([base.first, base.previous, base.epoch])
}

/** The stored base; that of a whole journal when there is none. Throws JOURNAL_CORRUPT when it makes no sense. */
export function decodeBase(packed: Uint8Array | undefined): Base {
  if (packed === undefined) return { first: 1, previous: noDigest, epoch: 0 }
  try {
    const list = new Unpackr({ useRecords: false }).unpack(packed) as [number, Uint8Array, number]
    const [first, previous, epoch] = list
    if (!Number.isSafeInteger(first) || first < 1 || previous.length !== digestBytes)
      throw new Error('no base')
    return { first, previous: new Uint8Array(previous), epoch }
  } catch (cause) {
    throw damage('JOURNAL_CORRUPT', 1, 'the record of where the journal begins is damaged', cause)
  }
}
