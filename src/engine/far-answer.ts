/** What a far server answered, while the engine decides about its report: when, and what it returned to a read. */

import { sha256, shortHigh, shortLow } from '../core/digest.ts'
import type { CommandAsk } from './ask.ts'

export interface FarAnswer {
  /** Nanoseconds from the instant of the frame. */
  readonly at: number
  /** Of a read that went well, with its short digest. */
  readonly returned: Returned | undefined
}

export interface Returned {
  readonly data: Uint8Array
  readonly short: { readonly digestHigh: number; readonly digestLow: number }
}

/** The answer that a tap.report brings. */
export function farAnswer({ data }: CommandAsk, at: number): FarAnswer {
  if (data === undefined) return { at, returned: undefined }
  const digest = sha256(data)
  return { at, returned: { data, short: { digestHigh: shortHigh(digest), digestLow: shortLow(digest) } } }
}
