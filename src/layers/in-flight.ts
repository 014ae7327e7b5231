/**
 * In-flight: every request that was submitted and has neither taken effect nor ended, wherever it waits.
 *
 *     submitted ──▶ held ──▶ queued ──▶ (takes effect)
 *               └────────────▶ queued ─┘      └──▶ dropped, lost, failed
 *
 * It stands at the bottom of the stack and lets everything pass; it exists so that there is one place that knows
 * what still waits: a backup quiesces until nothing admitted is left (SPEC 3.3), the end of a session or a crash
 * ends exactly these, and a history that ends a request twice is caught (G-I2).
 */

import { must } from '../core/assert.ts'
import { Lanes } from '../core/lanes.ts'
import { changes } from '../events/kind.ts'
import { type Layer, pass, type World } from './layer.ts'
import { type Request, requestOf } from './request.ts'

export interface InFlight {
  readonly held: Map<number, Request>
  readonly queued: Map<number, Request>
  /** Writes that passed the hold gate and wait below it, by volume. */
  readonly admitted: Map<number, number>
  /** Set hash of who waits where. */
  readonly lanes: Lanes
}

export const inFlight: Layer<InFlight> = {
  name: 'in-flight',
  hears: [
    'io.read',
    'io.write',
    'io.zeroes',
    'io.discard',
    'hold.released',
    'cod.released',
    'hold.dropped',
    'io.failed',
    'io.lost',
    'engine.recovered',
  ],
  commands: [],
  start: () => ({ held: new Map(), queued: new Map(), admitted: new Map(), lanes: new Lanes() }),
  active: () => false,
  forbids: () => undefined,
  admit: () => pass,
  effect: () => undefined,
  evolve(state, event) {
    switch (event.kind) {
      case 'hold.released':
        must(unhold(state, event.about), 'G-I2', `request ${event.about} is released but was not held`)
        break
      case 'cod.released':
        must(leave(state, event.about), 'G-I2', `request ${event.about} is released but was not queued`)
        break
      case 'hold.dropped':
      case 'io.failed':
      case 'io.lost': {
        const waited = unhold(state, event.about) || leave(state, event.about)
        must(waited, 'G-I2', `request ${event.about} ends but was not waiting`)
        break
      }
      case 'engine.recovered':
        must(state.held.size + state.queued.size === 0, 'S3-I17', 'requests still wait after the recovery')
        break
      default:
    }
    if (event.fate === 'held') hold(state, requestOf(event))
    if (event.fate === 'queued') enter(state, requestOf(event))
  },
  decide: () => 'E_UNSUPPORTED',
  due: () => undefined,
  targets: () => [],
  marks: () => [],
  abandon: () => [],
  resume: () => [],
  hash(state, lanes) {
    lanes.include(2 ** 44, state.lanes.low, state.lanes.high)
  },
  save: (state) => [[...state.held.values()], [...state.queued.values()]],
  load(saved) {
    const [held, queued] = saved as [Request[], Request[]]
    const state = inFlight.start()
    for (const request of held) hold(state, request)
    for (const request of queued) enter(state, request)
    return state
  },
}

function hold(state: InFlight, request: Request): void {
  state.held.set(request.io, request)
  state.lanes.add(request.io, 1)
}

function unhold(state: InFlight, io: number): boolean {
  if (!state.held.delete(io)) return false
  state.lanes.remove(io, 1)
  return true
}

function enter(state: InFlight, request: Request): void {
  state.lanes.add(request.io, 2)
  state.queued.set(request.io, request)
  if (changes(request.op)) {
    state.admitted.set(request.volume, (state.admitted.get(request.volume) ?? 0) + 1)
  }
}

function leave(state: InFlight, io: number): boolean {
  const request = state.queued.get(io)
  if (request === undefined) return false
  state.queued.delete(io)
  state.lanes.remove(io, 2)
  if (changes(request.op)) {
    const left = (state.admitted.get(request.volume) ?? 0) - 1
    if (left > 0) state.admitted.set(request.volume, left)
    else state.admitted.delete(request.volume)
  }
  return true
}

/** This layer's state in the world. */
export function inFlightOf(world: World): InFlight {
  return world.own['in-flight'] as InFlight
}

/** How many writes passed the hold gate of a volume and still wait below it. */
export function admittedWrites(world: World, volume: number): number {
  return inFlightOf(world).admitted.get(volume) ?? 0
}

/** How many requests wait, held and queued. */
export function waiting(world: World): number {
  const { held, queued } = inFlightOf(world)
  return held.size + queued.size
}
