/** The file that says which process serves, for as long as it does. */

import { rmSync } from 'node:fs'
import { readPlain } from '../src/files/plain-file.ts'
import { writeShort } from '../src/files/short-text.ts'

const text = `${process.pid}\n`

/** Throws USAGE when it cannot be written. */
export function writePid(path: string): void {
  writeShort(path, text, 'replace')
}

/** Removes the file when it is the one that this process wrote: not a pipe or device, not that of another server. */
export function removePid(path: string): void {
  try {
    if (readPlain(path, text.length)?.toString() === text) rmSync(path)
  } catch {
    // It is gone, or was none to begin with.
  }
}
