/** A simulated run that is kept: as a journal folder, or, by the name of the file, as a recording. */

import { lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BlockboxError } from '../src/core/errors.ts'
import { openToRead } from '../src/engine/open-folder.ts'
import { exportJournal } from '../src/recording/export.ts'
import { formOfName } from '../src/recording/recording-file.ts'
import { writeRecording } from '../src/recording/recording-writer.ts'
import { keepRun } from '../src/sim/keep.ts'
import type { Simulated } from '../src/sim/simulator.ts'

/** Where the asks and answers of a run are that is kept at `path`, where they were noted. */
export function asksBeside(path: string): string {
  return `${path.replace(/\/+$/, '')}.asks.jsonl`
}

/** Throws USAGE when the place is taken by a file: better before a long run than after it. */
export function refuseTakenPlace(path: string): void {
  const taken = (place: string) =>
    new BlockboxError('USAGE', `${place} is there already: name another place with --keep`)
  if (lstatSync(asksBeside(path), { throwIfNoEntry: false }) !== undefined) throw taken(asksBeside(path))
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined || (found.isDirectory() && formOfName(path) === undefined)) return
  throw taken(path)
}

/** Keeps the run at `path`. Throws USAGE when it cannot be made. */
export async function keepAt(path: string, run: Pick<Simulated, 'disk' | 'slots' | 'asks'>): Promise<void> {
  if (run.asks.length > 0) {
    const lines = run.asks.map((line) => `${JSON.stringify(line)}\n`)
    writeFileSync(asksBeside(path), lines.join(''), { flag: 'wx' })
  }
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
