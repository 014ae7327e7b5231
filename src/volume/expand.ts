/**
 * Expanding: the events of SPEC that are not stored because the rules let one derive them (SPEC 1.5), made for
 * checkers and people. Asked with the state as it is before the event is folded.
 *
 *     an I/O input        log.appended, then hold.enqueued | cod.enqueued | io.rejected | its dispatch
 *     a release           its dispatch
 *     a dispatch          io.dispatched, for a write media.written and the bits it sets, then io.completed
 *     a copy that is in   copy.finished, media.written, cdm.cleared
 *     an internal write   log.appended, media.written and the bits it sets (a merge, a fence, a data mover)
 *
 * What concerns a view stands between the acquire and the release of its lock: see view-locks.ts.
 */

import { type Event, takesEffect } from '../events/columns.ts'
import { changes } from '../events/kind.ts'
import { covers, extentsOf } from '../layers/copy-gate.ts'
import { holdQueueOf } from '../layers/hold-queue.ts'
import type { World } from '../layers/layer.ts'
import { pairsOf, pairsOn } from '../layers/pair-state.ts'
import { requestOf } from '../layers/request.ts'
import { blockers, deltaMapOf, type Restore, restoreAt, restoresOf } from '../layers/restore-state.ts'
import { lockSteps } from './view-locks.ts'

/** A derived event: its name, and the numbers SPEC gives it. */
export interface Derived {
  readonly name: string
  /** The stored event it follows from. */
  readonly seq: number
  /** The request it is about, by the sequence number of its input; 0 where it is about none. */
  readonly io: number
  readonly volume: number
  /** An extent, for the bits of the pair maps. */
  readonly extent?: number
  /** Blocks, and whether a lock is shared: for locks, tables and images of views. */
  readonly block?: number
  readonly blocks?: number
  readonly shared?: boolean
  /** Place in the hold queue from 1, or the extents that are waited for. */
  readonly position?: number
  readonly waits?: readonly number[]
  readonly code?: string
}

/** The derived events of a stored one, in order; none for events that say all themselves. */
export function expand(world: World, event: Event): readonly Derived[] {
  const internal = takesEffect(event) && event.session === 0
  if (internal) return [derive(event)('log.appended'), ...changed(world, event)]
  if (event.op !== 'none') return event.about === 0 ? submitted(world, event) : released(world, event)
  return event.kind === 'copy.report' ? reported(world, event) : []
}

function submitted(world: World, event: Event): Derived[] {
  const derived = derive(event)
  if (event.fate === 'refused') return [derived('io.rejected', { code: event.code })]
  const log = changes(event.op) ? [derived('log.appended')] : []
  if (event.fate === 'held') {
    const before = holdQueueOf(world).flagged.get(event.volume)?.writes.length ?? 0
    return [...log, derived('hold.enqueued', { position: before + 1 })]
  }
  if (event.fate === 'queued') return [...log, enqueued(world, event)]
  if (event.fate === 'forwarded') return log
  return [...log, ...dispatched(world, event)]
}

function released(world: World, event: Event): Derived[] {
  if (event.fate === 'queued') return [enqueued(world, event)]
  if (event.fate === 'forwarded') return []
  if (event.fate === 'passed') return dispatched(world, event)
  return [derive(event)('io.completed', { code: event.code })]
}

function enqueued(world: World, event: Event): Derived {
  const restore = restoreAt(restoresOf(world), event, world)
  const waits =
    restore === undefined ? [] : blockers(restore, deltaMapOf(world, restore.tag), requestOf(event), world)
  return derive(event)('cod.enqueued', { waits })
}

function dispatched(world: World, event: Event): Derived[] {
  const derived = derive(event)
  return [derived('io.dispatched'), ...changed(world, event), derived('io.completed', { code: 'ok' })]
}

/** What a request does where it goes: under the locks of views, and to media and maps when it writes. */
function changed(world: World, event: Event): Derived[] {
  const derived = derive(event)
  const locked = event.op === 'flush' ? [] : lockSteps(world, event)
  const [released] = locked.slice(-1)
  const list = locked.slice(0, -1).map(({ name, ...step }) => derived(name, step))
  if (changes(event.op)) list.push(derived('media.written'), ...bitsSet(world, event))
  if (released !== undefined) list.push(derived(released.name, released))
  return list
}

/** The bits of clone delta maps and protected restore maps that a write turns on. */
function bitsSet(world: World, event: Event): Derived[] {
  const derived = derive(event)
  const set: Derived[] = []
  for (const pair of pairsOn(pairsOf(world), event.volume)) {
    const { first, last } = extentsOf(event, pair.extent)
    for (let extent = first; extent <= last; extent++) {
      if (pair.phase === 'fractured' && !pair.cdm.get(extent)) set.push(derived('cdm.set', { extent }))
    }
  }
  const restore = restoresOf(world).bySource.get(event.volume)
  if (restore?.protected === false) set.push(...bothWritten(world, event, restore))
  if (restore?.protected === true) {
    const { first, last } = extentsOf(event, restore.extent)
    for (let extent = first; extent <= last; extent++) {
      if (!restore.prm.get(extent)) set.push(derived('prm.set', { extent }))
    }
  }
  return set
}

/** A write during an unprotected restore: the clone's medium too, and the bits of extents it covers whole. */
function bothWritten(world: World, event: Event, restore: Restore): Derived[] {
  const derived = derive(event)
  const list = [derived('media.written', { volume: restore.clone })]
  const cdm = deltaMapOf(world, restore.tag)
  const { first, last } = extentsOf(event, restore.extent)
  for (let extent = first; extent <= last; extent++) {
    if (cdm.get(extent) && covers(event, extent, restore.extent, restore.size)) {
      list.push(derived('cdm.cleared', { extent }))
    }
  }
  return list
}

function reported(world: World, event: Event): Derived[] {
  const pair = pairsOf(world).byTag.get(event.tag)
  const gate = event.volume === pair?.clone ? pair.gate : restoresOf(world).byTag.get(event.tag)?.gate
  if (pair === undefined || gate === undefined) return []
  const extent = extentsOf(event, pair.extent).first
  if (!gate.isOf(event)) return []
  const derived = derive(event)
  const finished = derived('copy.finished', { extent, code: event.code })
  if (event.code !== 'ok') return [finished]
  return [finished, derived('media.written', { extent }), derived('cdm.cleared', { extent })]
}

function derive(event: Event): (name: string, more?: Partial<Derived>) => Derived {
  const { seq, volume } = event
  const io = event.op === 'none' ? 0 : event.about === 0 ? seq : event.about
  return (name, more = {}) => ({ name, seq, io, volume, ...more })
}
