/**
 * What the hold queue keeps: the backups that are active, for each volume whose flag is set the writes that wait, how
 * far the metadata of each volume is brought up, and whose backup was broken.
 */

import { Lanes } from '../core/lanes.ts'
import { NumberedQueue } from '../core/numbered-queue.ts'
import type { Range } from '../core/range.ts'
import { RangeIndex } from '../core/range-index.ts'
import { type Backup, loadBackup, saveBackup } from './backup.ts'
import { asksFor } from './backup-scope.ts'
import type { World } from './layer.ts'
import type { Request } from './request.ts'

/** What waits on one volume whose flag is set. */
export interface Held {
  readonly writes: NumberedQueue<Request>
  /** Those of sessions that were just rebound to a view: they go there, and leave the queue in the same entry. */
  readonly leaving: NumberedQueue<Request>
  bytes: number
  /** Set hash of what waits; the order is that of the sequence numbers. */
  readonly lanes: Lanes
  /** The same by range, from the first time that a write is looked at which no backup asks for. */
  index: RangeIndex<Request> | undefined
}

/** A backup that was ended before its stop: what its session reads of its volumes is no point in time. */
export interface Broken {
  readonly session: number
  readonly volumes: readonly number[]
}

export interface HoldQueue {
  begun: number
  readonly backups: Map<number, Backup>
  /** A volume is here as long as its flag is set. */
  readonly flagged: Map<number, Held>
  /** By volume, the log entry up to which its metadata is brought up. */
  readonly committed: Map<number, number>
  /** By backup. */
  readonly broken: Map<number, Broken>
}

export function emptyQueue(): HoldQueue {
  return { begun: 0, backups: new Map(), flagged: new Map(), committed: new Map(), broken: new Map() }
}

export function joined(held: Held, write: Request): void {
  held.writes.push(write)
  held.bytes += write.length
  held.lanes.add(write.io, write.payload)
  held.index?.add(write)
}

export function left(held: Held, write: Request): void {
  held.bytes -= write.length
  held.lanes.remove(write.io, write.payload)
  held.index?.remove(write)
}

export function nothingHeld(): Held {
  return {
    writes: new NumberedQueue(),
    leaving: new NumberedQueue(),
    bytes: 0,
    lanes: new Lanes(),
    index: undefined,
  }
}

/** True when an older held write overlaps this one, which must not overtake it (S1-I5). */
export function isBehind(held: Held, write: Range & { readonly io: number }): boolean {
  if (held.writes.length === 0) return false
  if (held.index === undefined) {
    held.index = new RangeIndex<Request>()
    for (const one of held.writes) held.index.add(one)
  }
  return held.index.older(write, write.io) !== undefined
}

/** The backups that still hold a volume: stopping ones no longer do. */
export function coveringBackups(state: HoldQueue, volume: number): Backup[] {
  return [...state.backups.values()].filter(
    (backup) => backup.phase !== 'stopping' && backup.volumes.includes(volume),
  )
}

export function isCovered(state: HoldQueue, volume: number): boolean {
  return coveringBackups(state, volume).length > 0
}

/** The backups that ask for a write to be held: the scope in force is the union of theirs. */
export function askingBackups(state: HoldQueue, write: Request, world: World): Backup[] {
  return coveringBackups(state, write.volume).filter((backup) => asksFor(backup, write, world))
}

/** True when the held writes of a volume outlive a crash: its image stands, and every backup wants them kept. */
export function outlivesCrash(state: HoldQueue, volume: number): boolean {
  const standing = coveringBackups(state, volume).filter((backup) => backup.phase === 'holding')
  return standing.length > 0 && standing.every((backup) => backup.crash === 'requeue')
}

/** True when a session reads a volume that a backup of its own covered, which was broken. */
export function isBroken(state: HoldQueue, session: number, volume: number): boolean {
  for (const one of state.broken.values()) {
    if (one.session === session && one.volumes.includes(volume)) return true
  }
  return false
}

export function forget(state: HoldQueue, session: number): void {
  for (const [tag, one] of state.broken) if (one.session === session) state.broken.delete(tag)
}

const phases = { quiescing: 1, holding: 2, stopping: 3 } as const

export function hashQueue(state: HoldQueue, lanes: Lanes): void {
  lanes.add(state.begun, 3)
  for (const backup of state.backups.values()) {
    lanes.add(backup.tag, phases[backup.phase] + (backup.overdue ? 8 : 0))
  }
  for (const [volume, held] of state.flagged) {
    lanes.add(volume, 2 ** 40 + held.writes.length)
    lanes.add(volume, 2 ** 41 + held.bytes)
    lanes.include(volume + 2 ** 42, held.lanes.low, held.lanes.high)
  }
  for (const [volume, n] of state.committed) lanes.add(volume + 2 ** 43, n)
  for (const [tag, { session }] of state.broken) lanes.add(tag + 2 ** 44, session)
}

/** Plain values for a checkpoint. */
export function saveQueue(state: HoldQueue): unknown {
  return {
    begun: state.begun,
    backups: [...state.backups.values()].map(saveBackup),
    flagged: [...state.flagged].map(([volume, held]) => [volume, [...held.writes]]),
    committed: [...state.committed],
    broken: [...state.broken],
  }
}

export function loadQueue(saved: unknown): HoldQueue {
  const plain = saved as {
    begun: number
    backups: unknown[]
    flagged: [number, Request[]][]
    committed: [number, number][]
    broken: [number, Broken][]
  }
  const state: HoldQueue = {
    begun: plain.begun,
    backups: new Map(),
    flagged: new Map(),
    committed: new Map(plain.committed),
    broken: new Map(plain.broken),
  }
  for (const backup of plain.backups.map(loadBackup)) state.backups.set(backup.tag, backup)
  for (const [volume, writes] of plain.flagged) {
    const held = nothingHeld()
    for (const write of writes) joined(held, write)
    state.flagged.set(volume, held)
  }
  return state
}
