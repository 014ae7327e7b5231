/**
 * A run as a diff reads it, opened by its path: a journal's folder. Whoever can read another form of recorded run adds
 * it to `openers`.
 */

import { statSync } from 'node:fs'
import { BlockboxError } from '../src/core/errors.ts'
import { openToRead } from '../src/engine/open-folder.ts'
import { Names } from '../src/inspect/names.ts'
import { nearestWorld } from '../src/journal/state.ts'
import { framesAsParts } from '../src/replay/diff.ts'
import type { DiffSource } from '../src/replay/run-side.ts'

export interface OpenRun extends DiffSource {
  /** What the numbers in its events stand for, as far as they were read. */
  readonly names: Names
  close(): Promise<void>
}

/** Opens a run, or gives undefined when the path is of another form. */
type Opener = (path: string) => Promise<OpenRun | undefined>

const openers: readonly Opener[] = [openJournal]

/** Throws USAGE for what is no recorded run, and what opening it throws. */
export async function openRun(path: string): Promise<OpenRun> {
  for (const open of openers) {
    const run = await open(path)
    if (run !== undefined) return run
  }
  throw new BlockboxError('USAGE', `${path} is no journal: name its folder`)
}

async function openJournal(path: string): Promise<OpenRun | undefined> {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) return undefined
  const { journal } = await openToRead(path)
  const { first, last } = journal.bounds()
  const names = new Names(await nearestWorld(journal, first - 1))
  return {
    name: path,
    names,
    parts: framesAsParts(journal.batches(first, last)),
    note: (event) => names.note(event),
    close: () => journal.close(),
  }
}
