/**
 * What the hold queue keeps: the backups that are active, and for each volume whose flag is set the writes that wait.
 */

import { Fifo } from '../core/fifo.ts'
import { Lanes } from '../core/lanes.ts'
import type { Backup } from './backup.ts'
import type { Request } from './request.ts'

/** What waits on one volume whose flag is set. */
export interface Held {
  readonly writes: Fifo<Request>
  /** Those of sessions that were just rebound to a view: they go there, and leave the queue in the same entry. */
  readonly leaving: Fifo<Request>
  bytes: number
  /** Set hash of what waits; the order is that of the sequence numbers. */
  readonly lanes: Lanes
}

export interface HoldQueue {
  begun: number
  readonly backups: Map<number, Backup>
  /** A volume is here as long as its flag is set. */
  readonly flagged: Map<number, Held>
}

export function joined(held: Held, write: Request): void {
  held.writes.push(write)
  held.bytes += write.length
  held.lanes.add(write.io, write.payload)
}

export function left(held: Held, write: Request): void {
  held.bytes -= write.length
  held.lanes.remove(write.io, write.payload)
}

export function nothingHeld(): Held {
  return { writes: new Fifo(), leaving: new Fifo(), bytes: 0, lanes: new Lanes() }
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
