/**
 * The metadata fence (seed S0): the metadata through which data is found is overwritten by a pattern while somebody,
 * the owner, works on the data; hosts cannot get at what they cannot find. Then valid metadata is written back.
 *
 *     fence.raise ─▶ closing ─▶ saving ─▶ raising ─▶ fenced ─▶ operating ─▶ ready ─▶ lowering ─▶ gone
 *                     (drain)      └▶ restoring ─┘      ▲ └─── stuck ◀──┘(failed)     ▲
 *                                  (image metadata      └─ operate again     force ───┘
 *                                   first: claim 9)
 *
 * Saving is a due outcome once nothing admitted is on its way; the pattern's bytes are made by the engine when the
 * frame of fence.saved is durable, and come back as fence.pattern: so no pattern without its saved copy (S0-I1).
 * Lowering writes the newest copy of each block, the mountable block last and in a later frame than the others.
 * Enforced, the default: others read the pattern, may not write metadata, and may not touch covered data. Advisory:
 * as the claims have it, others are not stopped, their requests are recorded as violations; metadata writes alone are
 * refused until the pattern is in. A crash aborts what is not raised and stops an operation; lowering is done again
 * (SPEC 2.6). Claims: 1-33. Internal writes are effect records, so that clones and restores keep account of them.
 */

import { must } from '../core/assert.ts'
import type { Event, NewEvent } from '../events/columns.ts'
import { changes } from '../events/kind.ts'
import { decideFence, lowering } from './fence-command.ts'
import { fenceDue } from './fence-due.ts'
import { foldFence } from './fence-fold.ts'
import { barred, effectOn, passedBy, refusedBy } from './fence-gate.ts'
import { hashFence, loadFence, saveFence } from './fence-snapshot.ts'
import {
  addFence,
  type Fence,
  type Fences,
  fencesOn,
  isClosing,
  isQuiet,
  noFences,
  of,
} from './fence-state.ts'
import { type Due, type Layer, pass, type World } from './layer.ts'
import { pairsOf } from './pair-state.ts'

export const fence: Layer<Fences> = {
  name: 'fence',
  hears: [
    'io.read',
    'io.write',
    'io.zeroes',
    'io.discard',
    'fence.pattern',
    'fence.flushed',
    'mover.report',
    'restore.started',
    'restore.completed',
    'restore.cancelled',
    'fence.requested',
    'fence.saved',
    'fence.pattern_written',
    'fence.raised',
    'fence.meta_updated',
    'fence.meta_buffered',
    'fence.meta_restored',
    'op.started',
    'op.finished',
    'op.failed',
    'fence.lowering',
    'fence.meta_written',
    'fence.lowered',
    'fence.aborted',
    'fence.violation',
    'fence.taken_over',
    'fence.forced',
    'mover.requested',
    'mover.dispatched',
    'mover.copied',
    'mover.done',
  ],
  commands: [
    'fence.raise',
    'fence.update',
    'fence.operate',
    'fence.finish',
    'fence.lower',
    'fence.abort',
    'fence.takeover',
    'fence.force',
    'fence.fail',
    'fence.pattern',
    'fence.flushed',
    'mover.request',
    'mover.report',
  ],
  start: noFences,
  active: (state, volume) => state.byVolume.has(volume),

  admit: () => pass,
  forbids(state, request) {
    for (const one of fencesOn(state, request.volume)) {
      const code = barred(one, request)
      if (code !== undefined) return code
    }
    return undefined
  },

  effect(state, event) {
    for (const one of fencesOn(state, event.volume)) effectOn(one, event)
  },

  evolve(state, event, world) {
    switch (event.kind) {
      case 'io.read':
      case 'io.write':
      case 'io.zeroes':
      case 'io.discard':
        return heard(state, event)
      case 'restore.started':
      case 'restore.completed':
      case 'restore.cancelled':
        return behind(state, event, world)
      default:
        return foldFence(state, event, world)
    }
  },

  decide: decideFence,

  due(state, world): Due | undefined {
    if (state.byTag.size === 0) return undefined
    for (const one of state.byTag.values()) {
      const outcome = fenceDue(one, world)
      if (outcome !== undefined) return { outcome }
    }
    return undefined
  },

  targets: (_state, command) =>
    command.kind === 'fence.raise' ? [{ role: 'fence', volume: command.volume }] : [],
  marks: (state, volume, session) =>
    fencesOn(state, volume).map((one) => {
      if (session !== one.owner || !(isQuiet(one) || one.pair !== 0)) return 'fenced'
      return one.full ? 'fenced-own-full' : 'fenced-own'
    }),

  abandon: () => [],
  resume: (state) => [...state.byTag.values()].flatMap(afterCrash),

  hash(state, lanes) {
    if (state.requested > 0) lanes.add(state.requested, 7)
    for (const one of state.byTag.values()) hashFence(one, lanes)
  },
  save: (state) => [state.requested, [...state.byTag.values()].map(saveFence)],
  load(saved) {
    const [requested, fences] = saved as [number, unknown[]]
    const state = noFences()
    state.requested = requested
    for (const one of fences) addFence(state, loadFence(one))
    return state
  },
}

/** What a fence found after a restart becomes (SPEC 2.6): what is not raised goes back, what ran stands still. */
function afterCrash(one: Fence): NewEvent[] {
  if (one.phase === 'lowering') return [lowering(one, one.kind)]
  if (isClosing(one)) return [{ ...of(one, 'fence.aborted'), code: 'E_CRASH' }]
  if (one.phase === 'operating' && one.pair === 0) return [{ ...of(one, 'op.failed'), code: 'E_CRASH' }]
  return []
}

/** A host request: what was let through must have been allowed, what was refused must have touched a fence. */
function heard(state: Fences, event: Event): void {
  if (event.fate === 'refused') {
    if (event.code === 'E_FENCED') refusedBy(fencesOn(state, event.volume), event)
  } else if (event.fate !== 'passed' || !changes(event.op)) {
    for (const one of fencesOn(state, event.volume)) passedBy(one, event)
  }
}

/**
 * A restore of the fenced volume from its clone is an operation behind the fence (SPEC 7.1, rule 5). One that is cancelled
 * failed: what lies there is neither the old content nor the clone's.
 */
function behind(state: Fences, event: Event, world: World): void {
  const pair = pairsOf(world).byTag.get(event.tag)
  if (pair === undefined) return
  for (const one of fencesOn(state, pair.source)) {
    if (event.kind === 'restore.started') {
      const alone = one.full && isQuiet(one) && event.detail.protected === true
      must(
        alone,
        'X-I4',
        `a restore of pair ${pair.name} begins behind fence ${one.name}, which is ${one.phase}`,
      )
      one.pair = event.tag
      one.dirty = true
      one.phase = 'operating'
    } else if (one.pair === event.tag) {
      one.pair = 0
      one.phase = event.kind === 'restore.completed' ? 'ready' : 'stuck'
    }
  }
}
