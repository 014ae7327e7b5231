/**
 * Preserve (seed S2): views of a base volume, one-way mirrors with a lookup table. A view begins as its base and shows
 * every later write to the base; writes to the view never reach the base.
 *
 *     preserve.created ─▶ open ── merge.started ──▶ merging ── merge.finished ──▶ gone
 *                          └─────── preserve.dropped ───────────────────────────▶ gone
 *
 *     write to the base (W1)    its blocks leave the table of every view, and image 2 forgets them
 *     write to a view (W2)      its blocks join the table, and lie in image 2: the view's own block map; what it leaves
 *                               of a block that was its base's is merged in, so it passes the base's gates as a read
 *     read of a view (R2)       block by block image 2 or the base, by the table (volume/content.ts)
 *
 * A view may have a bound: a write that image 2 has no room for is refused E_NOSPC before the table changes; the base is
 * not affected, the view stays as it is, and what lies in image 2 already may be written again (SPEC 4.7).
 *
 * Nothing waits here: creating a view moves nothing, and table and store change with one event. What a view shows of
 * its base passes the gates of the base (SPEC 7.1, rule 3): see the restore layer. A merge makes the content of a view
 * that of its base, run by run, each an effect record on the base like a host's write; a run under a running copy
 * waits for its end. Sessions that are rebound reach the view wherever they name the base (SPEC 7.3).
 * Claims: 1, 3-14, 44 and their mirrors 15-28, 29-43, 45, 46.
 */

import { must } from '../core/assert.ts'
import { Bitmap } from '../core/bitmap.ts'
import type { Range } from '../core/range.ts'
import { type Event, takesEffect } from '../events/columns.ts'
import { count, countOr0 } from '../events/detail.ts'
import { changes } from '../events/kind.ts'
import { inFlightOf } from './in-flight.ts'
import { type Due, type Layer, pass, refuse, type Volume, volumeOf, type World } from './layer.ts'
import { blocksOf } from './pair-state.ts'
import { decidePreserve, nextRun } from './preserve-command.ts'
import {
  addOverlay,
  loadOverlay,
  maxBlocks,
  nextStored,
  type Overlay,
  type Preserves,
  removeOverlay,
  saveOverlay,
  viewsOf,
} from './preserve-state.ts'
import type { Request } from './request.ts'
import { checkPassed } from './restore-gate.ts'
import { restoreAt, restoresOf } from './restore-state.ts'

export const preserve: Layer<Preserves> = {
  name: 'preserve',
  hears: [
    'preserve.created',
    'preserve.dropped',
    'merge.started',
    'merge.block',
    'merge.finished',
    'session.rebound',
    'session.closed',
    'engine.started',
  ],
  commands: ['preserve.create', 'preserve.drop', 'preserve.merge', 'session.rebind'],
  start: () => ({ byView: new Map(), byBase: new Map(), rebound: new Map() }),
  active: (state, volume) => state.byView.has(volume) || state.byBase.has(volume),
  forbids: () => undefined,
  admit(state, request, world) {
    const own = state.byView.get(request.volume)
    return own === undefined || hasRoom(own, request, world) ? pass : refuse('E_NOSPC')
  },

  effect(state, event, world) {
    const { first, count: blocks } = blocksOf(event, volumeOf(world, event.volume)!)
    const own = state.byView.get(event.volume)
    if (own !== undefined) {
      const restore = restoreAt(restoresOf(world), event, world)
      if (restore !== undefined) checkPassed(restore, event, world)
      return store(own, first, first + blocks)
    }
    for (const overlay of viewsOf(state, event.volume)) forget(overlay, first, first + blocks, world)
  },

  evolve(state, event, world) {
    switch (event.kind) {
      case 'preserve.created':
        return addOverlay(state, created(state, event, world))
      case 'preserve.dropped': {
        const overlay = known(state, event)
        must(overlay.phase === 'open', 'S2-I9', `view ${overlay.view} is dropped while it is merged`)
        return end(state, overlay, world)
      }
      case 'merge.started': {
        const overlay = known(state, event)
        const busy = viewsOf(state, overlay.base).some((other) => other.phase === 'merging')
        must(!busy, 'S2-I9', `the merge of view ${overlay.view} starts while another runs on its base`)
        const blocks = count(event.detail, 'blocks')
        must(
          blocks === overlay.table.count,
          'S2-I9',
          `view ${overlay.view} has not ${blocks} blocks of its own`,
        )
        overlay.phase = 'merging'
        return
      }
      case 'merge.block':
        return merged(state, event, world)
      case 'merge.finished': {
        const overlay = known(state, event)
        const left = overlay.table.count
        must(overlay.phase === 'merging', 'S2-I9', `the merge of view ${overlay.view} ends but never began`)
        must(left === 0, 'S2-I9', `the merge of view ${overlay.view} ends with ${left} blocks still its own`)
        return end(state, overlay, world)
      }
      case 'session.rebound':
        return rebind(state, event, world)
      case 'session.closed':
        state.rebound.delete(event.session)
        return
      case 'engine.started':
        state.rebound.clear()
        return
      default:
    }
  },

  decide: decidePreserve,

  due(state, world): Due | undefined {
    if (state.byView.size === 0) return undefined
    for (const overlay of state.byView.values()) {
      if (overlay.phase !== 'merging') continue
      if (overlay.table.count === 0) return { outcome: { kind: 'merge.finished', volume: overlay.view } }
      const run = nextRun(overlay, world)
      if (run !== undefined) return { outcome: run }
    }
    return undefined
  },

  targets(state, command) {
    const { kind, detail } = command
    if (kind === 'preserve.create') return [{ role: 'preserve', volume: count(detail, 'base') }]
    if (kind === 'session.rebind') return [{ role: 'rebind', volume: count(detail, 'to') }]
    const view = count(detail, 'view')
    if (kind === 'preserve.drop') return [{ role: 'drop', volume: view }]
    const base = state.byView.get(view)?.base
    return base === undefined ? [] : [base, view].map((volume) => ({ role: 'merge', volume }))
  },
  marks(state, volume) {
    const own = state.byView.get(volume)
    if (own !== undefined) return own.phase === 'merging' ? ['overlay-view', 'merging'] : ['overlay-view']
    const views = viewsOf(state, volume)
    if (views.length === 0) return []
    const merging = views.some((overlay) => overlay.phase === 'merging')
    return merging ? ['overlay-base', 'merging'] : ['overlay-base']
  },

  abandon: () => [],
  resume: () => [],
  hash(state, lanes) {
    for (const { view, base, createdSeq, maxBlocks: most, table, phase } of state.byView.values()) {
      lanes.add(view, base * 2 + (phase === 'merging' ? 1 : 0))
      lanes.add(view + 2 ** 20, createdSeq)
      if (most > 0) lanes.add(view + 2 ** 22, most)
      lanes.include(view + 2 ** 21, table.hashLow, table.hashHigh)
    }
    for (const [session, views] of state.rebound) {
      for (const [base, view] of views) lanes.add(2 ** 50 + session * 2 ** 16 + base, view)
    }
  },
  save: (state) => [
    [...state.byView.values()].map(saveOverlay),
    [...state.rebound].map(([session, views]) => [session, [...views]]),
  ],
  load(saved) {
    const [overlays, rebound] = saved as [unknown[], [number, [number, number][]][]]
    const state = preserve.start()
    for (const one of overlays) addOverlay(state, loadOverlay(one))
    for (const [session, views] of rebound) state.rebound.set(session, new Map(views))
    return state
  },
}

function created(state: Preserves, event: Event, world: World): Overlay {
  const base = volumeOf(world, count(event.detail, 'base'))
  must(base !== undefined, 'G-I9', `view ${event.volume} is of a volume that does not exist`)
  must(!state.byView.has(base.id), 'G-I9', `view ${event.volume} is of volume ${base.id}, a view itself`)
  const blocks = base.size / base.block
  must(blocks < maxBlocks, 'G-I9', `view ${event.volume} is of a volume with ${blocks} blocks`)
  const table = new Bitmap(blocks)
  const mostBlocks = Math.floor(countOr0(event.detail, 'maxBytes') / base.block)
  const plain = { view: event.volume, base: base.id, createdSeq: event.seq, maxBlocks: mostBlocks }
  return { ...plain, table, phase: 'open', cursor: 0 }
}

/**
 * True when image 2 has room for a request. A block that lies there already takes none, so a write over it never fails;
 * zeros take a block as data does, because data may be written over them.
 */
function hasRoom({ table, maxBlocks, view }: Overlay, request: Request, world: World): boolean {
  if (maxBlocks === 0 || !changes(request.op)) return true
  const coming = new Set<number>()
  const take = (range: Range) => {
    const { first, count: blocks } = blocksOf(range, volumeOf(world, view)!)
    for (let block = first; block < first + blocks; block++) if (!table.get(block)) coming.add(block)
  }
  for (const one of inFlightOf(world).queued.values()) if (one.volume === view && changes(one.op)) take(one)
  take(request)
  return table.count + coming.size <= maxBlocks
}

/** W2: the blocks lie in image 2 from now on. */
function store(overlay: Overlay, first: number, stop: number): void {
  for (let block = first; block < stop; block++) overlay.table.set(block)
  const { table, maxBlocks: most, view } = overlay
  const fits = most === 0 || table.count <= most
  must(fits, 'S2-I8', `view ${view} has ${table.count} blocks in image 2, which has room for ${most}`)
  overlay.cursor = Math.min(overlay.cursor, first)
}

/** W1: the view shows the base again, and image 2 forgets what it held there. */
function forget(overlay: Overlay, first: number, stop: number, world: World): void {
  const { table, view } = overlay
  const image = imageTwo(view, world)
  for (let block = nextStored(table, first, stop); block < stop; block = nextStored(table, block + 1, stop)) {
    table.clear(block)
  }
  image.map.zero(first, stop - first)
}

/** What a merge writes to the base must be what the view shows there by itself. */
function merged(state: Preserves, event: Event, world: World): void {
  const { volume, offset, length, op, payload } = event
  const overlay = viewsOf(state, volume).find((one) => one.phase === 'merging')
  must(overlay !== undefined, 'S2-I9', `block ${offset} of volume ${volume} is merged though no merge runs`)
  const { map, block, size } = imageTwo(overlay.view, world)
  const whole = offset % block === 0 && length % block === 0 && length > 0
  const fits = whole && offset >= 0 && offset + length <= size && takesEffect(event)
  must(fits, 'S2-I9', `the merge of view ${overlay.view} writes ${length} bytes at ${offset}`)
  const { first, count: blocks } = blocksOf(event, imageTwo(overlay.view, world))
  for (let k = 0; k < blocks; k++) {
    const own = overlay.table.get(first + k)
    must(own, 'S2-I9', `block ${first + k} is merged though it does not lie in image 2`)
    const place = op === 'write' ? payload + k * map.step : 0
    const same = map.get(first + k) === place
    must(same, 'S2-I9', `block ${first + k} is merged with other content than the view shows`)
  }
}

/** The view is no more; whoever waited for it has his answer by now. */
function end(state: Preserves, overlay: Overlay, world: World): void {
  const { held, queued } = inFlightOf(world)
  for (const requests of [held, queued]) {
    for (const { io, volume } of requests.values()) {
      must(volume !== overlay.view, 'G-I2', `request ${io} waits for view ${volume}, which ends`)
    }
  }
  removeOverlay(state, overlay)
}

function rebind(state: Preserves, event: Event, world: World): void {
  const { session } = event
  const from = count(event.detail, 'from')
  const to = count(event.detail, 'to')
  must(world.sessions.has(session), 'G-I9', `session ${session} is rebound but is not open`)
  must(state.byView.get(to)?.base === from, 'G-I9', `volume ${to} is no view of volume ${from}`)
  for (const { io, ...request } of inFlightOf(world).queued.values()) {
    const late = request.session === session && request.volume === from
    must(!late, 'X-I8', `request ${io} of session ${session} still waits below the gate of volume ${from}`)
  }
  const views = state.rebound.get(session) ?? new Map<number, number>()
  state.rebound.set(session, views.set(from, to))
}

function known(state: Preserves, event: Event): Overlay {
  const overlay = state.byView.get(event.volume)
  must(overlay !== undefined, 'G-I9', `${event.kind} names volume ${event.volume}, which is no view`)
  return overlay
}

function imageTwo(view: number, world: World): Volume {
  return volumeOf(world, view)!
}
