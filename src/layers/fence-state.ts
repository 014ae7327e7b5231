/**
 * What a fence keeps: which bytes are metadata and which the data they lead to, who owns it, how far it is, and three
 * copies of the metadata: as it was (`saved`), as the owner changed it (`working`), as an image brought it (`buffered`).
 * A copy is references to payload, so saving costs no byte and is durable with the frame that says so.
 */

import type { Range } from '../core/range.ts'
import { nothing, RangeSet } from '../core/range-set.ts'
import type { Event, NewEvent } from '../events/columns.ts'
import { count, counts, text } from '../events/detail.ts'
import { inFlightOf } from './in-flight.ts'
import { type Volume, volumeOf, type World } from './layer.ts'
import { MetaCopy } from './meta-copy.ts'
import type { MoverRun } from './mover-run.ts'

export const phases = [
  'closing',
  'saving',
  'restoring',
  'raising',
  'fenced',
  'operating',
  'ready',
  'stuck',
  'lowering',
] as const
export type Phase = (typeof phases)[number]

/** What is written when a fence is lowered: as it was; or the newest copy of each block, named by the newest of all. */
export const lowerKinds = ['original', 'saved', 'working', 'buffered'] as const
export type LowerKind = (typeof lowerKinds)[number]

/** A request of another that reached what an advisory fence covers, to be put on record. */
export interface Trespass {
  readonly io: number
  readonly session: number
  readonly request: number
  readonly offset: number
  readonly length: number
}

export interface Fence {
  readonly tag: number
  readonly name: string
  readonly volume: number
  /** Bytes of a block, and of the volume. */
  readonly block: number
  readonly size: number
  readonly full: boolean
  /** Others are not stopped, only recorded: the literal claim. */
  readonly advisory: boolean
  /** The image's metadata goes to the device first and is read back (seed claim 9, literally). */
  readonly metaFirst: boolean
  readonly deadlineMs: number
  /** When it was requested, microseconds since the Unix epoch: the deadline counts from here. */
  readonly atUs: number
  readonly meta: RangeSet
  /** What the metadata leads to, without the metadata itself. */
  readonly data: RangeSet
  /** The block that makes the device mountable, written last; bytes. */
  readonly last: Range
  /** Session that owns it, and that session's name. */
  owner: number
  ownerName: string
  phase: Phase
  /** The record whose durability the engine will report; 0 when it waits for none. */
  awaits: number
  /** Place and bytes of the pattern; 0 before there is one. */
  pattern: number
  patternBytes: number
  /** Bytes of metadata this phase has written. */
  written: number
  kind: LowerKind
  /** Nothing was raised: the old metadata goes back at once. */
  atOnce: boolean
  /** The record that began the lowering, or the pattern: what its writes name as their cause. */
  cause: number
  /** True once the operation changed covered data. */
  dirty: boolean
  /** The pair that is being restored behind the fence; 0: none. */
  pair: number
  readonly saved: MetaCopy
  readonly working: MetaCopy
  readonly buffered: MetaCopy
  /** What lowering writes; made when it begins. */
  valid: MetaCopy | undefined
  mover: MoverRun | undefined
  trespasses: Trespass[]
}

export interface Fences {
  requested: number
  readonly byTag: Map<number, Fence>
  readonly byVolume: Map<number, Fence[]>
}

const none: readonly Fence[] = []

export function noFences(): Fences {
  return { requested: 0, byTag: new Map(), byVolume: new Map() }
}

/** The fences on a volume. */
export function fencesOn(state: Fences, volume: number): readonly Fence[] {
  return state.byVolume.get(volume) ?? none
}

export function fenceNamed(state: Fences, name: string): Fence | undefined {
  for (const fence of state.byTag.values()) if (fence.name === name) return fence
  return undefined
}

export function addFence(state: Fences, fence: Fence): void {
  state.byTag.set(fence.tag, fence)
  state.byVolume.set(fence.volume, [...fencesOn(state, fence.volume), fence])
}

export function removeFence(state: Fences, fence: Fence): void {
  state.byTag.delete(fence.tag)
  const others = fencesOn(state, fence.volume).filter((other) => other !== fence)
  if (others.length > 0) state.byVolume.set(fence.volume, others)
  else state.byVolume.delete(fence.volume)
}

/** The ranges of a request for a fence, checked: undefined when they make none of this volume. */
export function fencedRanges(
  asked: { readonly meta: readonly number[]; readonly covered: readonly number[]; readonly full: boolean },
  last: number,
  volume: Volume,
): { readonly meta: RangeSet; readonly data: RangeSet; readonly last: Range } | undefined {
  const whole = { offset: 0, length: volume.size }
  const meta = RangeSet.fromCounts(asked.meta)
  const covered = asked.full ? RangeSet.of([whole]) : RangeSet.fromCounts(asked.covered)
  if (meta === undefined || covered === undefined || meta.bytes === 0) return undefined
  for (const { offset, length } of [...meta.ranges, ...covered.ranges]) {
    const aligned = offset % volume.block === 0 && length % volume.block === 0
    if (!aligned || offset + length > volume.size) return undefined
  }
  const block = { offset: last, length: volume.block }
  if (last % volume.block !== 0 || !meta.covers(block)) return undefined
  return { meta, data: covered.minus(meta), last: block }
}

/** The fence that fence.requested begins; undefined when its ranges make none. */
export function freshFence(event: Event, world: World): Fence | undefined {
  const { detail, tag, session } = event
  const volume = volumeOf(world, event.volume)
  if (volume === undefined) return undefined
  const full = detail.full === true
  const asked = { meta: counts(detail, 'meta'), covered: counts(detail, 'covered'), full }
  const ranges = fencedRanges(asked, count(detail, 'last'), volume)
  if (ranges === undefined) return undefined
  const { step } = volume.map
  return {
    tag,
    name: text(detail, 'name'),
    volume: volume.id,
    block: volume.block,
    size: volume.size,
    full,
    advisory: detail.advisory === true,
    metaFirst: detail.metaFirst === true,
    deadlineMs: count(detail, 'deadlineMs'),
    atUs: count(detail, 'atUs'),
    ...ranges,
    owner: session,
    ownerName: text(detail, 'owner'),
    phase: 'closing',
    awaits: 0,
    pattern: 0,
    patternBytes: 0,
    written: 0,
    kind: 'original',
    atOnce: false,
    cause: 0,
    dirty: false,
    pair: 0,
    saved: new MetaCopy(step),
    working: new MetaCopy(step),
    buffered: new MetaCopy(step),
    valid: undefined,
    mover: undefined,
    trespasses: [],
  }
}

/** The blocks of a range of this fence's volume. */
export function blocksIn(fence: Fence, range: Range): { first: number; count: number } {
  return { first: range.offset / fence.block, count: range.length / fence.block }
}

/** The metadata as it is on the device now. */
export function metaNow(fence: Fence, world: World): MetaCopy {
  const { map } = volumeOf(world, fence.volume)!
  const copy = new MetaCopy(map.step)
  for (const range of fence.meta.ranges) {
    const { first, count: blocks } = blocksIn(fence, range)
    for (const run of map.runs(first, blocks)) copy.put(run.block, run.count, run.place)
  }
  return copy
}

/** The newest copy of the metadata, block by block: buffered, else working, else saved; or saved alone. */
export function validMeta(fence: Fence, kind: LowerKind): MetaCopy {
  const valid = new MetaCopy(fence.block / 512)
  valid.overlay(fence.saved)
  if (kind === 'original') return valid
  valid.overlay(fence.working)
  valid.overlay(fence.buffered)
  return valid
}

/** What lowering from here writes. */
export function newestKind(fence: Fence): LowerKind {
  if (fence.buffered.blocks > 0) return 'buffered'
  return fence.working.blocks > 0 ? 'working' : 'saved'
}

/** True before the pattern is in: the gate is closed, and valid metadata may still be on the device. */
export function isClosing({ phase }: Fence): boolean {
  return phase === 'closing' || phase === 'saving' || phase === 'restoring' || phase === 'raising'
}

/** True while the owner may begin something: the fence is up and nothing runs behind it. */
export function isQuiet({ phase, mover }: Fence): boolean {
  return (phase === 'fenced' || phase === 'ready' || phase === 'stuck') && mover?.running !== true
}

/** True while a request that passed the gate before it closed is still on its way. */
export function isDraining({ volume, meta, data }: Fence, world: World): boolean {
  const { held, queued } = inFlightOf(world)
  for (const waiting of [held, queued]) {
    for (const request of waiting.values()) {
      if (request.volume === volume && (meta.touches(request) || data.touches(request))) return true
    }
  }
  return false
}

/** An outcome about a fence. */
export function of(fence: Fence, kind: NewEvent['kind']): NewEvent {
  return { kind, tag: fence.tag, volume: fence.volume }
}

/** The metadata of all fences that are up on a volume: it keeps its pattern through a restore (SPEC 7.1, rule 5). */
export function fencedMeta(world: World, volume: number): RangeSet {
  const fences = fencesOn(fencesOf(world), volume).filter((fence) => !isClosing(fence))
  return fences.length === 0 ? nothing : RangeSet.of(fences.flatMap(({ meta }) => meta.ranges))
}

/** The fence layer's state in the world. */
export function fencesOf(world: World): Fences {
  return world.own.fence as Fences
}
