/**
 * Scrubbing: every byte of the database's files against LevelDB's own checksums, live or dead. What the frames and
 * payloads do not cover (checkpoints, what was replaced and not yet compacted away) is found damaged here or nowhere.
 */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { type FileFault, logFault, tableFault } from './level-file.ts'

export interface StoreFault extends FileFault {
  readonly file: string
}

/** The first damage in each database file of a folder. */
export async function scrub(folder: string, signal?: AbortSignal): Promise<StoreFault[]> {
  const faults: StoreFault[] = []
  for (const name of readdirSync(folder).sort()) {
    const look = /\.(?:ldb|sst)$/.test(name)
      ? tableFault
      : /\.log$|^MANIFEST-/.test(name)
        ? logFault
        : undefined
    if (look === undefined) continue
    await setImmediate()
    signal?.throwIfAborted()
    const fault = look(join(folder, name))
    if (fault !== undefined) faults.push({ file: name, ...fault })
  }
  return faults
}
