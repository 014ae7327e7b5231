/** The turns of a restore: how it begins, goes on and ends, and its copies as they start and come back. */

import { must } from '../core/assert.ts'
import { Bitmap } from '../core/bitmap.ts'
import { lanesText } from '../core/lanes.ts'
import type { Event, NewEvent } from '../events/columns.ts'
import { countOr0, text } from '../events/detail.ts'
import { flag } from '../events/kind.ts'
import { CopyGate, extentsOf } from './copy-gate.ts'
import { fencedMeta } from './fence-state.ts'
import { volumeOf, type World } from './layer.ts'
import { blocksOf, pairsOf } from './pair-state.ts'
import { cloneHashOf } from './restore-command.ts'
import {
  deltaMapOf,
  isRunning,
  neededCount,
  needs,
  type Restore,
  type Restores,
  rangeOf,
  removeRestore,
} from './restore-state.ts'

/** A restore as restore.started makes it. */
export function begun(event: Event, world: World): Restore {
  const one = pairsOf(world).byTag.get(event.tag)!
  const hash = cloneHashOf(one, world)
  const same = hash === text(event.detail, 'cloneHash')
  must(same, 'S4-I4', `the clone of pair ${one.name} is not what was recorded`)
  return {
    tag: one.tag,
    source: one.source,
    clone: one.clone,
    extent: one.extent,
    size: one.size,
    protected: event.detail.protected === true,
    prm: new Bitmap(Math.ceil(one.size / one.extent)),
    gate: new CopyGate(one.extent, one.size),
    cloneHash: hash,
    failures: 0,
    background: true,
    paused: false,
    cancelling: false,
    rate: countOr0(event.detail, 'rate'),
    cursor: 0,
  }
}

/** The copies of a restore, and its turns. */
export function turn(state: Restores, event: Event, world: World): void {
  const one = state.byTag.get(event.tag)
  if (event.kind === 'copy.report' && !isRunning(world, event)) return
  if (event.kind === 'copy.started' && event.volume === pairsOf(world).byTag.get(event.tag)?.clone) return
  must(one !== undefined, 'G-I9', `${event.kind} names pair ${event.tag}, which is not being restored`)
  const cdm = deltaMapOf(world, one.tag)
  const e = extentsOf(event, one.extent).first
  switch (event.kind) {
    case 'copy.started':
      must(event.volume === one.source, 'S4-I1', `extent ${e} is copied into volume ${event.volume}`)
      must(!one.prm.get(e), 'S3-I5', `extent ${e} is copied over what a host wrote`)
      must(needs(one, cdm, e), 'S3-I2', `extent ${e} is copied though nothing differs`)
      return one.gate.began(e, event.seq)
    case 'copy.report':
      one.gate.ended(e)
      return event.code === 'ok' ? copied(one, event, world) : failed(one)
    case 'restore.resumed': {
      const count = neededCount(one, cdm)
      must(event.detail.count === count, 'S3-I17', `${count} extents need their copy, not as recorded`)
      one.background = true
      one.paused = false
      one.failures = 0
      one.cursor = 0
      return
    }
    case 'restore.failed':
      one.background = false
      return
    case 'restore.paused':
      one.paused = true
      return
    case 'restore.cancel_accepted':
      one.cancelling = true
      return
    case 'restore.cancelled':
      return cancelled(state, one)
    default:
      return ended(state, one, event, world)
  }
}

function cancelled(state: Restores, one: Restore): void {
  must(one.cancelling, 'G-I9', `the restore of pair ${one.tag} is cancelled though nobody asked for it`)
  const { count } = one.gate.copying
  must(count === 0, 'S3-I12', `the restore of pair ${one.tag} is cancelled while ${count} copies run`)
  removeRestore(state, one)
}

function ended(state: Restores, one: Restore, event: Event, world: World): void {
  const cdm = deltaMapOf(world, one.tag)
  const waits = one.gate.copying.count + one.gate.length
  must(waits === 0, 'S3-I12', `the restore of pair ${one.tag} ends while ${waits} copies or requests wait`)
  const left = neededCount(one, cdm)
  must(left === 0, 'S3-I12', `the restore of pair ${one.tag} ends with ${left} extents still to copy`)
  const mode = event.detail.protected === one.protected
  must(mode, 'S4-I5', `the restore of pair ${one.tag} ends in another mode than it began in`)
  const clone = cloneHashOf(pairsOf(world).byTag.get(one.tag)!, world)
  const same = clone === one.cloneHash
  must(same || !one.protected, 'S4-I1', `the clone of pair ${one.tag} changed during its protected restore`)
  if (!one.protected) {
    const { map } = volumeOf(world, one.source)!
    const equal = clone === lanesText(map.hashLow, map.hashHigh)
    must(equal, 'S3-I12', `source and clone of pair ${one.tag} differ at the end of the restore`)
  }
  removeRestore(state, one)
}

/**
 * The source takes the clone's references, or the bytes that came from outside; the pair layer cleared the bit. Where a
 * fence keeps its pattern nothing is copied: that extent is its owner's (SPEC 7.1, rule 5).
 */
function copied(one: Restore, event: Event, world: World): void {
  const source = volumeOf(world, one.source)!
  const { map } = source
  for (const piece of fencedMeta(world, one.source).split(event)) {
    const { first, count } = blocksOf(piece, source)
    if (piece.inside) one.prm.set(extentsOf(event, one.extent).first)
    else if (one.clone > 0) map.copy(volumeOf(world, one.clone)!.map, first, count)
    else if (event.payload === 0) map.zero(first, count)
    else map.write(first, count, event.payload + (piece.offset - event.offset) / 512)
  }
  one.failures = 0
}

function failed(one: Restore): void {
  one.failures++
  one.cursor = 0
}

/** The start of a copy clone to source; `demandedBy` is the request that needs it, 0 in the background. */
export function copyStarted(one: Restore, e: number, demandedBy: number): NewEvent {
  const flags = demandedBy === 0 ? 0 : flag.demand
  const range = rangeOf(one, e)
  return { kind: 'copy.started', tag: one.tag, volume: one.source, ...range, flags, about: demandedBy }
}

/** The end of a restore that has nothing left to do. */
export function completed(one: Restore, cdm: Bitmap): NewEvent {
  const after = cdm.fork()
  after.or(one.prm)
  const cdmHash = lanesText(after.hashLow, after.hashHigh)
  const detail = { protected: one.protected, prmCount: one.prm.count, cdmHash }
  return { kind: 'restore.completed', tag: one.tag, detail }
}

/** The end of a restore that was cancelled, with how many extents show their old content again. */
export function cancelledNow(one: Restore, cdm: Bitmap): NewEvent {
  return { kind: 'restore.cancelled', tag: one.tag, detail: { mixedExtents: neededCount(one, cdm) } }
}
