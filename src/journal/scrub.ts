/**
 * Scrubbing: every byte of the database's files in use against LevelDB's own checksums, whether what it holds is live or
 * dead. What the frames and payloads do not cover (checkpoints, what was replaced and not yet compacted away) is found
 * damaged here or nowhere. Where the manifest cannot be read, every table counts as in use.
 */

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { FileFault } from './level-file.ts'
import { logFault } from './level-log.ts'
import { tablesInUse } from './level-manifest.ts'
import { outlineFault, tableFault } from './level-table.ts'

export interface StoreFault extends FileFault {
  readonly file: string
}

/** The first damage in each file in use of the database in `folder`, which no process may have open. */
export async function scrub(folder: string, signal?: AbortSignal): Promise<StoreFault[]> {
  const faults: StoreFault[] = []
  const tables = tablesInUse(folder)
  for (const name of readdirSync(folder).sort()) {
    const table = /^(\d+)\.(?:ldb|sst)$/.exec(name)?.[1]
    const isLog = /\.log$|^MANIFEST-/.test(name)
    if (table === undefined ? !isLog : tables !== undefined && !tables.has(Number(table))) continue
    const look = isLog ? logFault : tableFault
    await setImmediate()
    signal?.throwIfAborted()
    const fault = look(join(folder, name))
    if (fault !== undefined) faults.push({ file: name, ...fault })
  }
  return faults
}

/** Tables of so many bytes together are looked through in some 30 ms. */
const fewBytes = 32 * 2 ** 20

/**
 * The first damage in each file that LevelDB opens a database by: its manifest, and of the tables in use what it finds
 * its way by. LevelDB ends the whole process over some of it. Costs a read of each table's index, not of its data; with
 * `few`, tables that have few bytes together are read whole.
 */
export function outlineFaults(folder: string, { few = false } = {}): StoreFault[] {
  const inUse = tablesInUse(folder)
  const names = readdirSync(folder).sort()
  const tables = names.filter((name) => {
    const number = /^(\d+)\.(?:ldb|sst)$/.exec(name)?.[1]
    return number !== undefined && (inUse === undefined || inUse.has(Number(number)))
  })
  const bytes = () => tables.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
  const ofTable = few && bytes() <= fewBytes ? tableFault : outlineFault
  const faults: StoreFault[] = []
  for (const name of [...names.filter((one) => one.startsWith('MANIFEST-')), ...tables]) {
    const fault = (name.startsWith('MANIFEST-') ? logFault : ofTable)(join(folder, name))
    if (fault !== undefined) faults.push({ file: name, ...fault })
  }
  return faults
}
