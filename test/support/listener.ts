/**
 * Listens to a history in two ways: as an index does, and the naive way, which looks at every block of every volume
 * after every event.
 */

import type { Check } from '../../src/check/check.ts'
import { BlockboxError } from '../../src/core/errors.ts'
import type { Event } from '../../src/events/columns.ts'
import { type BlockTouch, relatedVolumes } from '../../src/inspect/block-history.ts'
import { entryOf, Roster } from '../../src/inspect/roster.ts'
import { Touches } from '../../src/inspect/touch.ts'
import type { World } from '../../src/layers/layer.ts'
import { contentRuns } from '../../src/volume/content.ts'

interface Told extends BlockTouch {
  readonly first: number
  readonly count: number
}

export class Listener implements Check {
  readonly rules = []
  readonly roster = new Roster()
  readonly told: Told[] = []
  /** After each event, what readers of each block of each volume get: a place, or undefined where nobody knows. */
  readonly seen: (readonly (number | undefined)[])[][] = [[]]
  /** How many blocks each volume had last. */
  readonly blocks: number[] = []
  readonly #touches = new Touches((seq, volume, first, count, place) => {
    this.told.push({ seq, volume, first, count, place })
  })

  before = (event: Event, world: World): void => this.#touches.before(event, world)

  after: NonNullable<Check['after']> = (event, world) => {
    this.#touches.after(event, world)
    const entry = entryOf(event, world)
    if (entry !== undefined) this.roster.add(entry)
    for (const { id, size, block, gone } of world.volumes)
      if (gone !== true) this.blocks[id - 1] = size / block
    this.seen.push(world.volumes.map(({ id }) => looked(world, id)))
  }

  /** The touches of one block, as an index finds them. */
  of(volume: number, at: number): BlockTouch[] {
    const wanted = relatedVolumes(this.roster, volume)
    return this.told.flatMap(({ seq, volume: id, first, count, place }) => {
      if (!wanted.includes(id) || at < first || at >= first + count) return []
      return [{ seq, volume: id, place: place > 0 ? place + (at - first) * 8 : place }]
    })
  }
}

/** No volume has more blocks. */
export const most = 16

/** Every block of a volume as a reader finds it now, zeros beyond its end; nothing of a volume that is gone. */
function looked(world: World, id: number): (number | undefined)[] {
  const volume = world.volumes[id - 1]!
  if (volume.gone === true) return []
  return Array.from({ length: most }, (_, at) => {
    if (at >= volume.size / volume.block) return 0
    try {
      return contentRuns(world, volume, at, 1)[0]!.place
    } catch (error) {
      if (error instanceof BlockboxError) return undefined
      throw error
    }
  })
}
