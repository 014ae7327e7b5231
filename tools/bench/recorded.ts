/** A long history in a journal on disk, ready to be read again and again; and its first events one a key beside it. */

import { Columns } from '../../src/events/columns.ts'
import { openJournalFolder } from '../../src/journal/folder.ts'
import { foldFrame } from '../../src/volume/snapshot.ts'
import { newWorld } from '../../src/volume.ts'
import { showProgress } from '../remark.ts'
import { History } from './history.ts'
import { storeOnePerKey } from './one-per-key.ts'

export interface Recorded {
  readonly events: number
  readonly frames: number
  /** How many of the events are there one a key. */
  readonly kept: number
}

export interface RecordOptions {
  readonly events: number
  readonly perFrame: number
  readonly onePerKey: number
}

const startNs = 1_700_000_000_000_000_000n

/**
 * Makes a journal of at least `events` events in folder `path`, and a database of the first `onePerKey` of them in
 * folder `few`. Both are closed.
 */
export async function record(path: string, few: string, options: RecordOptions): Promise<Recorded> {
  const { events, perFrame, onePerKey } = options
  const journal = await openJournalFolder(path, { create: true })
  const writer = await journal.openWriter('bench', startNs)
  const world = newWorld()
  const columns = new Columns()
  for await (const frame of journal.read(1)) foldFrame(world, frame.open(columns))
  const history = new History(world, startNs)
  await writer.append(history.begin(), journal.bounds().last + 1)
  let frames = 2
  for (; journal.bounds().last < events; frames++) {
    showProgress(() => `making a history, ${journal.bounds().last} of ${events} events`)
    await writer.append(history.frame(perFrame), journal.bounds().last + 1)
  }
  const { last } = journal.bounds()
  const kept = Math.min(onePerKey, last)
  await storeOnePerKey(few, journal, kept)
  await journal.close()
  return { events: last, frames, kept }
}
