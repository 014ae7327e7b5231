/** A run as a diff reads it, opened by its path: a journal's folder, or a recording. */

import { statSync } from 'node:fs'
import { BlockboxError } from '../src/core/errors.ts'
import { openToRead } from '../src/engine/open-folder.ts'
import { openRecordedJournal } from '../src/recording/recorded-journal.ts'
import { isRecording } from '../src/recording/recording-file.ts'
import { journalRun, type NamedRun } from '../src/replay/journal-run.ts'
import { interrupt } from './interrupt.ts'

export interface OpenRun extends NamedRun {
  close(): Promise<void>
}

/** Throws USAGE for what is no recorded run, and what opening it throws. */
export async function openRun(path: string): Promise<OpenRun> {
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() === true
  if (isFile && !(await isRecording(path, interrupt))) {
    throw new BlockboxError(
      'USAGE',
      `${path} is no recorded run: name a journal's folder or a recording of one`,
    )
  }
  const { journal } = isFile ? await openRecordedJournal(path, { signal: interrupt }) : await openToRead(path)
  return { ...(await journalRun(journal, path)), close: () => journal.close() }
}
