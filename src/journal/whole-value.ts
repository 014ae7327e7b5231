/** What a value of the journal's database shows by itself. */

import { decodeBase } from './base.ts'
import { decodeFrame } from './frame.ts'
import { numberOf, tables } from './keys.ts'

const numberedBytes = 9

/**
 * True when a value is, beyond doubt, what was written to the key: frames and the base carry their hash, and a frame
 * says where it belongs. Payload and checkpoints do not.
 */
export function isWholeValue(key: Uint8Array, value: Uint8Array): boolean {
  if (key.length !== numberedBytes) return false
  try {
    if (key[0] === tables.frame) return decodeFrame(value, numberOf(key)).first === numberOf(key)
    return key[0] === tables.base && numberOf(key) === 0 && decodeBase(value).first > 1
  } catch {
    return false
  }
}
