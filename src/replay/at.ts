/** A state as it was: the newest checkpoint before a moment, and the frames from there. */

import { BlockboxError } from '../core/errors.ts'
import { Columns } from '../events/columns.ts'
import { checkRows } from '../journal/frame.ts'
import type { Journal } from '../journal/journal.ts'
import { nearestWorld, unfoldable } from '../journal/state.ts'
import type { World } from '../layers/layer.ts'
import { evolve } from '../volume.ts'

/** The state after event `seq` (0: before the first). Throws NO_SUCH_POINT, JOURNAL_TRUNCATED, or what damage says. */
export async function worldAt(journal: Journal, seq: number, signal?: AbortSignal): Promise<World> {
  const { first, last } = journal.bounds()
  if (!Number.isSafeInteger(seq) || seq < 0 || seq > last) {
    throw new BlockboxError('NO_SUCH_POINT', `there is no event ${seq}: the journal ends with event ${last}`)
  }
  const world = await nearestWorld(journal, seq)
  if (world.seq + 1 < first && seq > world.seq) {
    throw new BlockboxError(
      'JOURNAL_TRUNCATED',
      `event ${seq} was given up: the journal begins with event ${first}`,
    )
  }
  const columns = new Columns()
  for await (const frame of journal.read(world.seq + 1, seq)) {
    signal?.throwIfAborted()
    const row = frame.open(columns)
    checkRows(frame, row)
    try {
      for (row.index = 0; row.index < frame.count && row.seq <= seq; row.index++) {
        if (row.seq > world.seq) evolve(world, row)
      }
    } catch (error) {
      throw unfoldable(world, error)
    }
  }
  return world
}
