/**
 * Restore of a source from its clone (seeds S3 and S4), protected, with copy on demand, while hosts go on.
 *
 *     restore.started ─▶ running ── copy.started, copy.report, cod.released ... ──▶ restore.completed
 *                          └─ (too many failures) ─▶ restore.failed: only demand copies go on, until a restart
 *
 * From restore.started on, the source's content is the clone's, overlaid by later host writes. An extent whose
 * copy is needed (clone delta bit set, protected bit clear) is copied in the background or when a host needs it:
 *
 *     CDM PRM COD   READ          WRITE partial   WRITE whole extent   copier
 *      0   0   0    go            go, PRM+        go, PRM+             skip
 *      1   0   0    copy, queue   copy, queue     go, PRM+             may start
 *      1   0   1    queue         queue           queue                running
 *      x   1   0    go            go              go                   skip
 *
 * The clone is never written: writes to it are refused, copies only read it. At the end the protected map becomes
 * part of the clone delta map. A restart forgets the copy-on-demand map and the queue and goes on with what is
 * needed. Claims: S3 1-20 and mirrors, S4 1-7 and mirrors; the order rules of SPEC 5.6.
 */

import { must, Violation } from '../core/assert.ts'
import { Bitmap } from '../core/bitmap.ts'
import { lanesText } from '../core/lanes.ts'
import type { Event, NewEvent } from '../events/columns.ts'
import { text } from '../events/detail.ts'
import { changes, flag } from '../events/kind.ts'
import { CopyGate, copiesAtOnce, extentsOf } from './copy-gate.ts'
import { fencedMeta } from './fence-state.ts'
import { type Due, type Layer, pass, refuse, volumeOf, type World } from './layer.ts'
import { blocksOf, named, pairsOf } from './pair-state.ts'
import { baseOf } from './preserve-state.ts'
import { requestOf } from './request.ts'
import { decideRestore } from './restore-command.ts'
import { checkPassed, mayWait } from './restore-gate.ts'
import {
  addRestore,
  blockers,
  deltaMapOf,
  isRunning,
  loadRestore,
  neededCount,
  needs,
  nextNeeded,
  type Restore,
  type Restores,
  rangeOf,
  removeRestore,
  restoreAt,
  saveRestore,
} from './restore-state.ts'

export const restore: Layer<Restores> = {
  name: 'restore',
  hears: [
    'io.read',
    'io.write',
    'io.zeroes',
    'io.discard',
    'hold.released',
    'cod.released',
    'io.lost',
    'io.failed',
    'copy.started',
    'copy.report',
    'restore.started',
    'restore.completed',
    'restore.resumed',
    'restore.failed',
    'engine.started',
  ],
  commands: ['restore.start', 'copy.report'],
  start: () => ({ byTag: new Map(), bySource: new Map(), byClone: new Map() }),
  active: (state, volume, world) => state.bySource.has(baseOf(world, volume)) || state.byClone.has(volume),

  forbids: (state, request) =>
    changes(request.op) && state.byClone.has(request.volume) ? 'E_CLONE_PROTECTED' : undefined,

  admit(state, request, world) {
    const one = restoreAt(state, request, world)
    if (one === undefined || request.op === 'flush') return pass
    const cdm = deltaMapOf(world, one.tag)
    const blocking = blockers(one, cdm, request, world)
    if (blocking.length === 0 && !one.gate.blockedByOlder(request)) return pass
    if (one.gate.full) return refuse('E_QUEUE_FULL')
    const demanded = blocking.filter((e) => !one.gate.copying.get(e))
    const outcomes = demanded.map((e) => copyStarted(one, e, request.io))
    return { fate: 'queued', code: 'ok', outcomes }
  },

  effect(state, event, world) {
    const clone = state.byClone.get(event.volume)
    if (clone !== undefined) {
      throw new Violation('S4-I2', `write ${event.seq} changes the clone of a protected restore`)
    }
    const one = state.bySource.get(event.volume)
    if (one === undefined) return
    checkPassed(one, event, world)
    const { first, last } = extentsOf(event, one.extent)
    for (let e = first; e <= last; e++) one.prm.set(e)
  },

  evolve(state, event, world) {
    switch (event.kind) {
      case 'restore.started':
        return addRestore(state, begun(event, world))
      case 'engine.started':
        for (const one of state.byTag.values()) {
          one.gate.restart()
          one.cursor = 0
        }
        return
      case 'restore.completed':
      case 'restore.resumed':
      case 'restore.failed':
      case 'copy.started':
      case 'copy.report':
        return move(state, event, world)
      case 'io.lost':
      case 'io.failed':
      case 'cod.released':
        state.bySource.get(baseOf(world, event.volume))?.gate.take(event.about)
        break
      default:
    }
    const one = restoreAt(state, event, world)
    if (one === undefined) {
      const stuck = event.fate === 'queued' && event.op === 'read'
      return must(!stuck, 'S3-I8', `read ${event.seq} is queued though no restore runs`)
    }
    if (event.fate === 'queued') {
      mayWait(one, event, world)
      one.gate.enqueue(requestOf(event))
    }
    if (event.fate === 'passed' && event.op === 'read') checkPassed(one, event, world)
    if (event.fate === 'refused' && event.code === 'E_BUSY_RESTORE') {
      throw new Violation('S4-I3', `request ${event.seq} is refused because of the restore`)
    }
  },

  decide: decideRestore,

  due(state, world): Due | undefined {
    for (const one of state.byTag.values()) {
      const cdm = deltaMapOf(world, one.tag)
      if (one.gate.length > 0) {
        const ready = one.gate.ready((request) => blockers(one, cdm, request, world).length > 0)
        if (ready !== undefined) return { release: ready, as: 'cod.released' }
      }
      if (one.gate.copying.count >= copiesAtOnce) continue
      const e = one.background ? nextNeeded(one, cdm, one.cursor) : -1
      if (e >= 0) {
        one.cursor = e
        return { outcome: copyStarted(one, e, 0) }
      }
      if (one.gate.copying.count + one.gate.length > 0 || nextNeeded(one, cdm, 0) >= 0) continue
      return { outcome: completed(one, cdm) }
    }
    return undefined
  },

  targets(_state, command, world) {
    if (command.kind !== 'restore.start') return []
    const one = named(pairsOf(world), text(command.detail, 'pair'))
    if (one === undefined) return []
    return [
      { role: 'restore-source', volume: one.source },
      { role: 'restore-clone', volume: one.clone },
    ]
  },
  marks(state, volume) {
    if (state.bySource.has(volume)) return ['restore-source']
    return state.byClone.has(volume) ? ['restore-clone'] : []
  },

  abandon: (state, code, session) =>
    [...state.byTag.values()].flatMap((one) => one.gate.abandon(code, session)),
  resume: (state, world) =>
    [...state.byTag.values()].map((one) => ({
      kind: 'restore.resumed',
      tag: one.tag,
      detail: { count: neededCount(one, deltaMapOf(world, one.tag)) },
    })),
  hash(state, lanes) {
    for (const one of state.byTag.values()) {
      lanes.add(one.tag, 5 + one.failures * 2 + (one.background ? 1 : 0))
      lanes.include(one.tag * 4 + 2 ** 42, one.prm.hashLow, one.prm.hashHigh)
      one.gate.hash(one.tag * 4 + 2 ** 43, lanes)
    }
  },
  save: (state) => [...state.byTag.values()].map(saveRestore),
  load(saved) {
    const state = restore.start()
    for (const one of saved as unknown[]) addRestore(state, loadRestore(one))
    return state
  },
}

function begun(event: Event, world: World): Restore {
  const one = pairsOf(world).byTag.get(event.tag)!
  const clone = volumeOf(world, one.clone)!
  const hash = lanesText(clone.map.hashLow, clone.map.hashHigh)
  must(
    hash === text(event.detail, 'cloneHash'),
    'S4-I4',
    `the clone of pair ${one.name} is not what was recorded`,
  )
  const extents = Math.ceil(one.size / one.extent)
  return {
    tag: one.tag,
    source: one.source,
    clone: one.clone,
    extent: one.extent,
    size: one.size,
    protected: event.detail.protected === true,
    prm: new Bitmap(extents),
    gate: new CopyGate(one.extent, one.size),
    cloneHash: hash,
    failures: 0,
    background: true,
    cursor: 0,
  }
}

/** The copies of a restore, and its turns. */
function move(state: Restores, event: Event, world: World): void {
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
      one.failures = 0
      return
    }
    case 'restore.failed':
      one.background = false
      return
    default: {
      const waits = one.gate.copying.count + one.gate.length
      must(
        waits === 0,
        'S3-I12',
        `the restore of pair ${event.tag} ends while ${waits} copies or requests wait`,
      )
      const left = neededCount(one, cdm)
      must(left === 0, 'S3-I12', `the restore of pair ${event.tag} ends with ${left} extents still to copy`)
      const mode = event.detail.protected === one.protected
      must(mode, 'S4-I5', `the restore of pair ${event.tag} ends in another mode than it began in`)
      const clone = volumeOf(world, one.clone)!.map
      const same = lanesText(clone.hashLow, clone.hashHigh) === one.cloneHash
      must(same, 'S4-I1', `the clone of pair ${event.tag} changed during its protected restore`)
      removeRestore(state, one)
    }
  }
}

/** The source takes the clone's references, but where a fence keeps its pattern: that extent is its owner's. */
function copied(one: Restore, event: Event, world: World): void {
  const source = volumeOf(world, one.source)!
  const { map } = volumeOf(world, one.clone)!
  for (const piece of fencedMeta(world, one.source).split(event)) {
    const { first, count } = blocksOf(piece, source)
    if (piece.inside) one.prm.set(extentsOf(event, one.extent).first)
    else source.map.copy(map, first, count)
  }
  one.failures = 0
}

function failed(one: Restore): void {
  one.failures++
  one.cursor = 0
}

function copyStarted(one: Restore, e: number, demandedBy: number): NewEvent {
  const flags = demandedBy === 0 ? 0 : flag.demand
  const { offset, length } = rangeOf(one, e)
  return { kind: 'copy.started', tag: one.tag, volume: one.source, offset, length, flags, about: demandedBy }
}

function completed(one: Restore, cdm: Bitmap): NewEvent {
  const after = cdm.fork()
  after.or(one.prm)
  const cdmHash = lanesText(after.hashLow, after.hashHigh)
  const detail = { protected: one.protected, prmCount: one.prm.count, cdmHash }
  return { kind: 'restore.completed', tag: one.tag, detail }
}
