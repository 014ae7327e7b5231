/** Findings as commands report them, and the damage that keeps a journal from being opened as one of them. */

import type { Finding } from '../src/check/check.ts'
import { BlockboxError } from '../src/core/errors.ts'
import { exitCodeOf, exitCodes } from './exit-code.ts'

/** The finding that an error is: damage to a journal with the first sequence number that cannot be trusted. */
export function findingOf(error: unknown): Finding | undefined {
  if (!(error instanceof BlockboxError) || error.seq === undefined) return undefined
  if (exitCodeOf(error) !== exitCodes.verification) return undefined
  return { seq: error.seq, rule: error.code, detail: error.message }
}

/** One finding as a line, not yet escaped; without a sequence number it is of the database itself. */
export function findingLine({ seq, rule, detail }: Finding): string {
  return `${seq === 0 ? 'database' : `event ${seq}`}: ${rule}: ${detail}`
}
