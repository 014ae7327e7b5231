/**
 * One clone pair: its two volumes, its clone delta map (CDM), the gate of its copies, and how these begin and are
 * kept in a checkpoint.
 */

import { Bitmap } from '../core/bitmap.ts'
import type { Range } from '../core/range.ts'
import type { Event } from '../events/columns.ts'
import { count, type Detail, text } from '../events/detail.ts'
import { CopyGate, extentsOf } from './copy-gate.ts'
import { type Volume, volumeOf, type World } from './layer.ts'

/** A clone that lives outside: a read-only raw file, never written, read only to be copied from. */
export interface External {
  readonly path: string
  /** SHA-256 of its whole content, in hexadecimal, where it is known; else empty. */
  readonly sha256: string
}

export interface Pair {
  readonly tag: number
  readonly name: string
  readonly source: number
  /** 0 when it is external. */
  readonly clone: number
  readonly external: External | null
  /** Bytes of an extent, a power of two. */
  readonly extent: number
  /** Bytes of each of the two volumes. */
  readonly size: number
  phase: 'fractured' | 'syncing' | 'in-sync' | 'restoring'
  /** Clone delta map: bit e set when source and clone may differ in extent e. */
  readonly cdm: Bitmap
  /** Copies source to clone, and the writes that wait for them. */
  readonly gate: CopyGate
  /** Background copies a second that the sync may start; 0: as many as go. */
  rate: number
  /** Where the search for the next extent to copy goes on; a hint, no part of the state's hash. */
  cursor: number
}

export interface Pairs {
  created: number
  readonly byTag: Map<number, Pair>
  readonly byVolume: Map<number, Pair[]>
}

const none: readonly Pair[] = []
const maxExtent = 2 ** 26

/** The pairs a volume is in, on either side. */
export function pairsOn(state: Pairs, volume: number): readonly Pair[] {
  return state.byVolume.get(volume) ?? none
}

export function addPair(state: Pairs, pair: Pair): void {
  state.byTag.set(pair.tag, pair)
  for (const volume of [pair.source, pair.clone].filter((id) => id > 0)) {
    state.byVolume.set(volume, [...(state.byVolume.get(volume) ?? []), pair])
  }
}

/** The pair is no more; its number is not given again. */
export function removePair(state: Pairs, pair: Pair): void {
  state.byTag.delete(pair.tag)
  for (const volume of [pair.source, pair.clone]) {
    const others = pairsOn(state, volume).filter((other) => other !== pair)
    if (others.length > 0) state.byVolume.set(volume, others)
    else state.byVolume.delete(volume)
  }
}

/** The pair of that name. */
export function named(state: Pairs, name: string): Pair | undefined {
  for (const pair of state.byTag.values()) if (pair.name === name) return pair
  return undefined
}

/**
 * A pair as pair.created makes it: fractured, with the bits of the extents whose references differ, or of all when the
 * clone lives outside. Undefined when the two make no pair.
 */
export function freshPair(event: Event, world: World): Pair | undefined {
  const source = volumeOf(world, count(event.detail, 'source'))
  const clone = volumeOf(world, count(event.detail, 'clone'))
  const extent = count(event.detail, 'extent')
  const external = externalOf(event.detail)
  if (source === undefined || !isExtent(source, extent)) return undefined
  const cdm = new Bitmap(Math.ceil(source.size / extent))
  if (external !== null) cdm.setAll()
  else if (clone === undefined || !isPair(source, clone, extent)) return undefined
  else markDiffering(cdm, source, clone, extent)
  return {
    tag: event.tag,
    name: text(event.detail, 'name'),
    source: source.id,
    clone: clone?.id ?? 0,
    external,
    extent,
    size: source.size,
    phase: 'fractured',
    cdm,
    gate: new CopyGate(extent, source.size),
    rate: 0,
    cursor: 0,
  }
}

/** What a pair is told of a clone that lives outside; null when it lives here. */
export function externalOf(detail: Detail): External | null {
  if (detail.path === undefined) return null
  return { path: text(detail, 'path'), sha256: detail.sha256 === undefined ? '' : text(detail, 'sha256') }
}

function markDiffering(cdm: Bitmap, source: Volume, clone: Volume, extent: number): void {
  const blocks = extent / source.block
  for (const [one, other] of [
    [source.map, clone.map],
    [clone.map, source.map],
  ] as const) {
    one.eachMapped(0, source.size / source.block, (block, place) => {
      if (other.get(block) !== place) cdm.set(Math.floor(block / blocks))
    })
  }
}

/** True when volumes and extent fit together. */
export function isPair(source: Volume, clone: Volume, extent: number): boolean {
  if (source === clone || source.size !== clone.size || source.block !== clone.block) return false
  return isExtent(source, extent)
}

/** True when a volume can be cut into extents of so many bytes. */
export function isExtent(volume: Volume, extent: number): boolean {
  const power = Number.isInteger(Math.log2(extent)) && extent >= volume.block && extent <= maxExtent
  return power && volume.size / extent < 2 ** 31
}

/** The bytes of extent `e`; the last one may be short. */
export function rangeOfExtent(pair: Pair, e: number): Range {
  const offset = e * pair.extent
  return { offset, length: Math.min(pair.extent, pair.size - offset) }
}

/** The whole blocks of a volume that a range covers. */
export function blocksOf(range: Range, volume: Volume): { first: number; count: number } {
  const first = Math.floor(range.offset / volume.block)
  return { first, count: Math.ceil((range.offset + range.length) / volume.block) - first }
}

/** The next extent of the clone delta map that no copy is running on; -1 when there is none. */
export function nextSyncExtent(pair: Pair): number {
  for (let e = pair.cdm.next(pair.cursor); e >= 0; e = pair.cdm.next(e + 1)) {
    if (!pair.gate.copying.get(e)) {
      pair.cursor = e
      return e
    }
  }
  return -1
}

/** True when a range touches an extent that is being copied. */
export function touchesCopy(gate: CopyGate, range: Range): boolean {
  const { first, last } = extentsOf(range, gate.extent)
  return gate.copying.next(first, last + 1) >= 0
}

export function savePair(pair: Pair): unknown {
  const { cdm, gate, cursor: _, ...plain } = pair
  return [plain, cdm.runs(), gate.save()]
}

export function loadPair(saved: unknown): Pair {
  const [plain, runs, gate] = saved as [Omit<Pair, 'cdm' | 'gate' | 'cursor'>, number[], unknown]
  const extents = Math.ceil(plain.size / plain.extent)
  return {
    ...plain,
    cdm: Bitmap.fromRuns(extents, runs),
    gate: CopyGate.load(plain.extent, plain.size, gate),
    cursor: 0,
  }
}

/** The pair layer's state in the world. */
export function pairsOf(world: World): Pairs {
  return world.own.pair as Pairs
}

/** True when a report that all went well has bytes with it just when its clone lives outside. */
export function isWhole(pair: Pair, { code, digestHigh, digestLow }: Event): boolean {
  return code !== 'ok' || (pair.external !== null) === digestHigh + digestLow > 0
}
