/** A long history in a journal on disk, ready to be read again and again; and the same events one a key beside it. */

import { Columns } from '../../src/events/columns.ts'
import { openJournalFolder } from '../../src/journal/folder.ts'
import type { Journal } from '../../src/journal/journal.ts'
import type { KvStore } from '../../src/journal/store.ts'
import { foldFrame } from '../../src/volume/snapshot.ts'
import { newWorld } from '../../src/volume.ts'
import { showProgress } from '../remark.ts'
import { History } from './history.ts'

export interface Recorded {
  readonly journal: Journal
  /** The database the journal lies in. */
  readonly store: KvStore
  readonly events: number
}

const startNs = 1_700_000_000_000_000_000n

/** Makes a journal of at least `events` events, `perFrame` a frame, in folder `path`; opened again for reading. */
export async function record(path: string, events: number, perFrame: number): Promise<Recorded> {
  const journal = await openJournalFolder(path, { create: true })
  const writer = await journal.openWriter('bench', startNs)
  const world = newWorld()
  const columns = new Columns()
  for await (const frame of journal.read(1)) foldFrame(world, frame.open(columns))
  const history = new History(world, startNs)
  await writer.append(history.begin(), journal.bounds().last + 1)
  while (journal.bounds().last < events) {
    showProgress(() => `making a history, ${journal.bounds().last} of ${events} events`)
    await writer.append(history.frame(perFrame), journal.bounds().last + 1)
  }
  await journal.close()
  return await openRecorded(path)
}

async function openRecorded(path: string): Promise<Recorded> {
  let found: KvStore | undefined
  const journal = await openJournalFolder(path, {
    readOnly: true,
    attach: async (store) => {
      found = store
      return { drain: () => [], stored: () => undefined }
    },
  })
  return { journal, store: found!, events: journal.bounds().last }
}
