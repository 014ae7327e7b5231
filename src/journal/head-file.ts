/** The head in a file of 8192 bytes beside the database, its two slots written in place. */

import { closeSync, fdatasync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import { type HeadStore, slotBytes, slotSpacing } from './head.ts'

const sync = promisify(fdatasync)

/** Opens (and makes, unless `readOnly`) the head file at `path`. */
export function headFile(path: string, readOnly: boolean): HeadStore {
  let file: number
  try {
    file = openSync(path, readOnly ? 'r' : 'r+')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    if (readOnly) return absentHead
    file = openSync(path, 'w+')
    ftruncateSync(file, 2 * slotSpacing)
  }
  return {
    async read() {
      return [0, 1].map((slot) => {
        const bytes = new Uint8Array(slotBytes)
        return bytes.subarray(0, readSync(file, bytes, 0, slotBytes, slot * slotSpacing))
      })
    },
    write(slot, bytes) {
      writeSync(file, bytes, 0, bytes.length, slot * slotSpacing)
    },
    sync: () => sync(file),
    async close() {
      closeSync(file)
    },
  }
}

const absentHead: HeadStore = {
  read: async () => [],
  write: () => undefined,
  sync: async () => undefined,
  close: async () => undefined,
}
