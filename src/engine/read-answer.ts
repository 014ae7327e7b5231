/** What a read answers in a state. Damaged payload is an error to this reader alone. */

import { BlockboxError } from '../core/errors.ts'
import type { Range } from '../core/range.ts'
import { lentContent, readContent } from '../images/content.ts'
import { volumeOf, type World } from '../layers/layer.ts'
import type { PayloadStore } from '../payload/payload.ts'
import type { Decided } from './replies.ts'

export interface Reading extends Range {
  readonly volume: number
}

/** @param lend the bytes may be the payload store's own memory: the answer is told in this turn */
export function readAnswer(world: World, payload: PayloadStore, of: Reading, lend: boolean): Decided {
  const { volume, offset, length } = of
  const read = lend ? lentContent : readContent
  try {
    return { code: 'ok', data: read(world, volumeOf(world, volume)!, payload, offset, length) }
  } catch (error) {
    if (error instanceof BlockboxError) return { code: 'E_IO', error }
    throw error
  }
}
