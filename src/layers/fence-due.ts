/** What follows from the state of a fence: it is asked until it has nothing more. */

import { lanesText } from '../core/lanes.ts'
import type { Range } from '../core/range.ts'
import { RangeSet } from '../core/range-set.ts'
import type { NewEvent } from '../events/columns.ts'
import { flag } from '../events/kind.ts'
import { extentsOf } from './copy-gate.ts'
import { nextPiece } from './fence-mover.ts'
import { blocksIn, type Fence, isDraining, metaNow, of } from './fence-state.ts'
import { holdQueueOf } from './hold-queue.ts'
import type { World } from './layer.ts'
import { pairsOf, pairsOn, touchesCopy } from './pair-state.ts'
import { deltaMapOf, needs, rangeOf, restoresOf } from './restore-state.ts'

/** The next outcome of a fence; undefined when it waits for something, or stands. */
export function fenceDue(fence: Fence, world: World): NewEvent | undefined {
  const [trespass] = fence.trespasses
  if (trespass !== undefined) {
    const { io, ...columns } = trespass
    return { ...of(fence, 'fence.violation'), ...columns, about: io }
  }
  switch (fence.phase) {
    case 'closing':
      if (isDraining(fence, world)) return undefined
      return demanded(fence, world) ?? saved(fence, world)
    case 'restoring':
      return restored(fence, world)
    case 'raising': {
      const range = fence.meta.from(fence.written, fence.patternBytes)
      if (range === undefined) return of(fence, 'fence.raised')
      return internal(fence, world, 'fence.pattern_written', range, fence.pattern, fence.cause)
    }
    case 'fenced':
      return fence.mover?.dispatched === true && fence.mover.running ? of(fence, 'op.started') : undefined
    case 'operating':
      return moved(fence, world)
    case 'lowering':
      return fence.awaits === 0 ? lowered(fence, world) : undefined
    default:
      return undefined
  }
}

/** Metadata of a source that is being restored is copied before it is saved (SPEC 7.2, row fence.raise). */
function demanded(fence: Fence, world: World): NewEvent | undefined {
  const one = restoresOf(world).bySource.get(fence.volume)
  if (one === undefined || one.cancelling) return undefined
  const cdm = deltaMapOf(world, one.tag)
  for (const range of fence.meta.ranges) {
    const { first, last } = extentsOf(range, one.extent)
    for (let e = first; e <= last; e++) {
      if (!needs(one, cdm, e) || one.gate.copying.get(e)) continue
      const { tag, source: volume } = one
      const about = fence.cause
      return { kind: 'copy.started', tag, volume, ...rangeOf(one, e), flags: flag.demand, about }
    }
  }
  return undefined
}

/** True while metadata of a restoring source still waits for its copy. */
export function isUncopied({ volume, meta }: Fence, world: World): boolean {
  const one = restoresOf(world).bySource.get(volume)
  if (one === undefined) return false
  const cdm = deltaMapOf(world, one.tag)
  return meta.ranges.some((range) => {
    const { first, last } = extentsOf(range, one.extent)
    for (let e = first; e <= last; e++) if (needs(one, cdm, e) || one.gate.copying.get(e)) return true
    return false
  })
}

function saved(fence: Fence, world: World): NewEvent | undefined {
  if (isUncopied(fence, world)) return undefined
  const { hashLow, hashHigh } = metaNow(fence, world)
  return { ...of(fence, 'fence.saved'), detail: { hash: lanesText(hashLow, hashHigh) } }
}

/** Image metadata goes to the device and is read back; the last one read back asks for the pattern. */
function restored(fence: Fence, world: World): NewEvent | undefined {
  const { mover, meta } = fence
  if (mover === undefined) return undefined
  const piece = nextPiece(fence)
  if (piece === undefined) return undefined
  const { offset, length, place, seq } = piece
  if (mover.restored === mover.moved) {
    return internal(fence, world, 'fence.meta_restored', { offset, length }, place, seq)
  }
  const flags = mover.moved + length === meta.bytes ? flag.sync : 0
  return { ...of(fence, 'fence.meta_buffered'), offset, length, payload: place, flags, about: seq }
}

function moved(fence: Fence, world: World): NewEvent | undefined {
  const piece = nextPiece(fence)
  if (piece !== undefined) {
    const { offset, length, place, seq } = piece
    if (!piece.meta) return internal(fence, world, 'mover.copied', { offset, length }, place, seq)
    return { ...of(fence, 'fence.meta_buffered'), offset, length, payload: place, about: seq }
  }
  const { mover } = fence
  if (mover === undefined) return undefined
  if (mover.running && mover.ended) {
    const { dataBytes, controlBytes } = mover
    return { ...of(fence, 'mover.done'), detail: { dataBytes, controlBytes } }
  }
  return mover.ended && !isDraining(fence, world) ? of(fence, 'op.finished') : undefined
}

/** Valid metadata, the mountable block last and when the rest is durable; then the end of the fence. */
function lowered(fence: Fence, world: World): NewEvent | undefined {
  const rest = fence.meta.minus(RangeSet.of([fence.last]))
  const isLast = fence.written >= rest.bytes
  const at = isLast ? lastAt(fence, rest.bytes) : rest.from(fence.written)
  if (at === undefined) return { ...of(fence, 'fence.lowered'), detail: { kind: fence.kind } }
  const { first, count } = blocksIn(fence, at)
  const [run] = fence.valid!.runs(first, count)
  const range = { offset: run!.block * fence.block, length: run!.count * fence.block }
  const ends = fence.written + range.length === (isLast ? fence.meta.bytes : rest.bytes)
  const flags = ends && !fence.atOnce ? flag.sync : 0
  return internal(fence, world, 'fence.meta_written', range, run!.place, fence.cause, flags)
}

function lastAt({ last, written }: Fence, rest: number): Range | undefined {
  return written === rest ? last : undefined
}

/** An internal write, unless a copy runs there or a backup holds the volume: then it waits. */
function internal(
  fence: Fence,
  world: World,
  kind: NewEvent['kind'],
  range: Range,
  place: number,
  about: number,
  flags = 0,
): NewEvent | undefined {
  if (holdQueueOf(world).flagged.has(fence.volume)) return undefined
  const gates = pairsOn(pairsOf(world), fence.volume).map(({ gate }) => gate)
  const restore = restoresOf(world).bySource.get(fence.volume)
  if (restore !== undefined) gates.push(restore.gate)
  if (gates.some((gate) => touchesCopy(gate, range))) return undefined
  const { offset, length } = range
  const op = place === 0 ? 'zeroes' : 'write'
  return { ...of(fence, kind), op, fate: 'passed', offset, length, payload: place, flags, about }
}
