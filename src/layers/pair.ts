/**
 * Clone pairs (seeds S3 and S4): a source volume, a clone of equal size, and the clone delta map, whose bit e says
 * that the two may differ in extent e.
 *
 *     pair.created ─▶ fractured ── sync.started ──▶ syncing ── sync.finished ──▶ in-sync
 *                      ▲ ▲   │                         │                            │
 *                      │ │   │                         ▼                            ▼  ▲
 *                      │ └───┼────────────────── pair.fractured ◀───────────────────┘  │
 *                      │     └─ restore.started ─▶ restoring ── restore.completed ─────┘ (unprotected)
 *                      └─ restore.completed, .cancelled ┘          fractured ── pair.deleted ──▶ gone
 *
 * Fractured: every write to either side sets its extents' bits. In sync: every write to the source takes effect on
 * the clone too. Syncing: extents are copied source to clone; a write goes to both where the bit is clear, to the
 * source alone where it is set, and waits where a copy runs (SPEC S3-I11). A fracture during a sync gives up the
 * copies in flight: their bits stay. The movement back, clone to source, is the layer below: restore. A clone may live
 * outside, as a file that is only read: such a pair is restored from and never synced.
 * Claims: S3 10, 11, 13, 14, 16, 17, 19; S4 4, 6; and their mirrors.
 */

import { must } from '../core/assert.ts'
import type { Event } from '../events/columns.ts'
import { count, countOr0, text } from '../events/detail.ts'
import { changes } from '../events/kind.ts'
import { reported, trackWrite, widen } from './clone-delta.ts'
import { copiesAtOnce, extentsOf } from './copy-gate.ts'
import { type Layer, pass, refuse, type World } from './layer.ts'
import { decidePair } from './pair-command.ts'
import {
  addPair,
  freshPair,
  loadPair,
  named,
  nextSyncExtent,
  type Pair,
  type Pairs,
  pairsOn,
  rangeOfExtent,
  removePair,
  savePair,
  touchesCopy,
} from './pair-state.ts'
import { baseOf } from './preserve-state.ts'
import { type Request, requestOf } from './request.ts'
import { restoresOf } from './restore-state.ts'

export const pair: Layer<Pairs> = {
  name: 'pair',
  hears: [
    'io.write',
    'io.zeroes',
    'io.discard',
    'hold.released',
    'cod.released',
    'io.lost',
    'io.failed',
    'pair.created',
    'sync.started',
    'sync.finished',
    'pair.fractured',
    'pair.deleted',
    'copy.started',
    'copy.report',
    'restore.started',
    'restore.completed',
    'restore.cancelled',
    'engine.started',
  ],
  commands: ['pair.create', 'pair.sync', 'pair.fracture', 'pair.delete'],
  start: () => ({ created: 0, byTag: new Map(), byVolume: new Map() }),
  active: (state, volume) => state.byVolume.has(volume),

  admit(state, request) {
    for (const one of pairsOn(state, request.volume)) {
      if (!follows(one)) continue
      if (changes(request.op) && isBlocked(state, request)) {
        return one.gate.full ? refuse('E_QUEUE_FULL') : { fate: 'queued', code: 'ok', outcomes: [] }
      }
    }
    return pass
  },

  forbids(state, request) {
    const busy = pairsOn(state, request.volume).some((one) => one.clone === request.volume && follows(one))
    return busy ? 'E_BUSY_SYNC' : undefined
  },

  effect(state, event, world) {
    for (const one of pairsOn(state, event.volume)) trackWrite(one, event, world)
  },

  evolve(state, event, world) {
    switch (event.kind) {
      case 'pair.created':
        return create(state, event, world)
      case 'engine.started':
        for (const one of state.byTag.values()) {
          one.gate.restart()
          one.cursor = 0
        }
        return
      case 'copy.report': {
        const one = state.byTag.get(event.tag)
        return one === undefined ? undefined : reported(one, event, world)
      }
      case 'io.lost':
      case 'io.failed':
        return leave(state, event, world)
      case 'cod.released':
        leave(state, event, world)
        return wait(state, event, world)
      case 'io.write':
      case 'io.zeroes':
      case 'io.discard':
      case 'hold.released':
        return wait(state, event, world)
      default:
        turn(state, event, world)
    }
  },

  decide: decidePair,

  due(state) {
    for (const one of state.byTag.values()) {
      if (one.gate.length > 0) {
        const ready = one.gate.ready((request) => isBlocked(state, request))
        if (ready !== undefined) return { release: ready, as: 'cod.released' }
      }
      if (one.phase !== 'syncing') continue
      const e = one.gate.copying.count < copiesAtOnce ? nextSyncExtent(one) : -1
      if (e >= 0) {
        const extent = rangeOfExtent(one, e)
        return { outcome: { kind: 'copy.started', tag: one.tag, volume: one.clone, ...extent } }
      }
      if (one.cdm.count === 0) return { outcome: { kind: 'sync.finished', tag: one.tag } }
    }
    return undefined
  },

  targets(state, command) {
    if (command.kind === 'pair.create') {
      return [
        { role: 'pair', volume: count(command.detail, 'source') },
        { role: 'pair', volume: count(command.detail, 'clone') },
      ]
    }
    const one = named(state, text(command.detail, 'name'))
    if (one === undefined || command.kind === 'pair.delete') return []
    if (command.kind === 'pair.fracture') {
      return [{ role: one.phase === 'restoring' ? 'cancel' : 'fracture', volume: one.source }]
    }
    return [
      { role: 'sync-source', volume: one.source },
      { role: 'sync-clone', volume: one.clone },
    ]
  },
  marks(state, volume) {
    return pairsOn(state, volume).flatMap((one) => {
      if (one.clone === volume && one.phase === 'in-sync') return ['sync-clone'] as const
      if (one.phase !== 'syncing') return []
      return [one.clone === volume ? 'sync-clone' : 'sync-source'] as const
    })
  },

  abandon(state, code, session) {
    const ends = [...state.byTag.values()].flatMap((one) => one.gate.abandon(code, session))
    return [...new Map(ends.map((end) => [end.about, end])).values()]
  },
  resume: () => [],
  hash(state, lanes) {
    lanes.add(state.created, 5)
    for (const one of state.byTag.values()) {
      lanes.text(one.tag * 2 ** 32, one.phase)
      lanes.add(one.tag * 2 ** 32 + 64, one.source * 2 ** 26 + one.clone)
      lanes.add(one.tag * 2 ** 32 + 65, one.extent)
      if (one.rate > 0) lanes.add(one.tag * 2 ** 32 + 66, one.rate)
      if (one.external !== null) lanes.text(one.tag * 2 ** 32 + 128, one.external.path)
      lanes.include(one.tag * 4 + 2 ** 40, one.cdm.hashLow, one.cdm.hashHigh)
      one.gate.hash(one.tag * 4 + 2 ** 41, lanes)
    }
  },
  save: (state) => [state.created, [...state.byTag.values()].map(savePair)],
  load(saved) {
    const [created, pairs] = saved as [number, unknown[]]
    const state: Pairs = { created, byTag: new Map(), byVolume: new Map() }
    for (const one of pairs) addPair(state, loadPair(one))
    return state
  },
}

function create(state: Pairs, event: Event, world: World): void {
  const number = state.created + 1
  must(event.tag === number, 'G-I1', `pair ${event.tag} is created as number ${number}`)
  const one = freshPair(event, world)
  must(one !== undefined, 'G-I9', `pair ${event.tag} is created of volumes that make no pair`)
  state.created = event.tag
  addPair(state, one)
}

/** True while the clone follows its source: no host may use it. */
function follows(one: Pair): boolean {
  return one.phase === 'syncing' || one.phase === 'in-sync'
}

/** The turns of a pair's life, and the copies of a sync. */
function turn(state: Pairs, event: Event, world: World): void {
  const one = state.byTag.get(event.tag)
  must(one !== undefined, 'G-I9', `${event.kind} names pair ${event.tag}, which does not exist`)
  switch (event.kind) {
    case 'sync.started':
      must(one.phase === 'fractured', 'G-I9', `the sync of pair ${one.name} starts while it is ${one.phase}`)
      must(one.external === null, 'S4-I1', `the clone of pair ${one.name} lives outside and is only read`)
      one.cursor = 0
      one.phase = 'syncing'
      one.rate = countOr0(event.detail, 'rate')
      for (const other of pairsOn(state, one.source)) {
        for (const request of other.gate.waiting()) one.gate.enqueue(request)
      }
      return
    case 'sync.finished': {
      const left = one.cdm.count + one.gate.copying.count
      must(one.phase === 'syncing', 'G-I9', `the sync of pair ${one.name} ends while it is ${one.phase}`)
      must(left === 0, 'S3-I12', `pair ${one.name} is in sync with ${left} extents still to copy`)
      one.phase = 'in-sync'
      return
    }
    case 'pair.fractured':
      must(follows(one), 'G-I9', `pair ${one.name} is fractured while it is ${one.phase}`)
      one.phase = 'fractured'
      one.gate.restart()
      return one.gate.open()
    case 'pair.deleted':
      must(one.phase === 'fractured', 'G-I9', `pair ${one.name} is deleted while it is ${one.phase}`)
      must(one.gate.length === 0, 'G-I2', `pair ${one.name} is deleted while requests wait for its copies`)
      return removePair(state, one)
    case 'copy.started': {
      const e = extentsOf(event, one.extent).first
      if (event.volume !== one.clone) return
      const rule = one.phase === 'restoring' ? 'S4-I1' : 'S3-I2'
      must(one.phase === 'syncing', rule, `extent ${e} of pair ${one.name} is copied though no sync runs`)
      must(one.cdm.get(e), 'S3-I2', `extent ${e} of pair ${one.name} is copied though nothing differs`)
      return one.gate.began(e, event.seq)
    }
    case 'restore.started': {
      must(one.phase === 'fractured', 'G-I9', `the restore of ${one.name} starts while it is ${one.phase}`)
      const others = pairsOn(state, one.source).filter((other) => other !== one)
      for (const other of others) widen(other, one)
      one.phase = 'restoring'
      return
    }
    case 'restore.completed':
    case 'restore.cancelled': {
      const restore = restoresOf(world).byTag.get(one.tag)
      must(restore !== undefined, 'G-I9', `the restore of pair ${one.name} ends, none is running`)
      one.cdm.or(restore.prm)
      one.phase = event.kind === 'restore.completed' && !restore.protected ? 'in-sync' : 'fractured'
      for (const request of restore.gate.waiting()) one.gate.enqueue(request)
      return one.gate.open()
    }
    default:
  }
}

/** A write to a source waits while a copy runs on what it touches, or behind an older one that waits. */
function isBlocked(state: Pairs, request: Request): boolean {
  return pairsOn(state, request.volume).some(
    (one) => one.phase === 'syncing' && (one.gate.blockedByOlder(request) || touchesCopy(one.gate, request)),
  )
}

/** A request waits no longer; a read of a view may have come from a restore of its base that was cancelled. */
function leave(state: Pairs, { volume, about }: Event, world: World): void {
  for (const one of pairsOn(state, baseOf(world, volume))) one.gate.take(about)
}

/** A write that its entry queued waits at the gate of the pair that is being synced. A view is in no pair. */
function wait(state: Pairs, event: Event, world: World): void {
  if (event.fate !== 'queued' || baseOf(world, event.volume) !== event.volume) return
  const pairs = pairsOn(state, event.volume)
  if (pairs.some((one) => one.phase === 'restoring')) return
  const request = requestOf(event)
  must(
    isBlocked(state, request),
    'S3-I8',
    `write ${request.io} is queued though nothing it touches is copied`,
  )
  for (const one of pairs) if (one.phase === 'syncing') one.gate.enqueue(request)
}
