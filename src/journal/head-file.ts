/** The head in a file of 8192 bytes beside the database, its two slots written in place. */

import { closeSync, fdatasync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { ofJournal, openPlain } from '../files/plain-file.ts'
import { type HeadStore, slotBytes, slotSpacing } from './head.ts'

const sync = promisify(fdatasync)

/** Opens the head file at `path`. One that is missing is made by the first write, and by nothing else. */
export function headFile(path: string, readOnly: boolean): HeadStore {
  let file = opened(path, readOnly ? 'r' : 'r+')
  return {
    async read() {
      const head = file
      if (head === undefined) return []
      return [0, 1].map((slot) => {
        const bytes = new Uint8Array(slotBytes)
        return bytes.subarray(0, readSync(head, bytes, 0, slotBytes, slot * slotSpacing))
      })
    },
    write(slot, bytes) {
      file ??= made(path)
      writeSync(file, bytes, 0, bytes.length, slot * slotSpacing)
    },
    async sync() {
      if (file !== undefined) await sync(file)
    },
    async close() {
      if (file !== undefined) closeSync(file)
      file = undefined
    },
  }
}

function opened(path: string, how: 'r' | 'r+'): number | undefined {
  try {
    return openPlain(path, how, ofJournal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** A new head file, its room taken and its name durable, so that no later write in place can lack either. */
function made(path: string): number {
  const file = openSync(path, 'wx+')
  writeSync(file, new Uint8Array(2 * slotSpacing))
  fsyncSync(file)
  syncFolder(dirname(path))
  return file
}

/** Makes the names in a folder durable. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
