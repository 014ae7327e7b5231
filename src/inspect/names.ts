/**
 * Names: what the numbers in events stand for. Events carry the numbers of volumes, backups and pairs; people know
 * their names. Learnt from a state, and from the events that come after it.
 */

import type { Event } from '../events/columns.ts'
import { count, counts, text } from '../events/detail.ts'
import type { Kind } from '../events/kind.ts'
import { devicesOf } from '../layers/device.ts'
import { fencesOf } from '../layers/fence-state.ts'
import { holdQueueOf } from '../layers/hold-queue.ts'
import type { World } from '../layers/layer.ts'
import { pairsOf } from '../layers/pair-state.ts'

/** A backup, a pair or a fence: its name and the numbers of the volumes it is about. */
export interface Subject {
  readonly name: string
  readonly volumes: readonly number[]
}

export type Tagged = 'backup' | 'pair' | 'device' | 'fence'

/** What the `tag` of a kind numbers. */
export function taggedBy(kind: Kind): Tagged {
  if (kind === 'device.created') return 'device'
  if (/^(?:fence|op|mover)\./.test(kind)) return 'fence'
  return kind.startsWith('backup.') || kind === 'deadline.reached' ? 'backup' : 'pair'
}

export class Names {
  readonly #volumes = new Map<number, string>()
  readonly #subjects: Readonly<Record<Tagged, Map<number, Subject>>> = {
    backup: new Map(),
    pair: new Map(),
    device: new Map(),
    fence: new Map(),
  }

  /** @param world the state before the first event that will be noted. */
  constructor(world: World) {
    for (const { id, name } of world.volumes) this.#volumes.set(id, name)
    for (const { tag, name, volumes } of holdQueueOf(world).backups.values()) {
      this.#subjects.backup.set(tag, { name, volumes })
    }
    for (const [k, name] of devicesOf(world).names.entries()) {
      this.#subjects.device.set(k + 1, { name, volumes: [] })
    }
    for (const { tag, name, source, clone } of pairsOf(world).byTag.values()) {
      this.#subjects.pair.set(tag, { name, volumes: [source, clone] })
    }
    for (const { tag, name, volume } of fencesOf(world).byTag.values()) {
      this.#subjects.fence.set(tag, { name, volumes: [volume] })
    }
  }

  /** Learns what an event gives a name to. */
  note(event: Event): void {
    const { kind, tag, detail } = event
    if (kind === 'volume.created' || kind === 'preserve.created' || kind === 'branch.started')
      this.#volumes.set(event.volume, text(detail, 'name'))
    else if (kind === 'backup.flag_set') {
      this.#subjects.backup.set(tag, { name: text(detail, 'name'), volumes: [...counts(detail, 'volumes')] })
    } else if (kind === 'device.created') {
      this.#subjects.device.set(tag, { name: text(detail, 'name'), volumes: [] })
    } else if (kind === 'pair.created') {
      const volumes = [count(detail, 'source'), count(detail, 'clone')]
      this.#subjects.pair.set(tag, { name: text(detail, 'name'), volumes })
    } else if (kind === 'fence.requested') {
      this.#subjects.fence.set(tag, { name: text(detail, 'name'), volumes: [event.volume] })
    }
  }

  /** Learns the name of a volume from somewhere else. */
  volumeIs(id: number, name: string): void {
    this.#volumes.set(id, name)
  }

  /** The name of a volume; `#N` when it is not known. */
  volume(id: number): string {
    return this.#volumes.get(id) ?? `#${id}`
  }

  has(name: string): boolean {
    return [...this.#volumes.values()].includes(name)
  }

  /** The name of a backup, pair, device or fence; `#N` when it is not known. */
  subject(kind: Kind, tag: number): string {
    return this.#subjects[taggedBy(kind)].get(tag)?.name ?? `#${tag}`
  }

  /** The names of the volumes that a backup, pair or fence is about. */
  volumesOf(kind: Kind, tag: number): string[] {
    const volumes = this.#subjects[taggedBy(kind)].get(tag)?.volumes ?? []
    return volumes.filter((id) => id > 0).map((id) => this.volume(id))
  }

  /** True when an event is about the volume of that name: itself, its pair or a backup that covers it. */
  concerns(event: Event, name: string): boolean {
    const { kind, tag, volume } = event
    if (volume !== 0) return this.volume(volume) === name
    if (tag === 0) return false
    const about = this.#subjects[taggedBy(kind)].get(tag)?.volumes ?? []
    return about.some((id) => this.volume(id) === name)
  }
}
