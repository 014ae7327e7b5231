/**
 * The story of one restore, as it is gathered (restore-witness.ts) and told (restore-record.ts): what was copied and why,
 * what was not, who waited how long for what, what hosts did meanwhile, and what became of the clone.
 */

import type { Event } from '../events/columns.ts'
import { count, countOr0, text } from '../events/detail.ts'
import type { Op } from '../events/kind.ts'
import type { World } from '../layers/layer.ts'
import type { Pair } from '../layers/pair-state.ts'
import { Spread, Top } from './spread.ts'
import type { Moment } from './witness.ts'

/** A request that waited for copies. */
export interface Wait extends Moment {
  readonly session: number
  readonly request: number
  readonly op: Op
  readonly offset: number
  readonly length: number
  /** How many extents kept it waiting when it came, and the first of them; none: only older requests did. */
  readonly extentCount: number
  readonly extents: readonly number[]
  ns: number
  end: 'released' | 'failed' | 'lost' | 'waiting'
}

/** A copy of one extent. */
export interface CopyStory extends Moment {
  readonly extent: number
  /** The request that demanded it; 0: none, it was copied in the background. */
  readonly demandedBy: number
  ns?: number
  code: string
}

/** A turn of the restore itself, or of the recorder while it ran. */
export interface Turn extends Moment {
  readonly what: 'paused' | 'resumed' | 'gave-up' | 'cancel-accepted' | 'recorder-started'
  readonly remaining: number
}

/** What one host did on the source meanwhile. */
export interface HostPart {
  readonly name: string
  reads: number
  writes: number
  readBytes: number
  writtenBytes: number
  queued: number
  refused: number
  demanded: number
}

export interface RestoreStory {
  readonly number: number
  readonly tag: number
  readonly pair: string
  readonly source: number
  readonly clone: number
  readonly path: string
  readonly extent: number
  readonly extents: number
  readonly protected: boolean
  readonly rate: number
  readonly asked: Moment & { readonly session: number }
  readonly started: Moment
  readonly differing: number
  readonly cloneBefore: string
  cloneAfter: string
  ended: Moment | undefined
  how: 'completed' | 'cancelled' | 'running'
  /** Extents copied, by what caused the copy; extents a host wrote whole, so that they never needed one. */
  background: number
  demand: number
  failed: number
  abandoned: number
  overwritten: number
  /** Extents still to copy at the end. */
  remaining: number
  /** Extents in which hosts wrote while it ran. */
  changedByHosts: number
  /** Bytes that came from a clone outside; within the recorder references move, not bytes. */
  movedBytes: number
  readonly copying: Spread
  readonly readWaits: Spread
  readonly writeWaits: Spread
  readonly waits: Top<Wait>
  lost: number
  failedRequests: number
  refused: number
  /** Bytes that reads of the source were answered with: copied by then, written by hosts since, never different. */
  readonly answered: { copied: number; written: number; same: number }
  /** Reads of the clone, and of views of the source, while it ran. */
  cloneReads: number
  viewReads: number
  readonly hosts: Map<number, HostPart>
  readonly turns: Turn[]
  /** Each copy, where that was asked for. */
  readonly copies: CopyStory[]
}

/** The story as restore.started begins it. */
export function newStory(
  pair: Pair,
  { detail }: Event,
  started: Moment,
  asked: RestoreStory['asked'],
  number: number,
): RestoreStory {
  const { tag, name, source, clone, external, extent, size } = pair
  const none = { background: 0, demand: 0, failed: 0, abandoned: 0, overwritten: 0, remaining: 0 }
  const quiet = {
    changedByHosts: 0,
    movedBytes: 0,
    lost: 0,
    failedRequests: 0,
    refused: 0,
    cloneReads: 0,
    viewReads: 0,
  }
  const cloneBefore = text(detail, 'cloneHash')
  return {
    ...{ number, tag, pair: name, source, clone, path: external?.path ?? '', extent },
    extents: Math.ceil(size / extent),
    protected: detail.protected === true,
    rate: countOr0(detail, 'rate'),
    ...{ asked, started, differing: count(detail, 'cdmCount'), cloneBefore, cloneAfter: cloneBefore },
    ...{ ended: undefined, how: 'running', ...none, ...quiet },
    ...{ copying: new Spread(), readWaits: new Spread(), writeWaits: new Spread() },
    waits: new Top<Wait>(10, ({ ns }) => ns),
    answered: { copied: 0, written: 0, same: 0 },
    ...{ hosts: new Map(), turns: [], copies: [] },
  }
}

/** The part of the host that an event is by; a new one when it is its first. */
export function hostOf(story: RestoreStory, { session }: Event, world: World): HostPart {
  let host = story.hosts.get(session)
  if (host === undefined) {
    const none = { reads: 0, writes: 0, readBytes: 0, writtenBytes: 0, queued: 0, refused: 0, demanded: 0 }
    const name = session === 0 ? 'the recorder' : (world.sessions.get(session) ?? `#${session}`)
    host = { name, ...none }
    story.hosts.set(session, host)
  }
  return host
}
