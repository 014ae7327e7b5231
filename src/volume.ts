/**
 * The stack. Every host request of a volume passes these layers from the top down; a layer may let it pass, refuse
 * it, or make it wait; what is released goes on with the layers below. Read this first.
 *
 *     host request ─▶ (session, volume, range) ─▶ fence ─▶ hold queue ─▶ preserve ─▶ pair ─▶ restore ─▶ tap ─▶ in flight
 *                                                                                                        └─▶ block map
 *
 * A write takes effect, and commits, at one event: its input when every gate passes it, otherwise the outcome with
 * which the last gate releases it; one of part of a block is merged there (layers/sub-block.ts). Live engine, recovery, replay and views all fold events with `evolve`, here.
 * volume/entry.ts makes the events of an input; volume/snapshot.ts hashes, saves and loads the state.
 */

import { must, Violation } from './core/assert.ts'
import type { Code } from './events/code.ts'
import { type Event, type NewEvent, takesEffect } from './events/columns.ts'
import { count, text } from './events/detail.ts'
import { changes, isInput, type Kind, kindNames } from './events/kind.ts'
import { branch } from './layers/branch.ts'
import { commandKey } from './layers/command-key.ts'
import { device } from './layers/device.ts'
import { fence } from './layers/fence.ts'
import { holdQueue } from './layers/hold-queue.ts'
import { inFlight } from './layers/in-flight.ts'
import { type Layer, pass, refuse, type Verdict, type Volume, volumeOf, type World } from './layers/layer.ts'
import { pair } from './layers/pair.ts'
import { preserve } from './layers/preserve.ts'
import type { Request } from './layers/request.ts'
import { restore } from './layers/restore.ts'
import { putIn } from './layers/sub-block.ts'
import { tap } from './layers/tap.ts'
import { volumeRecord } from './layers/volume-record.ts'

/** The layers in gate order (SPEC 1.4). A new layer is one file and one line here. */
export const stack: readonly Layer<unknown>[] = [
  fence,
  holdQueue,
  preserve,
  pair,
  restore,
  tap,
  inFlight,
  device,
  commandKey,
  branch,
] as readonly Layer<unknown>[]

const hearers = new Map<Kind, readonly number[]>()
for (const kind of kindNames) {
  if (kind === undefined) continue
  hearers.set(
    kind,
    stack.flatMap((layer, place) => (layer.hears.includes(kind) ? [place] : [])),
  )
}

/** Kinds that come in great number and never turn a layer on or off. */
const steady: ReadonlySet<Kind> = new Set<Kind>([
  'io.read',
  'io.write',
  'io.zeroes',
  'io.discard',
  'io.flush',
  'mark',
  'hold.released',
  'hold.dropped',
  'hold.failed',
  'cod.released',
  'tap.report',
  'tap.released',
  'io.failed',
  'io.lost',
  'copy.started',
  'copy.report',
  'branch.report',
  'merge.block',
  'fence.pattern_written',
  'fence.meta_written',
  'fence.meta_buffered',
  'fence.meta_restored',
  'fence.violation',
  'mover.report',
  'mover.copied',
])

/** The state before the first event. */
export function newWorld(): World {
  const own: Record<string, unknown> = {}
  for (const layer of stack) own[layer.name] = layer.start()
  return {
    seq: 0,
    volumes: [],
    sessions: new Map(),
    sessionsOpened: 0,
    epoch: 0,
    recovered: true,
    own,
    active: [],
  }
}

/** What the active layers say to a new host request that makes sense here. Changes nothing. */
export function judge(world: World, request: Request): Verdict {
  for (const place of world.active[request.volume - 1]!) {
    const layer = stack[place]!
    const forbidden = layer.forbids(world.own[layer.name], request)
    if (forbidden !== undefined) return refuse(forbidden)
  }
  return judgeFrom(world, request, 0)
}

/** What the layers from `place` in the stack downwards say to a request. */
export function judgeFrom(world: World, request: Request, from: number): Verdict {
  for (const place of world.active[request.volume - 1]!) {
    if (place < from) continue
    const layer = stack[place]!
    const verdict = layer.admit(world.own[layer.name], request, world)
    if (verdict !== pass) return verdict
  }
  return pass
}

/** True when no layer is at work on a volume: what makes sense there passes, and nothing follows from it. */
export function isIdle(world: World, volume: number): boolean {
  return world.active[volume - 1]?.length === 0
}

/** Why a host request makes no sense here, whatever the layers do; ok when it does. */
export function refusal(world: World, io: NewEvent): Code {
  const { session = 0, offset = 0, length = 0 } = io
  if (!world.sessions.has(session)) return 'E_NO_SESSION'
  const id = io.volume ?? 0
  const volume = volumeOf(world, id)
  if (volume === undefined) return world.volumes[id - 1]?.unfinished === true ? 'E_AGAIN' : 'E_NO_VOLUME'
  const op = io.op ?? 'none'
  if (op === 'flush') return 'ok'
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length)) return 'E_RANGE'
  return offset < 0 || length <= 0 || offset > volume.size - length ? 'E_RANGE' : 'ok'
}

/**
 * Folds one event into the world, in place. Throws a Violation that names the rule when the event cannot follow
 * from this state; the world is then spent.
 */
export function evolve(world: World, event: Event): void {
  const seq = event.seq
  if (seq !== world.seq + 1) throw new Violation('G-I1', `event ${seq} follows event ${world.seq}`)
  world.seq = seq
  const kind = event.kind
  const fate = event.fate
  if (fate === 'passed') {
    const op = event.op
    if (op === 'flush' && isHost(kind)) return checkHost(world, event)
    const volume = volumeOf(world, event.volume)
    if (volume === undefined) {
      throw new Violation('G-I2', `event ${seq} is about volume ${event.volume}, which does not exist`)
    }
    const { offset, length } = event
    if (op !== 'flush' && !(offset >= 0 && length > 0 && offset <= volume.size - length)) {
      throw new Violation('G-I2', `event ${seq} reaches past the end of volume ${event.volume}`)
    }
    if (isHost(kind)) {
      checkHost(world, event)
      const active = world.active[volume.id - 1]!
      if (changes(op)) takeEffect(world, volume, event, active)
      else if (active.length > 0) {
        for (const place of hearers.get(kind)!) if (active.includes(place)) tell(world, event, place)
      }
      return
    }
  } else if (fate !== 'none' && isInput(kind)) checkHost(world, event)
  const about = event.about
  if (!(about < seq)) throw new Violation('G-I1', `event ${seq} names event ${about}, which comes later`)
  for (const place of hearers.get(kind)!) tell(world, event, place)
  if (takesEffect(event)) {
    const { volume } = event
    takeEffect(world, volumeOf(world, volume)!, event, world.active[volume - 1]!)
  }
  own(world, event)
  if (!steady.has(kind)) reactivate(world)
}

/** A write takes effect: the block map first, then the layers that keep account of it. */
function takeEffect(world: World, volume: Volume, event: Event, active: readonly number[]): void {
  putIn(volume.map, event, volume.block)
  for (const place of active) {
    const layer = stack[place]!
    layer.effect(world.own[layer.name], event, world)
  }
}

function tell(world: World, event: Event, place: number): void {
  const layer = stack[place]!
  layer.evolve(world.own[layer.name], event, world)
}

function isHost(kind: Kind): boolean {
  return (
    kind === 'io.write' ||
    kind === 'io.read' ||
    kind === 'io.zeroes' ||
    kind === 'io.discard' ||
    kind === 'io.flush'
  )
}

/** Asked of every request, as is what precedes it in `evolve`: the words are made only when the rule is broken. */
function checkHost(world: World, event: Event): void {
  if (world.recovered) return
  throw new Violation('G-I7', `request ${event.seq} is decided before the recovery ended`)
}

/** What belongs to no layer: volumes, sessions, the engine's own life. */
function own(world: World, event: Event): void {
  switch (event.kind) {
    case 'volume.created':
    case 'branch.started':
      return addVolume(world, event, count(event.detail, 'size'), count(event.detail, 'block'))
    case 'branch.finished': {
      const branched = world.volumes[event.volume - 1]!
      world.volumes[event.volume - 1] = volumeRecord({ ...branched, unfinished: false })
      return
    }
    case 'preserve.created': {
      const { size, block } = volumeOf(world, count(event.detail, 'base'))!
      return addVolume(world, event, size, block)
    }
    case 'preserve.dropped':
    case 'merge.finished':
    case 'branch.failed':
      return removeVolume(world, event.volume)
    case 'volume.resized':
    case 'volume.deleted':
      return changed(world, event)
    case 'session.opened':
      must(
        event.session === world.sessionsOpened + 1,
        'G-I1',
        `session ${event.session} is opened out of order`,
      )
      world.sessionsOpened = event.session
      world.sessions.set(event.session, text(event.detail, 'name'))
      return
    case 'session.closed':
      must(
        world.sessions.delete(event.session),
        'G-I2',
        `session ${event.session} is closed but was not open`,
      )
      return
    case 'engine.started':
      world.epoch = count(event.detail, 'epoch')
      world.sessions.clear()
      world.recovered = false
      return
    case 'engine.recovered':
      world.recovered = true
      return
    default:
  }
}

function addVolume(world: World, event: Event, size: number, block: number): void {
  const id = world.volumes.length + 1
  must(event.volume === id, 'G-I1', `volume ${event.volume} is created as number ${id}`)
  const unfinished = event.kind === 'branch.started'
  world.volumes.push(volumeRecord({ id, name: text(event.detail, 'name'), size, block, unfinished }))
  world.active.push([])
}

/** A volume is no more: its place stays, empty, so that its number is never given again. */
function removeVolume(world: World, id: number): void {
  world.volumes[id - 1] = volumeRecord({ ...world.volumes[id - 1]!, unfinished: false, gone: true })
}

/** A volume gets another size, or goes. What lies beyond a new end reads as zeros if it ever comes back. */
function changed(world: World, event: Event): void {
  const volume = volumeOf(world, event.volume)
  must(volume !== undefined, 'G-I9', `${event.kind} is about volume ${event.volume}, which does not exist`)
  const busy = world.active[volume.id - 1]!.length > 0
  must(!busy, 'G-I9', `${event.kind} of volume ${volume.id} while something is going on there`)
  if (event.kind === 'volume.deleted') return removeVolume(world, volume.id)
  const size = count(event.detail, 'size')
  const blocks = size / volume.block
  if (size < volume.size) volume.map.zero(blocks, volume.size / volume.block - blocks)
  world.volumes[volume.id - 1] = volumeRecord({ ...volume, size })
}

/** Which layers are active on which volume, after an event that may turn one on or off. */
export function reactivate(world: World): void {
  for (const volume of world.volumes) {
    if (volume.gone && world.active[volume.id - 1]!.length === 0) continue
    const places: number[] = []
    for (let place = 0; place < stack.length; place++) {
      const layer = stack[place]!
      if (layer.active(world.own[layer.name], volume.id, world)) places.push(place)
    }
    world.active[volume.id - 1] = places
  }
}
