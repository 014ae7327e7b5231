/** Witnesses told of a journal's events, which are folded when one of them needs the state. */

import { Columns } from '../events/columns.ts'
import type { Witness } from '../inspect/witness.ts'
import { checkRows } from '../journal/frame.ts'
import type { Journal } from '../journal/journal.ts'
import { nearestWorld, unfoldable } from '../journal/state.ts'
import type { World } from '../layers/layer.ts'
import { evolve } from '../volume.ts'

export interface ObserveOptions {
  /** The last event that is told; all unless told otherwise. */
  readonly to?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (seq: number) => void
}

export interface Observed {
  /** What the instants of the witnesses count from, nanoseconds since the Unix epoch. */
  readonly originNs: bigint
  /** The state in front of the first event told; after the last one, when a witness needed it. */
  readonly world: World
  /** Instant of the last event told, from the origin. */
  readonly end: number
}

/** Tells witnesses of all events from the first that is there. Throws what the journal throws. */
export async function observe(
  journal: Journal,
  witnesses: readonly Witness[],
  options: ObserveOptions = {},
): Promise<Observed> {
  const { first, last } = journal.bounds()
  const { to = last, signal, onProgress } = options
  const world = await nearestWorld(journal, first - 1)
  const folds = witnesses.some(({ before, after }) => before !== undefined || after !== undefined)
  const columns = new Columns()
  let originNs: bigint | undefined
  let end = 0
  for await (const frames of journal.batches(first, Math.min(to, last))) {
    signal?.throwIfAborted()
    for (const frame of frames) {
      originNs ??= frame.instantNs
      const began = Number(frame.instantNs - originNs)
      if (frame.durableNs !== 0n) {
        for (const witness of witnesses)
          witness.durable?.(frame.first - 1, Number(frame.durableNs - originNs))
      }
      const row = frame.open(columns)
      checkRows(frame, row)
      for (row.index = 0; row.index < frame.count && row.seq <= to; row.index++) {
        end = began + row.at
        for (const witness of witnesses) {
          witness.see?.(row, end)
          witness.before?.(row, world, end)
        }
        if (!folds) continue
        try {
          evolve(world, row)
        } catch (error) {
          throw unfoldable(world, error)
        }
        for (const witness of witnesses) witness.after?.(row, world, end)
      }
      onProgress?.(frame.last)
    }
  }
  return { originNs: originNs ?? 0n, world, end }
}
