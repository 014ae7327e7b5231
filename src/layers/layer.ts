/**
 * A layer: one of the systems that every host request of a volume passes, from the top down, as a device is a
 * stack of filters. And the world the layers live in.
 *
 *     host request ──▶ admit ──▶ passed │ held │ queued │ refused      (asked of active layers only)
 *     command      ──▶ decide ──▶ outcomes                             (the layer that claims its kind)
 *     any event    ──▶ evolve ──▶ the layer's own state                (kinds it hears; takes effect: active)
 *     the state    ──▶ due ──▶ the next outcome that follows from it   (asked until nobody has one)
 *
 * All of it is pure but for one thing: `evolve` changes its draft in place, and only the layer's own state and
 * the block maps of volumes. Consequences (a release, a copy, the end of a restore) are never scheduled by hand:
 * they are due, as a function of the state, and so a recovered state goes on by itself.
 */

import type { BlockMap } from '../core/block-map.ts'
import type { Lanes } from '../core/lanes.ts'
import type { Code } from '../events/code.ts'
import type { Event, NewEvent } from '../events/columns.ts'
import type { Detail } from '../events/detail.ts'
import type { Fate, Kind } from '../events/kind.ts'
import type { Request } from './request.ts'

/** What a host uses: a logical unit with a size, a block (both bytes) and a map of where its content is. */
export interface Volume {
  readonly id: number
  readonly name: string
  readonly size: number
  readonly block: number
  readonly map: BlockMap
  /** True once the volume is no more; its number is not given again. */
  readonly gone: boolean
  /** True while a branch lacks a part of its map: nobody may use it. */
  readonly unfinished: boolean
  /** Its part of the state's hash, without that of the map. */
  readonly hashLow: number
  readonly hashHigh: number
}

export interface World {
  /** Sequence number of the last event folded. */
  seq: number
  /** Volume `id` is at `id - 1`; one that is gone leaves its place behind. */
  readonly volumes: Volume[]
  /** Open sessions by number, with their names. */
  readonly sessions: Map<number, string>
  sessionsOpened: number
  epoch: number
  /** False from engine.started to engine.recovered: no host request may be dispatched (G-I7). */
  recovered: boolean
  /** Each layer's own state by the layer's name. */
  readonly own: Record<string, unknown>
  /** For each volume, the places in the stack of the layers that are active on it, top down. */
  readonly active: number[][]
}

export interface Verdict {
  readonly fate: Fate
  readonly code: Code
  readonly outcomes: readonly NewEvent[]
}

/** The only verdict of the hot path. */
export const pass: Verdict = Object.freeze({ fate: 'passed', code: 'ok', outcomes: Object.freeze([]) })

export function refuse(code: Code): Verdict {
  return { fate: 'refused', code, outcomes: [] }
}

/** A control command or a report, as asked. */
export interface Command {
  readonly kind: Kind
  readonly session: number
  readonly tag: number
  readonly volume: number
  readonly offset: number
  readonly length: number
  /** Where the bytes that came with it are; 0: none. */
  readonly payload: number
  readonly code: Code
  readonly about: number
  /** True when it brought bytes, whose payload and digest are in its event. */
  readonly brought: boolean
  readonly detail: Detail
  /** When it was asked, microseconds since the Unix epoch. */
  readonly atUs: number
}

/** What a command got: outcomes, or the code of its refusal. */
export type Decision = readonly NewEvent[] | Code

/** What follows from a state: an outcome, or a waiting request to be judged by the layers below. */
export type Due =
  | { readonly outcome: NewEvent }
  | { readonly release: Request; readonly as: 'hold.released' | 'cod.released' }

/** What a layer is doing on a volume: the columns of the admission matrix (SPEC 7.2). */
export type Mark =
  | 'held'
  | 'held-writes'
  | 'overlay-base'
  | 'overlay-view'
  | 'merging'
  | 'restore-source'
  | 'restore-clone'
  | 'restore-u-source'
  | 'restore-u-clone'
  | 'sync-source'
  | 'sync-clone'
  | 'fenced'
  | 'fenced-own'
  | 'fenced-own-full'
  | 'tapped'

/** A volume a command is about, and in which role: the rows of the admission matrix. */
export interface Target {
  readonly role:
    | 'backup'
    | 'backup-physical'
    | 'pair'
    | 'sync-source'
    | 'sync-clone'
    | 'restore-source'
    | 'restore-clone'
    | 'restore-u-clone'
    | 'fracture'
    | 'preserve'
    | 'drop'
    | 'merge'
    | 'rebind'
    | 'cancel'
    | 'change'
    | 'fence'
    | 'tap'
  readonly volume: number
}

export interface Layer<State> {
  readonly name: string
  /** The kinds whose events change its state; effect records of volumes it is active on come besides. */
  readonly hears: readonly Kind[]
  /** The commands and reports that are its own to decide. */
  readonly commands: readonly Kind[]
  start(): State
  /** False promises: `admit` is pass for every request of the volume and effects change nothing here. */
  active(state: State, volume: number, world: World): boolean
  admit(state: State, request: Request, world: World): Verdict
  /** Why a request is refused before it may wait anywhere; asked of active layers ahead of every gate. */
  forbids(state: State, request: Request): Code | undefined
  /** A write took effect on a volume this layer is active on. */
  effect(state: State, event: Event, world: World): void
  evolve(state: State, event: Event, world: World): void
  decide(state: State, command: Command, world: World): Decision
  due(state: State, world: World): Due | undefined
  targets(state: State, command: Command, world: World): readonly Target[]
  /** @param session who asks: the owner of a fence may do what others may not. */
  marks(state: State, volume: number, session?: number): readonly Mark[]
  /** The outcomes that end what waits in this layer: of one session, or of all. */
  abandon(state: State, code: Code, session: number | undefined): readonly NewEvent[]
  /** The outcomes with which it takes up its work after a restart. */
  resume(state: State, world: World): readonly NewEvent[]
  hash(state: State, lanes: Lanes): void
  /** Plain values for a checkpoint, and back; `restore` throws on what makes no sense. */
  save(state: State): unknown
  load(saved: unknown): State
}

/** The volume of that number; undefined when there is none, none yet, or none any more. */
export function volumeOf(world: World, id: number): Volume | undefined {
  const volume = world.volumes[id - 1]
  return volume === undefined || volume.gone || volume.unfinished ? undefined : volume
}
