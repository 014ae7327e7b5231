/** A simulated run that is kept: as a journal folder, or, by the name of the file, as a recording. */

import { accessSync, constants, existsSync, lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { BlockboxError } from '../src/core/errors.ts'
import { openToRead } from '../src/engine/open-folder.ts'
import { cannotMake } from '../src/images/image-file.ts'
import { exportJournal } from '../src/recording/export.ts'
import { formOfName } from '../src/recording/recording-file.ts'
import { writeRecording } from '../src/recording/recording-writer.ts'
import { keepRun } from '../src/sim/keep.ts'
import type { Simulated } from '../src/sim/simulator.ts'

/** Where the asks and answers of a run are that is kept at `path`, where they were noted. */
export function asksBeside(path: string): string {
  return `${path.replace(/\/+$/, '')}.asks.jsonl`
}

/** Throws USAGE when the place is taken by a file or nothing can be made there: better before a long run than after. */
export function refuseTakenPlace(path: string): void {
  if (seen(asksBeside(path)) !== undefined) throw taken(asksBeside(path))
  const found = seen(path)
  const isRecording = formOfName(path) !== undefined
  if (found === undefined || (found.isDirectory() && !isRecording)) {
    let place = found === undefined ? dirname(path) : path
    while (!isRecording && !existsSync(place)) place = dirname(place)
    try {
      accessSync(place, constants.W_OK)
    } catch (error) {
      throw cannotMake(path, error)
    }
    return
  }
  throw taken(path)
}

function taken(place: string): BlockboxError {
  return new BlockboxError('USAGE', `${place} is there already: name another place with --keep`)
}

function seen(path: string) {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    throw cannotMake(path, error)
  }
}

/** Keeps the run at `path`, and beside it its asks and answers. Throws USAGE when it cannot be made. */
export async function keepAt(path: string, run: Pick<Simulated, 'disk' | 'slots' | 'asks'>): Promise<void> {
  const form = formOfName(path)
  if (form === undefined) await keepRun(path, run)
  else await keepRecording(run, { path, ...form })
  if (run.asks.length === 0) return
  const lines = run.asks.map((line) => `${JSON.stringify(line)}\n`)
  writeFileSync(asksBeside(path), lines.join(''), { flag: 'wx' })
}

async function keepRecording(
  run: Pick<Simulated, 'disk' | 'slots'>,
  to: Parameters<typeof writeRecording>[1],
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'blockbox-kept-'))
  try {
    await keepRun(join(folder, 'journal'), run)
    const { journal, payload } = await openToRead(join(folder, 'journal'))
    try {
      await writeRecording(await exportJournal(journal, payload), to)
    } finally {
      await journal.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
