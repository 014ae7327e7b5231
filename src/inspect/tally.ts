/**
 * Tally: what backups, syncs and restores did, added up event by event. A pure question over a history, for reports.
 */

import type { Event } from '../events/columns.ts'
import { count, text } from '../events/detail.ts'
import { changes, flag } from '../events/kind.ts'

export interface BackupTally {
  readonly tag: number
  readonly name: string
  /** Sequence number of its point in time; 0 when it never reached one. */
  startedSeq: number
  /** Writes that were held while it held them, and how each ended. */
  held: number
  released: number
  dropped: number
  how: 'running' | 'stopped' | 'expired' | 'aborted'
}

export interface CopyTally {
  background: number
  demand: number
  failed: number
  /** Bytes that really moved: they came from a clone outside. Inside the engine references move, and none do. */
  movedBytes: number
}

export interface RestoreTally extends CopyTally {
  readonly tag: number
  readonly protected: boolean
  /** Extents that differed when it began. */
  readonly differing: number
  queuedReads: number
  queuedWrites: number
  released: number
  lost: number
  /** Extents that hosts changed meanwhile: the protected restore map at its end. */
  changedByHosts: number
  cloneHash: string
  completed: boolean
  cancelled: boolean
}

export interface Tally {
  /** Host requests by operation. */
  readonly ops: Record<string, number>
  /** Refused requests and commands by code. */
  readonly refused: Record<string, number>
  readonly backups: Map<number, BackupTally>
  readonly restores: RestoreTally[]
  /** Copies source to clone, by pair. */
  readonly syncs: Map<number, CopyTally>
}

export function newTally(): Tally {
  return { ops: {}, refused: {}, backups: new Map(), restores: [], syncs: new Map() }
}

/** Adds one event. */
export function tally(sum: Tally, event: Event): void {
  if (event.op !== 'none' && event.about === 0) sum.ops[event.op] = (sum.ops[event.op] ?? 0) + 1
  if (event.code !== 'ok' && (event.fate === 'refused' || event.kind === 'command.refused')) {
    sum.refused[event.code] = (sum.refused[event.code] ?? 0) + 1
  }
  backups(sum, event)
  copies(sum, event)
}

function backups(sum: Tally, event: Event): void {
  const running = () => [...sum.backups.values()].filter((backup) => backup.how === 'running')
  if (event.fate === 'held') for (const backup of running()) backup.held++
  switch (event.kind) {
    case 'backup.flag_set': {
      const name = text(event.detail, 'name')
      const fresh = { tag: event.tag, name, startedSeq: 0, held: 0, released: 0, dropped: 0 }
      sum.backups.set(event.tag, { ...fresh, how: 'running' })
      return
    }
    case 'backup.started':
      sum.backups.get(event.tag)!.startedSeq = event.seq
      return
    case 'hold.released':
      for (const backup of latest(sum)) backup.released++
      return
    case 'hold.dropped':
    case 'hold.failed':
      for (const backup of latest(sum)) backup.dropped++
      return
    case 'backup.stopped':
      sum.backups.get(event.tag)!.how = 'stopped'
      return
    case 'backup.expired':
      sum.backups.get(event.tag)!.how = 'expired'
      return
    case 'backup.aborted':
      sum.backups.get(event.tag)!.how = 'aborted'
      return
    default:
  }
}

/** What is released or dropped belongs to the backup that began last. */
function latest(sum: Tally): BackupTally[] {
  return [...sum.backups.values()].slice(-1)
}

function copies(sum: Tally, event: Event): void {
  const restore = sum.restores.at(-1)
  const active = restore === undefined || restore.completed || restore.cancelled ? undefined : restore
  if (active !== undefined && event.fate === 'queued') {
    if (changes(event.op)) active.queuedWrites++
    else active.queuedReads++
  }
  switch (event.kind) {
    case 'restore.started':
      sum.restores.push({
        tag: event.tag,
        protected: event.detail.protected === true,
        differing: count(event.detail, 'cdmCount'),
        cloneHash: text(event.detail, 'cloneHash'),
        background: 0,
        demand: 0,
        failed: 0,
        movedBytes: 0,
        queuedReads: 0,
        queuedWrites: 0,
        released: 0,
        lost: 0,
        changedByHosts: 0,
        completed: false,
        cancelled: false,
      })
      return
    case 'copy.started': {
      const into = active?.tag === event.tag ? active : syncOf(sum, event.tag)
      if ((event.flags & flag.demand) !== 0) into.demand++
      else into.background++
      return
    }
    case 'copy.report': {
      const into = active?.tag === event.tag ? active : syncOf(sum, event.tag)
      if (event.code !== 'ok') into.failed++
      else if (event.digestHigh + event.digestLow > 0) into.movedBytes += event.length
      return
    }
    case 'restore.cancelled':
      if (active !== undefined) active.cancelled = true
      return
    case 'cod.released':
      if (active !== undefined) active.released++
      return
    case 'io.lost':
      if (active !== undefined) active.lost++
      return
    case 'restore.completed':
      if (active !== undefined) {
        active.completed = true
        active.changedByHosts = count(event.detail, 'prmCount')
      }
      return
    default:
  }
}

function syncOf(sum: Tally, tag: number): CopyTally {
  const found = sum.syncs.get(tag) ?? { background: 0, demand: 0, failed: 0, movedBytes: 0 }
  sum.syncs.set(tag, found)
  return found
}
