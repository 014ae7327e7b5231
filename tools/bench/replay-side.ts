/**
 * One contender of the replay, in a thread of its own: what the compiler learns from one contender, as from the making
 * of the history, is not used for or against another. Each go opens the database, which only one may have open.
 */

import { parentPort, workerData } from 'node:worker_threads'
import { openJournalFolder } from '../../src/journal/folder.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { from, tables } from '../../src/journal/keys.ts'
import { type KvStore, levelStore, readAheadBytes, readAheadFrames } from '../../src/journal/store.ts'
import { replay } from '../../src/replay/replay.ts'
import { replayOnePerKey } from './one-per-key.ts'
import { collectGarbage, microseconds } from './rounds.ts'

/** What a side is told when it starts, and how often it says what it took. */
export interface SideData {
  readonly side: keyof typeof sides
  /** The journal's folder; for one-per-key that of its database. */
  readonly folder: string
  /** How many events a go must come to. */
  readonly events: number
}

/** Each reads everything once and returns how many events that were, or frames when it decodes none. */
const sides = {
  raw: (folder: string) => withJournal(folder, (_, store) => countFrames(store)),
  fold: (folder: string) => withJournal(folder, (journal) => replayed(journal, false)),
  decide: (folder: string) => withJournal(folder, (journal) => replayed(journal, true)),
  'one-per-key': async (folder: string) => {
    const store = levelStore(folder)
    await store.open()
    try {
      return await timed(() => replayOnePerKey(store))
    } finally {
      await store.close()
    }
  },
}

interface Gone {
  readonly found: number
  readonly took: number
}

/** Microseconds of one go. Throws when it did not come to what it must. */
async function go({ side, folder, events }: SideData): Promise<number> {
  const { found, took } = await sides[side](folder)
  if (found !== events) throw new Error(`${side}: ${found} were read, not ${events}`)
  return took
}

async function timed(act: () => Promise<number>): Promise<Gone> {
  collectGarbage()
  let found = 0
  const took = await microseconds(async () => {
    found = await act()
  })
  return { found, took }
}

async function withJournal(
  folder: string,
  read: (journal: Journal, store: KvStore) => Promise<number>,
): Promise<Gone> {
  let opened: KvStore | undefined
  const journal = await openJournalFolder(folder, {
    readOnly: true,
    attach: async (store) => {
      opened = store
      return { drain: () => [], stored: () => undefined }
    },
  })
  try {
    return await timed(() => read(journal, opened!))
  } finally {
    await journal.close()
  }
}

async function countFrames(store: KvStore): Promise<number> {
  const cursor = store.values({ ...from(tables.frame, 1), highWaterMarkBytes: readAheadBytes })
  let frames = 0
  for (;;) {
    const values = await cursor.nextv(readAheadFrames)
    if (values.length === 0) break
    frames += values.length
  }
  await cursor.close()
  return frames
}

async function replayed(journal: Journal, decide: boolean): Promise<number> {
  const { events, findings } = await replay(journal, { decide })
  const [finding] = findings
  if (finding !== undefined) throw new Error(`event ${finding.seq}: ${finding.rule}: ${finding.detail}`)
  return events
}

parentPort?.on('message', () => {
  go(workerData as SideData).then(
    (took) => parentPort!.postMessage({ took }),
    (error: unknown) => parentPort!.postMessage({ error }),
  )
})
