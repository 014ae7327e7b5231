/** A new journal folder filled with frames that another journal stored. */

import { join } from 'node:path'
import { BlockboxError } from '../core/errors.ts'
import { Deposit } from './deposit.ts'
import { openJournalFolder } from './folder.ts'
import { headFile } from './head-file.ts'
import { segmentFolder } from './segment-folder.ts'
import { segmentedStore } from './segmented-store.ts'
import { levelStore, storeError } from './store.ts'

/**
 * Makes the journal at `path` and has `fill` put the frames into it; the head is written last. When that ends early,
 * the frames that got there are kept, as after any crash. Throws USAGE when the journal holds events already.
 */
export async function depositInFolder(path: string, fill: (into: Deposit) => Promise<void>): Promise<void> {
  const made = await openJournalFolder(path, { create: true })
  const { last } = made.bounds()
  await made.close()
  if (last > 0) {
    const message = `the journal at ${path} holds ${last} events: a recording becomes a journal of its own; name a new folder`
    throw new BlockboxError('USAGE', message)
  }
  const store = segmentedStore(levelStore(join(path, 'db')), segmentFolder(join(path, 'payload')))
  let slot: Uint8Array | undefined
  try {
    await store.open()
    try {
      const deposit = new Deposit(store)
      await fill(deposit)
      slot = await deposit.end()
    } finally {
      await store.close()
    }
  } catch (error) {
    throw storeError(error, 'the recording was being stored')
  }
  if (slot === undefined) return
  const head = headFile(join(path, 'head'), false)
  head.write(1, slot)
  await head.sync()
  await head.close()
}
