/**
 * How the recorder of a run is set up and what its volumes are like, by seed. The dice have a stream of their own: what
 * a mode adds changes nothing about what the steps of a run throw.
 *
 *     ack          durable    who writes is answered when it is durable
 *                  buffered   when it is accepted: power loss may take it, no older write without the younger ones
 *     readDigests  always, or where a layer is at work
 *     block        bytes of a block of all volumes
 *     large        one volume more, and on it payloads that take several pieces
 *     slab         what a store that copies (as LevelDB does) lets the payload's memory be used again for
 *     cache        what was read is kept, or read from the disk again
 */

import type { DeciderOptions } from '../engine/decider.ts'
import { Dice } from './dice.ts'

export interface RunMode {
  readonly ack: NonNullable<DeciderOptions['ack']>
  readonly readDigests: NonNullable<DeciderOptions['readDigests']>
  readonly block: number
  /** Bytes of the large volume; 0: there is none. */
  readonly large: number
  /** Bytes of a slab of payload that is used again once it is stored; 0: none is. */
  readonly slab: number
  /** Bytes of payload kept that were read. */
  readonly cache: number
}

/** What a recorder does that nobody told anything. */
export const plainMode: RunMode = {
  ack: 'durable',
  readDigests: 'active',
  block: 512,
  large: 0,
  slab: 0,
  cache: 64 * 2 ** 20,
}

/** The mode of a seed, but for what is given. */
export function modeOf(seed: number, given: Partial<RunMode> = {}): RunMode {
  const dice = new Dice(seed, -5)
  return {
    ack: dice.of('durable', 'durable', 'durable', 'buffered'),
    readDigests: dice.of('active', 'active', 'always'),
    block: dice.of(512, 512, 512, 512, 1024, 4096),
    large: dice.of(0, 0, 2 ** 18),
    slab: dice.of(0, 72 * 2 ** 10, 288 * 2 ** 10),
    cache: dice.of(plainMode.cache, 2 ** 14, 0),
    ...given,
  }
}
