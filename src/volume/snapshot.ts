/**
 * The whole state: its hash, which replay compares at every frame, and its plain form, which a checkpoint keeps.
 *
 * Hints that steer nothing (cursors) belong to neither; what is derived from other parts (which layers are active)
 * is made again.
 */

import { Lanes, lanesText } from '../core/lanes.ts'
import type { Event } from '../events/columns.ts'
import type { Volume, World } from '../layers/layer.ts'
import { hashVolume, type VolumeFields, volumeRecord } from '../layers/volume-record.ts'
import { evolve, newWorld, reactivate, stack } from '../volume.ts'

/** The hash of a state, two lanes. */
export interface StateHash {
  readonly low: number
  readonly high: number
}

/** The hash of everything that decisions and reads depend on; the sequence number is no part of it. */
export function stateHash(world: World): StateHash {
  const lanes = new Lanes()
  lanes.add(world.epoch, world.recovered ? 1 : 2)
  lanes.add(world.sessionsOpened, 3)
  for (const session of world.sessions.keys()) lanes.add(session, 4)
  for (const volume of world.volumes) hashVolume(volume, lanes)
  for (const layer of stack) {
    const own = new Lanes()
    layer.hash(world.own[layer.name], own)
    if (own.low !== 0 || own.high !== 0) lanes.include(placeOf(layer.name), own.low, own.high)
  }
  return { low: lanes.low, high: lanes.high }
}

/** A layer's part is told by its name, and an untouched one has none: layers may come later without changing hashes. */
function placeOf(name: string): number {
  let place = 2 ** 30
  for (let k = 0; k < name.length; k++) place = (place * 31 + name.charCodeAt(k)) % 2 ** 40
  return place
}

export function stateHashText(world: World): string {
  const { low, high } = stateHash(world)
  return lanesText(low, high)
}

/** A state in plain values and pages of block maps. */
export interface Snapshot {
  readonly seq: number
  readonly plain: unknown
  readonly pages: Iterable<Page>
}

export interface Page {
  readonly volume: number
  readonly page: number
  readonly cells: Float64Array
}

export function saveWorld(world: World): Snapshot {
  const { seq, epoch, recovered, sessionsOpened } = world
  const plain = {
    epoch,
    recovered,
    sessionsOpened,
    sessions: [...world.sessions],
    volumes: world.volumes.map(plainVolume),
    layers: stack.map((layer) => [layer.name, layer.save(world.own[layer.name])]),
  }
  return { seq, plain, pages: pagesOf(world) }
}

function* pagesOf(world: World): Generator<Page> {
  for (const volume of world.volumes) {
    for (const [page, cells] of volume.map.pages()) yield { volume: volume.id, page, cells }
  }
}

type PlainVolume = Omit<VolumeFields, 'map' | 'hashLow' | 'hashHigh'>

/** `gone` and `unfinished` where they are true alone: checkpoints of all ages are read. */
function plainVolume({ id, name, size, block, gone, unfinished }: Volume): PlainVolume {
  return { id, name, size, block, ...(gone && { gone }), ...(unfinished && { unfinished }) }
}

interface Plain {
  readonly epoch: number
  readonly recovered: boolean
  readonly sessionsOpened: number
  readonly sessions: [number, string][]
  readonly volumes: PlainVolume[]
  readonly layers: [string, unknown][]
}

/** The state that was saved. Throws when the snapshot makes no sense: its caller then does without it. */
export function loadWorld(snapshot: Snapshot): World {
  const plain = snapshot.plain as Plain
  const world = newWorld()
  world.seq = snapshot.seq
  world.epoch = plain.epoch
  world.recovered = plain.recovered
  world.sessionsOpened = plain.sessionsOpened
  for (const [session, name] of plain.sessions) world.sessions.set(session, name)
  for (const { id, name, size, block, gone = false, unfinished = false } of plain.volumes) {
    world.volumes.push(volumeRecord({ id, name, size, block, gone, unfinished }))
    world.active.push([])
  }
  for (const { volume, page, cells } of snapshot.pages) world.volumes[volume - 1]!.map.loadPage(page, cells)
  const saved = new Map(plain.layers)
  for (const layer of stack) world.own[layer.name] = layer.load(saved.get(layer.name))
  reactivate(world)
  return world
}

/** A cursor over the events of a frame that can be moved. */
export interface Events extends Event {
  index: number
  readonly columns: { readonly count: number }
}

/** Folds all events of an opened frame. */
export function foldFrame(world: World, events: Events): void {
  const { count } = events.columns
  for (let index = 0; index < count; index++) {
    events.index = index
    evolve(world, events)
  }
}

/** True for the events of an epoch frame, which the journal writes itself, without a state hash. */
export function isEpoch(events: Events): boolean {
  events.index = 0
  return events.columns.count === 1 && events.kind === 'engine.started'
}
