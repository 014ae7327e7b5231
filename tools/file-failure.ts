/** What the file system refused and nobody on the way gave a word to: which file, and why. */

import { BlockboxError } from '../src/core/errors.ts'
import { fileRefusal } from '../src/core/file-reason.ts'

/** The error as it is, or USAGE that names the file and the reason where the system says no more than a code. */
export function fileFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof BlockboxError) return error
  const refusal = fileRefusal(error)
  return refusal === undefined ? error : new BlockboxError('USAGE', refusal, { cause: error })
}
