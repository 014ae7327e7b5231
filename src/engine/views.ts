/**
 * Views: every map and queue as a stream of what it is after each durable frame that changed it.
 *
 *     frame sealed ──▶ the engine's own state, looked at ──▶ same hash as before: nothing ──▶ frame durable ──▶ a glance
 *
 * A view folds nothing: it looks at the one state that the reducers made, when it is that of a frame, and shows what it
 * saw when that frame is durable. Who comes late gets the present glance first; who comes while a frame is being
 * written gets the one after that frame, or after the next. A map in a glance is a fork, which stays as it is.
 */

import { Observable } from 'rxjs'
import type { Bitmap } from '../core/bitmap.ts'
import type { BlockMap } from '../core/block-map.ts'
import { Lanes, lanesText } from '../core/lanes.ts'
import { holdQueueOf } from '../layers/hold-queue.ts'
import { inFlightOf } from '../layers/in-flight.ts'
import { volumeOf, type World } from '../layers/layer.ts'
import { pairsOf } from '../layers/pair-state.ts'
import { restoresOf } from '../layers/restore-state.ts'
import type { Engine } from './engine.ts'

/** What a map or a queue is after event `seq`; two with the same hash are the same. */
export interface Glance {
  readonly seq: number
  readonly hash: string
}

export interface BlockMapGlance extends Glance {
  /** How many blocks have content of their own. */
  readonly mapped: number
  readonly map: BlockMap
}

export interface HoldQueueGlance extends Glance {
  /** True while a backup's flag is set on the volume. */
  readonly flagged: boolean
  readonly held: number
  readonly heldBytes: number
  /** Numbers of the backups that cover the volume. */
  readonly backups: readonly number[]
}

export interface BitmapGlance extends Glance {
  /** How many extents are set. */
  readonly count: number
  /** Undefined where there is no such map now: the pair is not being restored. */
  readonly bits: Bitmap | undefined
}

export interface CopyQueueGlance extends Glance {
  /** Copies that are running, in either direction. */
  readonly running: number
  /** Requests that wait for one. */
  readonly waiting: number
}

export interface InFlightGlance extends Glance {
  readonly held: number
  readonly queued: number
}

/** Views by the number of a volume or of a pair. A view of one that is not there yet begins when it is. */
export interface Views {
  blockMap$(volume: number): Observable<BlockMapGlance>
  holdQueue$(volume: number): Observable<HoldQueueGlance>
  /** The clone delta map of a pair. */
  deltaMap$(pair: number): Observable<BitmapGlance>
  /** The copy-on-demand map: the extents that a restore of the pair is copying. */
  copyOnDemandMap$(pair: number): Observable<BitmapGlance>
  /** The protected restore map of a restore of the pair. */
  protectedMap$(pair: number): Observable<BitmapGlance>
  copyQueue$(pair: number): Observable<CopyQueueGlance>
  inFlight$(): Observable<InFlightGlance>
}

/** The views of an engine. They complete when it is closed and fail when it does. */
export function views(engine: Engine): Views {
  const view = <Seen extends Seeing>(look: (world: World) => Seen | undefined, fork = asItIs<Seen>) =>
    new Observable<Seen & Glance>((subscriber) => {
      let shown: string | undefined
      let coming: Seen | undefined
      const see = () => {
        const seen = look(engine.world)
        coming = seen === undefined || seen.hash === shown ? undefined : fork(seen)
      }
      const show = (seq: number) => {
        if (coming === undefined) return
        const glance = { ...coming, seq }
        coming = undefined
        shown = glance.hash
        subscriber.next(glance)
      }
      const present = engine.durableSeq
      if ((present ?? engine.sealedSeq) !== undefined) see()
      if (present !== undefined) show(present)
      subscriber.add(engine.sealed$.subscribe(see))
      subscriber.add(
        engine.frames$.subscribe({
          next: ({ last }) => show(last),
          error: (error) => subscriber.error(error),
          complete: () => subscriber.complete(),
        }),
      )
    })
  return {
    blockMap$: (volume) =>
      view(
        (world) => blockMapIn(world, volume),
        (seen) => ({ ...seen, map: seen.map.fork() }),
      ),
    holdQueue$: (volume) => view((world) => holdQueueIn(world, volume)),
    deltaMap$: (pair) =>
      view((world) => ofPair(world, pair, () => pairsOf(world).byTag.get(pair)?.cdm), forked),
    copyOnDemandMap$: (pair) =>
      view((world) => ofPair(world, pair, () => restoresOf(world).byTag.get(pair)?.gate.copying), forked),
    protectedMap$: (pair) =>
      view((world) => ofPair(world, pair, () => restoresOf(world).byTag.get(pair)?.prm), forked),
    copyQueue$: (pair) => view((world) => copyQueueIn(world, pair)),
    inFlight$: () => view(inFlightIn),
  }
}

type Seeing = Omit<Glance, 'seq'>

function asItIs<Seen>(seen: Seen): Seen {
  return seen
}

function forked(seen: Omit<BitmapGlance, 'seq'>): Omit<BitmapGlance, 'seq'> {
  return { ...seen, bits: seen.bits?.fork() }
}

function blockMapIn(world: World, volume: number): Omit<BlockMapGlance, 'seq'> | undefined {
  const found = volumeOf(world, volume)?.map
  if (found === undefined) return undefined
  return { hash: lanesText(found.hashLow, found.hashHigh), mapped: found.mapped, map: found }
}

function holdQueueIn(world: World, volume: number): Omit<HoldQueueGlance, 'seq'> | undefined {
  if (volumeOf(world, volume) === undefined) return undefined
  const { flagged, backups } = holdQueueOf(world)
  const held = flagged.get(volume)
  const covering = [...backups.values()].filter((backup) => backup.volumes.includes(volume))
  const lanes = new Lanes()
  lanes.add(held === undefined ? 0 : 1, held?.writes.length ?? 0)
  if (held !== undefined) lanes.include(1, held.lanes.low, held.lanes.high)
  for (const { tag, phase } of covering) lanes.text(tag * 2 ** 32, phase)
  return {
    hash: lanesText(lanes.low, lanes.high),
    flagged: held !== undefined,
    held: held?.writes.length ?? 0,
    heldBytes: held?.bytes ?? 0,
    backups: covering.map(({ tag }) => tag),
  }
}

function ofPair(
  world: World,
  pair: number,
  find: () => Bitmap | undefined,
): Omit<BitmapGlance, 'seq'> | undefined {
  if (!pairsOf(world).byTag.has(pair)) return undefined
  const bits = find()
  return { hash: lanesText(bits?.hashLow ?? 0, bits?.hashHigh ?? 0), count: bits?.count ?? 0, bits }
}

function copyQueueIn(world: World, pair: number): Omit<CopyQueueGlance, 'seq'> | undefined {
  const found = pairsOf(world).byTag.get(pair)
  if (found === undefined) return undefined
  const gates = [found.gate, restoresOf(world).byTag.get(pair)?.gate]
  const lanes = new Lanes()
  for (const [k, gate] of gates.entries()) gate?.hash(k * 4, lanes)
  return {
    hash: lanesText(lanes.low, lanes.high),
    running: gates.reduce((sum, gate) => sum + (gate?.copying.count ?? 0), 0),
    waiting: gates.reduce((sum, gate) => sum + (gate?.length ?? 0), 0),
  }
}

function inFlightIn(world: World): Omit<InFlightGlance, 'seq'> {
  const { held, queued, lanes } = inFlightOf(world)
  return { hash: lanesText(lanes.low, lanes.high), held: held.size, queued: queued.size }
}
