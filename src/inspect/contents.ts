/** Contents: what a state holds, for people and other programs. Sizes are bytes; the keys are those of printed JSON. */

import { devicesOf, volumesOn } from '../layers/device.ts'
import { fencesOf } from '../layers/fence-state.ts'
import { holdQueueOf } from '../layers/hold-queue.ts'
import { waiting } from '../layers/in-flight.ts'
import { type Volume, volumeOf, type World } from '../layers/layer.ts'
import { pairsOf } from '../layers/pair-state.ts'
import { preservesOf } from '../layers/preserve-state.ts'
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
    /** True when only what hosts need is copied. */
    readonly paused: boolean
  }[]
  readonly devices: readonly { readonly name: string; readonly volumes: readonly string[] }[]
  readonly views: readonly {
    readonly name: string
    readonly base: string
    readonly phase: string
    /** What was written to the view and lies in its own image. */
    readonly kept_bytes: number
    readonly sessions: number
  }[]
  readonly fences: readonly FenceContents[]
}

export interface FenceContents {
  readonly name: string
  readonly volume: string
  readonly owner: string
  readonly phase: string
  readonly full: boolean
  readonly advisory: boolean
  readonly meta_bytes: number
  /** Data that the metadata leads to. */
  readonly covered_bytes: number
  /** True once what lies behind it changed. */
  readonly dirty: boolean
  /** What an image brought so far; null when none was asked for. */
  readonly image: { readonly name: string; readonly moved_bytes: number } | null
}

const isThere = ({ gone }: Volume) => !gone

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
      paused: restore.paused,
    })),
    devices: devicesOf(world).names.map((name, k) => ({
      name,
      volumes: volumesOn(world, [k + 1])
        .filter((id) => volumeOf(world, id) !== undefined)
        .map(volume),
    })),
    views: [...preservesOf(world).byView.values()].map(({ view, base, phase, table }) => ({
      name: volume(view),
      base: volume(base),
      phase,
      kept_bytes: table.count * (volumeOf(world, view)?.block ?? 0),
      sessions: [...preservesOf(world).rebound.values()].filter((to) => to.get(base) === view).length,
    })),
    fences: [...fencesOf(world).byTag.values()].map((fence) => ({
      name: fence.name,
      volume: volume(fence.volume),
      owner: fence.ownerName,
      phase: fence.phase,
      full: fence.full,
      advisory: fence.advisory,
      meta_bytes: fence.meta.bytes,
      covered_bytes: fence.data.bytes,
      dirty: fence.dirty,
      image: fence.mover === undefined ? null : { name: fence.mover.image, moved_bytes: fence.mover.moved },
    })),
  }
}
