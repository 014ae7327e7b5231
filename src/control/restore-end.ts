/** How a restore came to its end, from the record. */

import type { Journal } from '../journal/journal.ts'
import type { World } from '../layers/layer.ts'
import { named, pairsOf } from '../layers/pair-state.ts'
import { restoresOf } from '../layers/restore-state.ts'

/** `running` is said of one whose waiter was told before its end. */
export type RestoreEnd = 'completed' | 'cancelled' | 'paused' | 'failed' | 'running'

/** What became of the restore of a pair that ran at event `since` or later; undefined when none did. */
export async function restoreEnd(
  { world, journal }: { readonly world: World; readonly journal: Journal },
  pair: string,
  since: number,
): Promise<RestoreEnd | undefined> {
  const tag = named(pairsOf(world), pair)?.tag
  if (tag === undefined) return undefined
  const restore = restoresOf(world).byTag.get(tag)
  if (restore !== undefined) {
    if (restore.paused) return 'paused'
    return restore.background ? 'running' : 'failed'
  }
  let end: RestoreEnd | undefined
  for await (const frame of journal.read(since)) {
    const row = frame.open()
    for (row.index = 0; row.index < frame.count; row.index++) {
      const { kind } = row
      if (kind !== 'restore.completed' && kind !== 'restore.cancelled') continue
      if (row.tag === tag) end = kind === 'restore.completed' ? 'completed' : 'cancelled'
    }
  }
  return end
}
