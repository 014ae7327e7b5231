/**
 * Roster: who takes part in a history, by number and name, and since when. Unlike a state it keeps those that are gone,
 * and it is plain values: an index keeps it beside what it found.
 */

import type { Event } from '../events/columns.ts'
import { count, text } from '../events/detail.ts'
import { fencesOf } from '../layers/fence-state.ts'
import type { World } from '../layers/layer.ts'
import { pairsOf } from '../layers/pair-state.ts'
import { preservesOf } from '../layers/preserve-state.ts'
import { restoresOf } from '../layers/restore-state.ts'
import type { Witness } from './witness.ts'

export type Entry =
  | {
      readonly is: 'volume'
      readonly seq: number
      readonly id: number
      readonly name: string
      readonly size: number
      readonly block: number
      /** The volume it is a view of; 0: it is none. */
      readonly base: number
    }
  | { readonly is: 'session'; readonly seq: number; readonly id: number; readonly name: string }
  | {
      readonly is: 'pair'
      readonly seq: number
      readonly id: number
      readonly name: string
      readonly source: number
      /** 0 when it lives outside. */
      readonly clone: number
      readonly extent: number
    }
  | {
      readonly is: 'fence'
      readonly seq: number
      readonly id: number
      readonly name: string
      readonly volume: number
    }
  /** A restore of pair `id` began. */
  | { readonly is: 'restore'; readonly seq: number; readonly id: number }

/** The numbers that an entry has. */
const numbers: Readonly<Record<Entry['is'], readonly string[]>> = {
  volume: ['seq', 'id', 'size', 'block', 'base'],
  session: ['seq', 'id'],
  pair: ['seq', 'id', 'source', 'clone', 'extent'],
  fence: ['seq', 'id', 'volume'],
  restore: ['seq', 'id'],
}

/** True for what is an entry, of whatever comes from a file. */
export function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false
  const fields = value as Readonly<Record<string, unknown>>
  const { is, name } = fields
  if (typeof is !== 'string' || !Object.hasOwn(numbers, is)) return false
  const isCount = (field: string) => Number.isSafeInteger(fields[field]) && (fields[field] as number) >= 0
  return numbers[is as Entry['is']].every(isCount) && (is === 'restore' || typeof name === 'string')
}

type Of<Is extends Entry['is']> = Extract<Entry, { is: Is }>
export type VolumeEntry = Of<'volume'>
export type PairEntry = Of<'pair'>

export class Roster {
  readonly entries: Entry[] = []
  readonly #volumes = new Map<number, VolumeEntry>()
  readonly #sessions = new Map<number, string>()
  readonly #pairs = new Map<number, PairEntry>()
  readonly #fences = new Map<number, string>()

  add(entry: Entry): void {
    this.entries.push(entry)
    if (entry.is === 'volume') this.#volumes.set(entry.id, entry)
    else if (entry.is === 'session') this.#sessions.set(entry.id, entry.name)
    else if (entry.is === 'pair') this.#pairs.set(entry.id, entry)
    else if (entry.is === 'fence') this.#fences.set(entry.id, entry.name)
  }

  volume(id: number): VolumeEntry | undefined {
    return this.#volumes.get(id)
  }

  /** The event that created a volume, or in front of which it was there. */
  createdWith(id: number): number {
    return this.entries.find((entry) => entry.is === 'volume' && entry.id === id)?.seq ?? 0
  }

  /** The volume of that name, the last one where several bore it one after the other. */
  volumeNamed(name: string): VolumeEntry | undefined {
    return [...this.#volumes.values()].findLast((volume) => volume.name === name)
  }

  pair(tag: number): PairEntry | undefined {
    return this.#pairs.get(tag)
  }

  /** The pair of that name, the last one where several bore it one after the other. */
  pairNamed(name: string): PairEntry | undefined {
    return [...this.#pairs.values()].findLast((pair) => pair.name === name)
  }

  /** The pairs whose source is this volume. */
  pairsFrom(source: number): PairEntry[] {
    return [...this.#pairs.values()].filter((pair) => pair.source === source)
  }

  /** The tags of restores in the order in which they began, with the event that began each. */
  restores(): { readonly seq: number; readonly tag: number }[] {
    return this.entries.flatMap((entry) =>
      entry.is === 'restore' ? [{ seq: entry.seq, tag: entry.id }] : [],
    )
  }

  volumeName(id: number): string {
    return this.#volumes.get(id)?.name ?? `#${id}`
  }

  pairName(tag: number): string {
    return this.#pairs.get(tag)?.name ?? `#${tag}`
  }

  fenceName(tag: number): string {
    return this.#fences.get(tag) ?? `#${tag}`
  }

  /** Undefined for session 0, which is the engine itself. */
  sessionName(id: number): string | undefined {
    return id === 0 ? undefined : (this.#sessions.get(id) ?? `#${id}`)
  }

  sessionsNamed(name: string): number[] {
    return [...this.#sessions].flatMap(([id, one]) => (one === name ? [id] : []))
  }

  hasSession(id: number): boolean {
    return this.#sessions.has(id)
  }
}

/** What an event adds to the roster; asked with the state after it. */
export function entryOf(event: Event, world: World): Entry | undefined {
  const { seq, detail } = event
  switch (event.kind) {
    case 'volume.created':
    case 'branch.started':
    case 'preserve.created':
    case 'volume.resized': {
      const { id, name, size, block } = world.volumes[event.volume - 1]!
      return { is: 'volume', seq, id, name, size, block, base: preservesOf(world).byView.get(id)?.base ?? 0 }
    }
    case 'session.opened':
      return { is: 'session', seq, id: event.session, name: text(detail, 'name') }
    case 'pair.created': {
      const [source, clone, extent] = ['source', 'clone', 'extent'].map((name) => count(detail, name))
      return {
        is: 'pair',
        seq,
        id: event.tag,
        name: text(detail, 'name'),
        source: source!,
        clone: clone!,
        extent: extent!,
      }
    }
    case 'fence.requested':
      return { is: 'fence', seq, id: event.tag, name: text(detail, 'name'), volume: event.volume }
    case 'restore.started':
      return { is: 'restore', seq, id: event.tag }
    default:
      return undefined
  }
}

/** Who is there in a state: what the roster of a history begins with. */
export function rosterOf(world: World): Entry[] {
  const { seq } = world
  const views = preservesOf(world).byView
  return [
    ...world.volumes.map(({ id, name, size, block }): Entry => {
      return { is: 'volume', seq, id, name, size, block, base: views.get(id)?.base ?? 0 }
    }),
    ...[...world.sessions].map(([id, name]): Entry => ({ is: 'session', seq, id, name })),
    ...[...pairsOf(world).byTag.values()].map(({ tag, name, source, clone, extent }): Entry => {
      return { is: 'pair', seq, id: tag, name, source, clone, extent }
    }),
    ...[...fencesOf(world).byTag.values()].map(({ tag, name, volume }): Entry => {
      return { is: 'fence', seq, id: tag, name, volume }
    }),
    ...[...restoresOf(world).byTag.keys()].map((id): Entry => ({ is: 'restore', seq, id })),
  ]
}

/** Keeps the roster of a history while it is told. */
export class RosterKeeper implements Witness {
  readonly roster = new Roster()
  #begun = false

  before(_: Event, world: World): void {
    if (this.#begun) return
    this.#begun = true
    for (const entry of rosterOf(world)) this.roster.add(entry)
  }

  after(event: Event, world: World): void {
    const entry = event.op === 'none' ? entryOf(event, world) : undefined
    if (entry !== undefined) this.roster.add(entry)
  }
}
