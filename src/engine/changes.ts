/**
 * What a frame that is not durable yet changed of the content of volumes: who reads some of it waits for that frame,
 * who reads elsewhere does not.
 *
 *     a host's write or release, volume idle       ──▶ its blocks in that volume
 *     the same where a layer is at work            ──▶ those blocks in every volume: views and clones share offsets
 *     a copy that ended                            ──▶ its extent in every volume; its start changes nothing
 *     anything else that is recorded               ──▶ everything
 */

import type { Range } from '../core/range.ts'
import { type Event, takesEffect } from '../events/columns.ts'
import type { World } from '../layers/layer.ts'
import { volumeOf } from '../layers/layer.ts'
import { touchedBlocks } from '../layers/sub-block.ts'
import { isIdle } from '../volume.ts'

/** Stands for every volume; numbers of volumes begin at 1. */
const any = 0

export class Changes {
  #everything = false
  /** Volume, first byte and end of each. */
  readonly #ranges: number[] = []

  /** Notes what an event changes of a state that does not have it yet. */
  note(event: Event, world: World): void {
    switch (event.kind) {
      case 'io.write':
      case 'io.zeroes':
      case 'io.discard':
      case 'hold.released':
      case 'cod.released':
      case 'tap.released':
        if (takesEffect(event)) this.#add(event, world)
        return
      case 'copy.report':
        if (event.code === 'ok') this.#ranges.push(any, event.offset, event.offset + event.length)
        return
      case 'copy.started':
      case 'tap.report':
        return
      default:
        this.#everything = true
    }
  }

  /** True when reading a range of a volume may return something that was changed. */
  touches(volume: number, { offset, length }: Range): boolean {
    if (this.#everything) return true
    const ranges = this.#ranges
    const end = offset + length
    for (let k = 0; k < ranges.length; k += 3) {
      const of = ranges[k]!
      if ((of === volume || of === any) && ranges[k + 1]! < end && offset < ranges[k + 2]!) return true
    }
    return false
  }

  clear(): void {
    this.#everything = false
    this.#ranges.length = 0
  }

  #add(event: Event, world: World): void {
    const { volume } = event
    const { offset, length } = touchedBlocks(event, volumeOf(world, volume)!.block)
    this.#ranges.push(isIdle(world, volume) ? volume : any, offset, offset + length)
  }
}
