/** A simulated run that is kept: as a journal folder, or, by the name of the file, as a recording. */

import { lstatSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BlockboxError } from '../src/core/errors.ts'
import { openToRead } from '../src/engine/open-folder.ts'
import { exportJournal } from '../src/recording/export.ts'
import { formOfName } from '../src/recording/recording-file.ts'
import { writeRecording } from '../src/recording/recording-writer.ts'
import { keepRun } from '../src/sim/keep.ts'
import type { Simulated } from '../src/sim/simulator.ts'

/** Throws USAGE when the place is taken by a file: better before a long run than after it. */
export function refuseTakenPlace(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined || (found.isDirectory() && formOfName(path) === undefined)) return
  throw new BlockboxError('USAGE', `${path} is there already: name another place with --keep`)
}

/** Keeps the run at `path`. Throws USAGE when it cannot be made. */
export async function keepAt(path: string, run: Pick<Simulated, 'disk' | 'slots'>): Promise<void> {
  const form = formOfName(path)
  if (form === undefined) return keepRun(path, run)
  const folder = mkdtempSync(join(tmpdir(), 'blockbox-kept-'))
  try {
    await keepRun(join(folder, 'journal'), run)
    const { journal, payload } = await openToRead(join(folder, 'journal'))
    try {
      await writeRecording(await exportJournal(journal, payload), { path, ...form })
    } finally {
      await journal.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
