/** Contents: what a state holds, for people and other programs. Sizes are bytes; the keys are those of printed JSON. */

import { holdQueueOf } from '../layers/hold-queue.ts'
import { waiting } from '../layers/in-flight.ts'
import { type Volume, volumeOf, type World } from '../layers/layer.ts'
import { pairsOf } from '../layers/pair-state.ts'
import { deltaMapOf, neededCount, restoresOf } from '../layers/restore-state.ts'

export interface VolumeContents {
  readonly name: string
  readonly size: number
  readonly block: number
  /** Written and not zeroed since. */
  readonly mapped_bytes: number
}

export interface Contents {
  readonly volumes: readonly VolumeContents[]
  readonly sessions: number
  /** Host requests that are held or queued. */
  readonly waiting: number
  readonly pairs: readonly {
    readonly name: string
    readonly source: string
    readonly clone: string
    readonly extent: number
    readonly phase: string
    /** Extents in which the two may differ. */
    readonly differing_extents: number
  }[]
  /** Those that are running; `backups_begun` counts all there ever were. */
  readonly backups: readonly {
    readonly name: string
    readonly phase: string
    readonly volumes: readonly string[]
    readonly held_writes: number
  }[]
  readonly backups_begun: number
  readonly restores: readonly {
    readonly pair: string
    readonly protected: boolean
    readonly remaining_extents: number
    /** False when it gave up copying in the background. */
    readonly background: boolean
  }[]
}

const isThere = ({ size }: Volume) => size > 0

export function contentsOf(world: World): Contents {
  const volume = (id: number) => volumeOf(world, id)?.name ?? `#${id}`
  const { begun, backups, flagged } = holdQueueOf(world)
  const { byTag } = pairsOf(world)
  return {
    volumes: world.volumes.filter(isThere).map(({ name, size, block, map }) => ({
      name,
      size,
      block,
      mapped_bytes: map.mapped * block,
    })),
    sessions: world.sessions.size,
    waiting: waiting(world),
    pairs: [...byTag.values()].map(({ name, source, clone, external, extent, phase, cdm }) => ({
      name,
      source: volume(source),
      clone: external?.path ?? volume(clone),
      extent,
      phase,
      differing_extents: cdm.count,
    })),
    backups: [...backups.values()].map(({ name, phase, volumes }) => ({
      name,
      phase,
      volumes: volumes.map(volume),
      held_writes: volumes.reduce((sum, id) => sum + (flagged.get(id)?.writes.length ?? 0), 0),
    })),
    backups_begun: begun,
    restores: [...restoresOf(world).byTag.values()].map((restore) => ({
      pair: byTag.get(restore.tag)?.name ?? `#${restore.tag}`,
      protected: restore.protected,
      remaining_extents: neededCount(restore, deltaMapOf(world, restore.tag)),
      background: restore.background,
    })),
  }
}
