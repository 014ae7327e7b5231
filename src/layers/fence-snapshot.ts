/** A fence in plain values for a checkpoint, and back; and its part of the state's hash. */

import type { Lanes } from '../core/lanes.ts'
import { RangeSet } from '../core/range-set.ts'
import { type Fence, lowerKinds, phases, validMeta } from './fence-state.ts'
import { MetaCopy } from './meta-copy.ts'

type Copies = 'saved' | 'working' | 'buffered'
type Plain = Omit<Fence, 'meta' | 'data' | 'valid' | Copies> & {
  readonly meta: number[]
  readonly data: number[]
}

export function saveFence(fence: Fence): unknown {
  const { meta, data, valid: _, saved, working, buffered, ...plain } = fence
  const copies = [saved.save(), working.save(), buffered.save()]
  return [{ ...plain, meta: meta.counts(), data: data.counts() }, copies]
}

export function loadFence(saved: unknown): Fence {
  const [plain, copies] = saved as [Plain, unknown[]]
  const [before, working, buffered] = copies.map((copy) => MetaCopy.load(plain.block / 512, copy))
  const fence: Fence = {
    ...plain,
    meta: RangeSet.fromCounts(plain.meta)!,
    data: RangeSet.fromCounts(plain.data)!,
    saved: before!,
    working: working!,
    buffered: buffered!,
    valid: undefined,
  }
  if (fence.phase === 'lowering') fence.valid = validMeta(fence, fence.kind)
  return fence
}

/** Adds all that decisions depend on. */
export function hashFence(fence: Fence, lanes: Lanes): void {
  const base = fence.tag * 2 ** 20
  const flags = [fence.full, fence.advisory, fence.metaFirst, fence.atOnce, fence.dirty]
  const numbers = [
    fence.volume,
    fence.owner,
    phases.indexOf(fence.phase),
    lowerKinds.indexOf(fence.kind),
    fence.awaits,
    fence.pattern,
    fence.patternBytes,
    fence.written,
    fence.cause,
    fence.pair,
    fence.last.offset,
    fence.deadlineMs,
    flags.reduce((sum, on) => sum * 2 + (on ? 1 : 0), 0),
    fence.trespasses.length,
    ...moverNumbers(fence),
  ]
  for (const [k, number] of numbers.entries()) lanes.add(base + k, number)
  lanes.text(base + 2 ** 8, fence.name)
  for (const [k, number] of fence.meta.counts().entries()) lanes.add(base + 2 ** 12 + k, number)
  for (const [k, number] of fence.data.counts().entries()) lanes.add(base + 2 ** 14 + k, number)
  for (const [k, { place, seq }] of fence.mover?.pending.entries() ?? []) {
    lanes.add(base + 2 ** 17 + k, place)
    lanes.add(base + 2 ** 18 + k, seq)
  }
  lanes.text(base + 2 ** 9, fence.mover?.digest ?? '')
  for (const [k, copy] of [fence.saved, fence.working, fence.buffered].entries()) {
    lanes.include(base + 2 ** 16 + k, copy.hashLow, copy.hashHigh)
  }
}

function moverNumbers({ mover }: Fence): number[] {
  if (mover === undefined) return []
  const flags = (mover.running ? 1 : 0) + (mover.dispatched ? 2 : 0) + (mover.ended ? 4 : 0)
  const { size, sent, moved, restored, dataBytes, controlBytes, pending } = mover
  return [size, sent, moved, restored, dataBytes, controlBytes, pending.length, flags + 8]
}
