/**
 * Restore of a source from its clone (seeds S3 and S4), with copy on demand, while hosts go on.
 *
 *     restore.started ─▶ running ── copy.started, copy.report, cod.released ... ──▶ restore.completed
 *                        │  ▲ │└─ cancel_accepted ─▶ (copies in flight end) ─▶ restore.cancelled
 *                        │  │ └─ restore.failed (too many failures) ─┐
 *                        │  └────────── restore.resumed ◀────────────┤  only demand copies go on
 *                        └─ restore.paused ──────────────────────────┘
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
 * Protected, the clone is never written: writes to it are refused, copies only read it; at the end the protected map
 * becomes part of the clone delta map. Unprotected, no host may use the clone, every write to the source takes effect
 * on both at its one effect record (no bit is needed between the two), there is no protected map, and the pair ends
 * in sync. A restart forgets the copy-on-demand map and the queue and goes on with what is needed; a pause stays.
 * Claims: S3 1-20 and mirrors, S4 1-7 and mirrors; the order rules of SPEC 5.6.
 */

import { must, Violation } from '../core/assert.ts'
import type { NewEvent } from '../events/columns.ts'
import { text } from '../events/detail.ts'
import { changes } from '../events/kind.ts'
import { copiesAtOnce, extentsOf } from './copy-gate.ts'
import { type Due, type Layer, pass, refuse } from './layer.ts'
import { named, pairsOf } from './pair-state.ts'
import { baseOf } from './preserve-state.ts'
import { requestOf } from './request.ts'
import { decideRestore, resumed } from './restore-command.ts'
import { checkPassed, mayWait } from './restore-gate.ts'
import {
  addRestore,
  blockers,
  deltaMapOf,
  isBehind,
  loadRestore,
  nextNeeded,
  type Restores,
  restoreAt,
  saveRestore,
} from './restore-state.ts'
import { begun, cancelledNow, completed, copyStarted, turn } from './restore-turn.ts'

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
    'restore.paused',
    'restore.cancel_accepted',
    'restore.cancelled',
    'engine.started',
  ],
  commands: ['restore.start', 'restore.pause', 'restore.resume', 'restore.cancel', 'copy.report'],
  start: () => ({ byTag: new Map(), bySource: new Map(), byClone: new Map() }),
  active: (state, volume, world) => state.bySource.has(baseOf(world, volume)) || state.byClone.has(volume),

  forbids(state, request) {
    const one = state.byClone.get(request.volume)
    if (one === undefined) return undefined
    if (!one.protected) return 'E_BUSY_RESTORE'
    return changes(request.op) ? 'E_CLONE_PROTECTED' : undefined
  },

  admit(state, request, world) {
    const one = restoreAt(state, request, world)
    if (one === undefined || request.op === 'flush') return pass
    const cdm = deltaMapOf(world, one.tag)
    const blocking = blockers(one, cdm, request, world)
    if (blocking.length === 0 && !isBehind(one, request)) return pass
    if (one.gate.full) return refuse('E_QUEUE_FULL')
    const demanded = one.cancelling ? [] : blocking.filter((e) => !one.gate.copying.get(e))
    const outcomes = demanded.map((e) => copyStarted(one, e, request.io))
    return { fate: 'queued', code: 'ok', outcomes }
  },

  effect(state, event, world) {
    const clone = state.byClone.get(event.volume)
    if (clone?.protected === true) {
      throw new Violation('S4-I2', `write ${event.seq} changes the clone of a protected restore`)
    }
    const one = state.bySource.get(event.volume)
    if (one === undefined) return
    checkPassed(one, event, world)
    if (!one.protected) return
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
      case 'restore.paused':
      case 'restore.cancel_accepted':
      case 'restore.cancelled':
      case 'copy.started':
      case 'copy.report':
        return turn(state, event, world)
      case 'io.lost':
      case 'io.failed':
      case 'cod.released':
        state.bySource.get(baseOf(world, event.volume))?.gate.take(event.about)
        break
      default:
    }
    const one = restoreAt(state, event, world)
    if (one === undefined) {
      const viewed = baseOf(world, event.volume) !== event.volume
      const stuck = event.fate === 'queued' && (event.op === 'read' || viewed)
      return must(!stuck, 'S3-I8', `${event.op} ${event.seq} is queued though no restore runs`)
    }
    if (event.fate === 'queued') {
      mayWait(one, event, world)
      one.gate.enqueue(requestOf(event))
    }
    if (event.fate === 'passed' && event.op === 'read') checkPassed(one, event, world)
    if (event.fate === 'refused' && event.code === 'E_BUSY_RESTORE' && one.source === event.volume) {
      throw new Violation('S4-I3', `request ${event.seq} is refused because of the restore`)
    }
  },

  decide: decideRestore,

  due(state, world): Due | undefined {
    if (state.byTag.size === 0) return undefined
    for (const one of state.byTag.values()) {
      const cdm = deltaMapOf(world, one.tag)
      if (one.gate.length > 0) {
        const ready = one.gate.ready((request) => blockers(one, cdm, request, world).length > 0)
        if (ready !== undefined) return { release: ready, as: 'cod.released' }
      }
      if (one.cancelling) {
        if (one.gate.copying.count === 0) return { outcome: cancelledNow(one, cdm) }
        continue
      }
      if (one.gate.copying.count >= copiesAtOnce) continue
      const e = nextNeeded(one, cdm, one.cursor)
      if (e >= 0) one.cursor = e
      if (e >= 0 && one.background && !one.paused) return { outcome: copyStarted(one, e, 0) }
      if (e >= 0 || one.gate.copying.count + one.gate.length > 0) continue
      return { outcome: completed(one, cdm) }
    }
    return undefined
  },

  targets(_state, command, world) {
    if (command.kind !== 'restore.start' && command.kind !== 'restore.cancel') return []
    const one = named(pairsOf(world), text(command.detail, 'pair'))
    if (one === undefined) return []
    if (command.kind === 'restore.cancel') return [{ role: 'cancel', volume: one.source }]
    const isProtected = command.detail.protected === true
    return [
      { role: 'restore-source', volume: one.source },
      { role: isProtected ? 'restore-clone' : 'restore-u-clone', volume: one.clone },
    ]
  },
  marks(state, volume) {
    const from = state.bySource.get(volume)
    if (from !== undefined) return [from.protected ? 'restore-source' : 'restore-u-source']
    const clone = state.byClone.get(volume)
    return clone === undefined ? [] : [clone.protected ? 'restore-clone' : 'restore-u-clone']
  },

  abandon: (state, code, session) =>
    [...state.byTag.values()].flatMap((one) => one.gate.abandon(code, session)),
  resume: (state, world) =>
    [...state.byTag.values()].flatMap((one): NewEvent[] => {
      const again = resumed(one, pairsOf(world).byTag.get(one.tag)!)
      return one.paused ? [again, { kind: 'restore.paused', tag: one.tag }] : [again]
    }),
  hash(state, lanes) {
    for (const one of state.byTag.values()) {
      const turns = (one.paused ? 2 : 0) + (one.cancelling ? 4 : 0) + (one.protected ? 0 : 8)
      lanes.add(one.tag, 5 + one.failures * 2 + (one.background ? 1 : 0) + turns * 2 ** 20)
      if (one.rate > 0) lanes.add(one.tag, 2 ** 40 + one.rate)
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
