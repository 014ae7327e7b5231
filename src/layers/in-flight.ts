/**
 * In-flight: every request that was submitted and has neither taken effect nor ended, wherever it waits.
 *
 *     submitted ──▶ held ──▶ queued ──▶ (takes effect)
 *               └────────────▶ queued ─┘      └──▶ dropped, lost, failed
 *
 * What a tap forwarded to its far server waits with the queued ones.
 *
 * It stands at the bottom of the stack and lets everything pass; it exists so that there is one place that knows
 * what still waits: a backup quiesces until nothing admitted is left (SPEC 3.3), the end of a session or a crash
 * ends exactly these, and a history that ends a request twice, or releases another than was submitted, is caught (G-I2).
 */

import { must } from '../core/assert.ts'
import { Lanes } from '../core/lanes.ts'
import type { Event } from '../events/columns.ts'
import { changes } from '../events/kind.ts'
import { type Layer, pass, volumeOf, type World } from './layer.ts'
import { reached } from './preserve-state.ts'
import { type Request, requestOf } from './request.ts'
import { isMerged } from './sub-block.ts'

export interface InFlight {
  readonly held: Map<number, Request>
  readonly queued: Map<number, Request>
  /** Writes that passed the hold gate and wait below it, by volume. */
  readonly admitted: Map<number, number>
  /** Set hash of who waits where. */
  readonly lanes: Lanes
}

const fields = [
  'session',
  'request',
  'volume',
  'op',
  'flags',
  'offset',
  'length',
  'payload',
] as const satisfies readonly (keyof Request)[]

export const inFlight: Layer<InFlight> = {
  name: 'in-flight',
  hears: [
    'io.read',
    'io.write',
    'io.zeroes',
    'io.discard',
    'io.flush',
    'hold.released',
    'cod.released',
    'tap.released',
    'hold.dropped',
    'hold.failed',
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
  evolve(state, event, world) {
    switch (event.kind) {
      case 'hold.released':
        released(unhold(state, event.about), event, world)
        break
      case 'cod.released':
      case 'tap.released':
        released(leave(state, event.about), event, world)
        break
      case 'hold.dropped':
      case 'hold.failed':
        unhold(state, event.about)
        break
      case 'io.failed':
      case 'io.lost': {
        const early = state.held.has(event.about)
        must(!early, 'S1-I7', `request ${event.about} ends as ${event.kind} while it is held`)
        const waited = leave(state, event.about)
        must(waited !== undefined, 'G-I2', `request ${event.about} ends but was not waiting`)
        break
      }
      case 'engine.recovered':
        must(state.queued.size === 0, 'S3-I17', 'requests are still queued after the recovery')
        break
      default:
    }
    if (event.fate === 'held') {
      must(changes(event.op), 'S1-I10', `request ${event.seq} changes nothing and is held`)
      hold(state, requestOf(event))
    }
    if (event.fate === 'queued' || event.fate === 'forwarded') enter(state, requestOf(event))
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

function unhold(state: InFlight, io: number): Request | undefined {
  const request = state.held.get(io)
  if (state.held.delete(io)) state.lanes.remove(io, 1)
  return request
}

function enter(state: InFlight, request: Request): void {
  state.lanes.add(request.io, 2)
  state.queued.set(request.io, request)
  if (changes(request.op)) {
    state.admitted.set(request.volume, (state.admitted.get(request.volume) ?? 0) + 1)
  }
}

function leave(state: InFlight, io: number): Request | undefined {
  const request = state.queued.get(io)
  if (request === undefined) return undefined
  state.queued.delete(io)
  state.lanes.remove(io, 2)
  if (changes(request.op)) {
    const left = (state.admitted.get(request.volume) ?? 0) - 1
    if (left > 0) state.admitted.set(request.volume, left)
    else state.admitted.delete(request.volume)
  }
  return request
}

/**
 * A release lets go what waited, and says of it what its submission said; a rebound session's goes to its view. One of
 * part of a block, which takes effect with it, names the merged blocks instead of the host's bytes.
 */
function released(request: Request | undefined, event: Event, world: World): void {
  must(request !== undefined, 'G-I2', `request ${event.about} is released but was not waiting`)
  const asked = requestOf(event)
  const volume = reached(world, request.session, request.volume)
  const merged = isMerged(event, volumeOf(world, event.volume)?.block ?? 1)
  const payload = merged ? event.payload : request.payload
  const known = { ...request, payload, volume: asked.volume === volume ? volume : request.volume }
  const same = fields.every((field) => asked[field] === known[field])
  must(same, 'G-I2', `request ${event.about} is released as another than it was submitted`)
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
