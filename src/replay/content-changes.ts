/**
 * Where the content of a volume changes: the events that a search for the first bad content has to look at.
 *
 * A volume shows its own block map; a view shows that of its base besides; a source that is being restored, that of its
 * clone. An event after which these are what they were changes nothing that a reader sees. Too many events named is no
 * harm to a search, one left out is.
 */

import { Lanes } from '../core/lanes.ts'
import { Columns } from '../events/columns.ts'
import type { Kind } from '../events/kind.ts'
import { checkRows } from '../journal/frame.ts'
import type { Journal } from '../journal/journal.ts'
import { unfoldable } from '../journal/state.ts'
import { volumeOf, type World } from '../layers/layer.ts'
import { baseOf } from '../layers/preserve-state.ts'
import { restoresOf } from '../layers/restore-state.ts'
import { evolve } from '../volume.ts'
import { worldAt } from './at.ts'

/** The events behind `from`, up to `to`, that may change what readers of the volume see; ascending. */
export async function contentChanges(
  journal: Journal,
  volume: number,
  from: number,
  to: number,
  signal?: AbortSignal,
): Promise<number[]> {
  const world = await worldAt(journal, from, signal)
  const changes: number[] = []
  const columns = new Columns()
  let before = fingerprint(world, volume)
  for await (const frame of journal.read(from + 1, to)) {
    signal?.throwIfAborted()
    const row = frame.open(columns)
    checkRows(frame, row)
    try {
      for (row.index = 0; row.index < frame.count && row.seq <= to; row.index++) {
        if (row.seq <= from) continue
        evolve(world, row)
        if (row.op === 'read' || row.op === 'flush') continue
        const after = fingerprint(world, volume)
        if (after.low !== before.low || after.high !== before.high) changes.push(row.seq)
        before = after
      }
    } catch (error) {
      throw unfoldable(world, error)
    }
  }
  return changes
}

/** What makes a volume that can be looked at. */
const makers: readonly Kind[] = ['volume.created', 'preserve.created', 'branch.finished']

/** The event that made a volume; the last one given up where the journal begins later. */
export async function madeAt(journal: Journal, volume: number, signal?: AbortSignal): Promise<number> {
  const { first } = journal.bounds()
  const columns = new Columns()
  for await (const frame of journal.read(first)) {
    signal?.throwIfAborted()
    const row = frame.open(columns)
    for (row.index = 0; row.index < frame.count; row.index++) {
      const makes = makers.includes(row.kind)
      if (makes && row.volume === volume) return row.seq
    }
  }
  return first - 1
}

/** Of everything that the content of a volume is put together from. */
function fingerprint(world: World, id: number): Lanes {
  const lanes = new Lanes()
  const base = baseOf(world, id)
  const restore = restoresOf(world).bySource.get(base)
  const shown = [id, base === id ? 0 : base, restore?.clone ?? 0]
  for (const [place, one] of shown.entries()) {
    const volume = volumeOf(world, one)
    if (volume === undefined) continue
    lanes.add(place * 4 + 1, volume.size)
    lanes.include(place * 4 + 2, volume.map.hashLow, volume.map.hashHigh)
  }
  if (restore !== undefined) lanes.add(restore.tag, 2 ** 20)
  return lanes
}
