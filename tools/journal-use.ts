/**
 * A journal for as long as a command needs it: opened, its remarks said, used, and closed whatever happens, so that
 * an interrupted command leaves a journal that opens.
 */

import type { Engine, EngineOptions } from '../src/engine/engine.ts'
import { type OpenFolder, openToRead, openToWrite } from '../src/engine/open-folder.ts'
import { worldAt } from '../src/replay/at.ts'
import { type JournalOption, journalDir } from './journal-option.ts'
import { remark } from './remark.ts'

/** Opens the journal that the options name to look at it. */
export async function withJournal<T>(
  options: JournalOption,
  use: (open: OpenFolder) => Promise<T>,
  look: Parameters<typeof openToRead>[1] = {},
): Promise<T> {
  const open = await openToRead(journalDir(options), look)
  return used(open, () => use(open), open.journal)
}

/** Opens the journal that the options name to record into it; makes it when there is none. */
export async function withEngine<T>(
  options: JournalOption,
  how: Pick<EngineOptions, 'ack' | 'readDigests'>,
  use: (engine: Engine) => Promise<T>,
): Promise<T> {
  const open = await openToWrite(journalDir(options), { create: true, worldAt, ...how })
  return used(open, () => use(open.engine), open.engine)
}

/** Uses what was opened, says its remarks first, and closes it whatever happens. */
export async function used<T>(
  { journal }: OpenFolder,
  use: () => Promise<T>,
  owner: { close(): Promise<void> },
): Promise<T> {
  for (const text of journal.remarks) remark(text)
  let result: T
  try {
    result = await use()
  } catch (error) {
    await owner.close().catch(() => undefined)
    throw error
  }
  await owner.close()
  return result
}
