/** Content that a recording does not hold because it can be made from numbers (src/core/prng.ts). */

import { syntheticContent } from '../core/prng.ts'
import type { Synthetic } from './item.ts'

/** The bytes that a write without content brought. @param offset, length of the write, bytes */
export function contentOf(made: Synthetic, offset: number, length: number): Uint8Array {
  return syntheticContent({ ...made, offset }, Math.ceil(length / 512) * 512).subarray(0, length)
}
