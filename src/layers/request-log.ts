/**
 * The request log of a volume (seed S1 claims 1 and 9): every write, at its submission, before any flag is looked at.
 * It is the journal itself: the number of a log entry is the sequence number of the write's input. What is kept here
 * is how far the file system has brought its metadata up from it.
 *
 *     log   ... 17  18  21  24 ...        fsmeta.commit n=21 is granted when the writes up to 21 took effect, failed
 *     held              ▲   ▲             or were dropped, and no backup covers the volume
 */

import { must } from '../core/assert.ts'
import type { Event } from '../events/columns.ts'
import { count } from '../events/detail.ts'
import { changes } from '../events/kind.ts'
import type { HoldQueue } from './hold-queue-state.ts'
import { inFlightOf } from './in-flight.ts'
import { type Command, type Decision, volumeOf, type World } from './layer.ts'

/** What fsmeta.commit gets: the outcome, or the code of its refusal. */
export function decideMetadata(state: HoldQueue, command: Command, world: World): Decision {
  const { volume } = command
  if (volumeOf(world, volume) === undefined) return 'E_NO_VOLUME'
  const n = count(command.detail, 'n')
  if (n > world.seq || n <= committedUpTo(state, volume)) return 'E_RANGE'
  if (isUnderBackup(state, volume)) return 'E_BUSY_HOLD'
  if (oldestWrite(world, volume) <= n) return 'E_AGAIN'
  return [{ kind: 'fsmeta.committed', volume, detail: { n } }]
}

/** The metadata of a volume is brought up to log entry n (S1-I8). */
export function committed(state: HoldQueue, event: Event, world: World): void {
  const { volume } = event
  const n = count(event.detail, 'n')
  must(!isUnderBackup(state, volume), 'S1-I8', `metadata of volume ${volume} is committed during a backup`)
  const oldest = oldestWrite(world, volume)
  must(oldest > n, 'S1-I8', `metadata is committed up to ${n} while write ${oldest} waits`)
  const before = committedUpTo(state, volume)
  must(n > before && n < event.seq, 'S1-I8', `metadata is committed up to ${n} after it was up to ${before}`)
  state.committed.set(volume, n)
}

/** The log entry up to which the metadata of a volume is brought up; 0: none. */
export function committedUpTo(state: HoldQueue, volume: number): number {
  return state.committed.get(volume) ?? 0
}

/** From the flag to the end of the last backup that covers the volume. */
function isUnderBackup(state: HoldQueue, volume: number): boolean {
  if (state.flagged.has(volume)) return true
  return [...state.backups.values()].some((backup) => backup.volumes.includes(volume))
}

/** The oldest write of a volume that waits anywhere. */
function oldestWrite(world: World, volume: number): number {
  const { held, queued } = inFlightOf(world)
  let oldest = Number.POSITIVE_INFINITY
  for (const requests of [held, queued]) {
    for (const { io, volume: on, op } of requests.values()) {
      if (on === volume && changes(op) && io < oldest) oldest = io
    }
  }
  return oldest
}
