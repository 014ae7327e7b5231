/** Keeps the disk of a simulated run, its segments too, as a journal folder, so that every command can look at it. */

import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { openJournalFolder } from '../journal/folder.ts'
import { slotSpacing } from '../journal/head.ts'
import { segmentName } from '../journal/segment-folder.ts'
import { levelStore } from '../journal/store.ts'
import type { Simulated } from './simulator.ts'

/** Makes the journal folder `path`, which must not exist yet or be empty. */
export async function keepRun(
  path: string,
  { disk, slots }: Pick<Simulated, 'disk' | 'slots'>,
): Promise<void> {
  await (await openJournalFolder(path, { create: true })).close()
  const store = levelStore(join(path, 'db'))
  await store.open()
  try {
    const batch = store.batch()
    for (const [key, value] of disk.content.entries()) batch.put(key, value)
    await batch.write({ sync: true })
  } finally {
    await store.close()
  }
  const segments = disk.files.numbers()
  if (segments !== undefined) mkdirSync(join(path, 'payload'))
  for (const segment of segments ?? []) {
    const bytes = disk.files.read(segment, 0, disk.files.size(segment))
    writeFileSync(join(path, 'payload', segmentName(segment)), bytes, { flag: 'wx' })
  }
  const file = openSync(join(path, 'head'), 'r+')
  try {
    const written = await slots.read()
    for (const [k, slot] of written.entries()) writeSync(file, slot, 0, slot.length, k * slotSpacing)
  } finally {
    closeSync(file)
  }
}
