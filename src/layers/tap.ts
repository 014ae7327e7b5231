/**
 * Tap: a volume whose content another server has. Every host request that gets here is forwarded to that far server,
 * and takes effect with what it answers; so the record has each request twice, when it came and when it was answered.
 *
 *     request ─▶ forwarded ── tap.report, ok ─────▶ tap.released: it takes effect
 *                    ├─────── tap.report, error ──▶ io.failed
 *                    └─────── tap.detach, a crash ▶ io.lost: nobody knows what became of it
 *
 *     tap.attached ─▶ attached ── tap.detached ──▶ ended: hosts are refused
 *                        └── the recorder starts anew ──┴──▶ over: a volume like others, with what was recorded
 *
 *     T-I1  a request is released, failed or lost once, after it was forwarded, while its tap is attached
 *     T-I2  nothing but what the far server answered changes a tapped volume
 *
 * Not from a seed. Which of its blocks the record knows: tap-state.ts.
 */

import { must } from '../core/assert.ts'
import type { Code } from '../events/code.ts'
import type { Event, NewEvent } from '../events/columns.ts'
import { count, text } from '../events/detail.ts'
import { type Command, type Decision, type Layer, pass, refuse, volumeOf, type World } from './layer.ts'
import { endOf, releaseOf, requestOf } from './request.ts'
import { doubt, learn, loadTap, mayHaveChanged, newTap, saveTap, type Tap, type Taps } from './tap-state.ts'

/** More requests than this at a far server, and new ones are refused E_QUEUE_FULL. */
export const maxForwarded = 65_536

/** A map of what is known has at most so many blocks. */
const maxBlocks = 2 ** 31 - 1
const phases: readonly Tap['phase'][] = ['attached', 'ended', 'over']

export const tap: Layer<Taps> = {
  name: 'tap',
  hears: [
    'io.read',
    'io.write',
    'io.zeroes',
    'io.discard',
    'io.flush',
    'hold.released',
    'cod.released',
    'tap.released',
    'io.failed',
    'io.lost',
    'tap.attached',
    'tap.detached',
    'volume.deleted',
    'engine.started',
  ],
  commands: ['tap.attach', 'tap.report', 'tap.detach'],
  start: () => ({ byVolume: new Map() }),
  active: (state, volume) => isActive(state.byVolume.get(volume)),
  forbids: () => undefined,

  admit(state, request) {
    const one = state.byVolume.get(request.volume)
    if (one === undefined || one.phase === 'over') return pass
    if (one.phase === 'ended') return refuse('E_TAP_ENDED')
    if (one.waiting.size >= maxForwarded) return refuse('E_QUEUE_FULL')
    return { fate: 'forwarded', code: 'ok', outcomes: [] }
  },

  effect(state, event, world) {
    const one = state.byVolume.get(event.volume)
    if (one === undefined) return
    const answered = event.kind === 'tap.released'
    must(answered, 'T-I2', `${event.kind} ${event.seq} changes a tapped volume`)
    const block = volumeOf(world, event.volume)!.block
    if (event.op === 'discard' && event.detail.zeros !== true) doubt(one, event, block)
    else learn(one, event, block)
  },

  evolve(state, event, world) {
    switch (event.kind) {
      case 'tap.attached':
        return attached(state, event, world)
      case 'tap.detached': {
        const one = state.byVolume.get(event.volume)
        must(one?.phase === 'attached', 'T-I1', `the tap of volume ${event.volume} ends but is not attached`)
        must(one.waiting.size === 0, 'T-I1', `the tap of volume ${event.volume} ends while requests wait`)
        one.phase = 'ended'
        return
      }
      case 'engine.started':
        for (const one of state.byVolume.values()) one.phase = 'over'
        return
      case 'volume.deleted':
        state.byVolume.delete(event.volume)
        return
      case 'tap.released':
      case 'io.failed':
      case 'io.lost':
        return ended(state.byVolume.get(event.volume), event, world)
      default:
        if (event.fate === 'forwarded') forwarded(state.byVolume.get(event.volume), event)
    }
  },

  decide: decideTap,
  due: () => undefined,
  targets: (_state, command) =>
    command.kind === 'tap.attach' ? [{ role: 'tap', volume: command.volume }] : [],
  marks: (state, volume) => (isActive(state.byVolume.get(volume)) ? ['tapped'] : []),
  /** A host that left does not end what it asked for: the far server answers it all the same. */
  abandon: (state, code, session) =>
    session === undefined ? [...state.byVolume.values()].flatMap((one) => lost(one, code)) : [],
  resume: () => [],
  hash(state, lanes) {
    for (const { volume, copied, phase, marked, waiting } of state.byVolume.values()) {
      lanes.add(volume, 1 + phases.indexOf(phase) * 2 + (copied ? 1 : 0))
      lanes.include(volume + 2 ** 20, marked.hashLow, marked.hashHigh)
      for (const io of waiting.keys()) lanes.add(volume + 2 ** 21, io)
    }
  },
  save: (state) => [...state.byVolume.values()].map(saveTap),
  load(saved) {
    const taps = ((saved ?? []) as unknown[]).map(loadTap)
    return { byVolume: new Map(taps.map((one) => [one.volume, one])) }
  },
}

function isActive(one: Tap | undefined): boolean {
  return one !== undefined && one.phase !== 'over'
}

function attached(state: Taps, { volume, detail }: Event, world: World): void {
  const of = volumeOf(world, volume)
  must(of !== undefined, 'T-I1', `volume ${volume} is tapped, which does not exist`)
  must(!isActive(state.byVolume.get(volume)), 'T-I1', `volume ${volume} is tapped twice`)
  const blocks = of.size / of.block
  state.byVolume.set(volume, newTap(volume, text(detail, 'uri'), detail.copied === true, blocks))
}

function forwarded(one: Tap | undefined, event: Event): void {
  const request = requestOf(event)
  must(one?.phase === 'attached', 'T-I1', `request ${request.io} is forwarded though no tap is attached`)
  one.waiting.set(request.io, request)
}

/**
 * A request that was forwarded ends, well or not; others of the volume may end elsewhere. One that is released and has
 * no effect was to be merged with blocks that are damaged here.
 */
function ended(one: Tap | undefined, event: Event, world: World): void {
  const request = one?.waiting.get(event.about)
  const released = event.kind === 'tap.released'
  must(!released || request !== undefined, 'T-I1', `request ${event.about} is released but was not forwarded`)
  if (one === undefined || request === undefined) return
  one.waiting.delete(event.about)
  if (event.fate === 'passed' || !mayHaveChanged(request, event.code)) return
  doubt(one, request, volumeOf(world, request.volume)!.block)
}

function lost(one: Tap, code: Code): NewEvent[] {
  const waiting = [...one.waiting.values()].sort((a, b) => a.io - b.io)
  return waiting.map((request) => endOf('io.lost', request, code))
}

function decideTap(state: Taps, command: Command, world: World): Decision {
  if (command.kind === 'tap.attach') return attach(command, world)
  const one = state.byVolume.get(command.volume)
  if (one === undefined || one.phase !== 'attached') return 'E_NOT_ACTIVE'
  const { volume, code, about } = command
  if (command.kind === 'tap.detach') {
    return [...lost(one, code === 'ok' ? 'E_STOPPED' : code), { kind: 'tap.detached', volume, code }]
  }
  const request = one.waiting.get(about)
  if (request === undefined) return 'E_NOT_ACTIVE'
  if (code !== 'ok') return [endOf('io.failed', request, code)]
  const released = releaseOf('tap.released', request, 'passed', 'ok')
  return [command.detail.zeros === true ? { ...released, detail: { zeros: true } } : released]
}

/** The volume must be as long as the far disk, and have no more blocks than a map of them has. */
function attach({ volume, detail }: Command, world: World): Decision {
  const of = volumeOf(world, volume)
  if (of === undefined) return 'E_NO_VOLUME'
  if (count(detail, 'size') !== of.size || of.size / of.block > maxBlocks) return 'E_SIZE'
  return [
    { kind: 'tap.attached', volume, detail: { uri: text(detail, 'uri'), copied: detail.copied === true } },
  ]
}
