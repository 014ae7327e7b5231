/**
 * Opening a journal over a store: its base, its head, its tail settled. What a look must not change is left alone.
 */

import { readBase, sweep } from './base.ts'
import { damage } from './frame.ts'
import { emptyHead, newestHead } from './head.ts'
import { key, tables } from './keys.ts'
import { type KvStore, readError } from './store.ts'
import { StoreJournal, type StoreJournalOptions } from './store-journal.ts'
import { settleTail } from './tail.ts'

/**
 * Opens a journal over an open store. Throws JOURNAL_LOST_TAIL, JOURNAL_GAP, JOURNAL_CORRUPT or JOURNAL_VERSION with
 * the first sequence number that cannot be trusted.
 */
export async function openStoreJournal(options: StoreJournalOptions): Promise<StoreJournal> {
  try {
    return await settled(options)
  } catch (error) {
    throw readError(error, 1)
  }
}

async function settled(options: StoreJournalOptions): Promise<StoreJournal> {
  const { store } = options
  const base = await readBase(store)
  const slots = await options.head.read()
  const head = newestHead(slots)
  if (head === undefined && (slots.some(isWritten) || (await holdsAnything(store)))) {
    throw damage(
      'JOURNAL_CORRUPT',
      base.first,
      'the head file is missing or damaged: that no event at the end is lost cannot be shown',
    )
  }
  const tail = await settleTail(store, head ?? emptyHead, base)
  if (options.readOnly !== true) {
    if (tail.cut.length > 0) {
      const batch = store.batch()
      for (const first of tail.cut) batch.del(key(tables.frame, first))
      await batch.write({ sync: true })
    }
    if (base.first > 1) await sweep(store, base)
  }
  const torn = slots.some((slot) => isWritten(slot) && newestHead([slot]) === undefined)
  return new StoreJournal(options, base, head ?? emptyHead, tail.last, [
    ...(options.remarks ?? []),
    ...(torn ? ['one of the two copies of the head is torn or damaged: the other one is used'] : []),
    ...tail.remarks,
  ])
}

function isWritten(slot: Uint8Array): boolean {
  return slot.some((byte) => byte !== 0)
}

async function holdsAnything(store: KvStore): Promise<boolean> {
  const cursor = store.keys({ limit: 1 })
  try {
    return (await cursor.nextv(1)).length > 0
  } finally {
    await cursor.close()
  }
}
