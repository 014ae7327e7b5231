/** A file that is read is not written over in the same command. */

import { statSync } from 'node:fs'
import { BlockboxError } from '../src/core/errors.ts'

/** What is there; what cannot be looked at is for who opens it to say. */
function seen(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

/** Throws USAGE when `out` is one of the files that are read, by whatever name. */
export function refuseSame(read: readonly string[], out: string): void {
  const written = seen(out)
  if (written === undefined || !written.isFile()) return
  const same = read.find((path) => {
    const found = seen(path)
    return found?.ino === written.ino && found.dev === written.dev
  })
  if (same === undefined) return
  throw new BlockboxError(
    'USAGE',
    `${out} is ${same === out ? 'what' : `${same}, which`} is read: name another file`,
  )
}
