/**
 * Host requests by a seeded chance: half writes, reads, one flush in twenty, one block of 4 KiB each, over four volumes;
 * a third of the places sequential, a third among 64 Ki hot blocks, a third anywhere in the volume.
 */

import { Prng } from '../../src/core/prng.ts'
import type { NewEvent } from '../../src/events/columns.ts'

export const block = 4096
/** Blocks of volumes 1 to 4. The last one is the source of a pair, and the clone beside it is as large. */
export const blocksOfVolumes = [2 ** 22, 2 ** 22, 2 ** 22, 2 ** 17]

const hotBlocks = 2 ** 16
const chunkBlocks = 64
const placesPerBlock = block / 512
const placesPerChunk = 2 ** 20

export class Traffic {
  readonly #random: Prng
  readonly #cursors = blocksOfVolumes.map(() => 0)
  #requests = 0
  #written = 0

  constructor(seed: number) {
    this.#random = new Prng(seed)
  }

  /** The next request of session 1, `at` nanoseconds behind the instant of its frame. */
  next(at: number): NewEvent {
    const request = ++this.#requests
    const volume = 1 + this.#random.below(blocksOfVolumes.length)
    const asked = { session: 1, volume, request, at }
    const dice = this.#random.below(100)
    if (dice < 5) return { kind: 'io.flush', op: 'flush', ...asked }
    const range = { offset: this.#block(volume) * block, length: block }
    if (dice < 50) return { kind: 'io.read', op: 'read', ...asked, ...range }
    return { kind: 'io.write', op: 'write', ...asked, ...range, payload: this.#place() }
  }

  #block(volume: number): number {
    const blocks = blocksOfVolumes[volume - 1]!
    switch (this.#random.below(3)) {
      case 0:
        this.#cursors[volume - 1] = (this.#cursors[volume - 1]! + 1) % blocks
        return this.#cursors[volume - 1]!
      case 1:
        return this.#random.below(hotBlocks)
      default:
        return this.#random.below(blocks)
    }
  }

  /** A place as the payload store would give it: one behind the other in chunks of 256 KiB. */
  #place(): number {
    const number = this.#written++
    const chunk = 1 + Math.floor(number / chunkBlocks)
    return chunk * placesPerChunk + (number % chunkBlocks) * placesPerBlock
  }
}
