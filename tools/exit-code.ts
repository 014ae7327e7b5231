/**
 * Exit codes of the program, so that a script can tell what happened without reading the message.
 *
 *     0 ok · 1 error · 2 usage · 10 no journal · 11 journal in use · 12 verification failed · 130 interrupted
 */

import { CommanderError } from 'commander'
import { Violation } from '../src/core/assert.ts'
import { BlockboxError, type ErrorCode } from '../src/core/errors.ts'

export const exitCodes = {
  ok: 0,
  error: 1,
  usage: 2,
  noJournal: 10,
  inUse: 11,
  verification: 12,
  interrupted: 130,
} as const

const OF_ERROR = {
  JOURNAL_MISSING: exitCodes.noJournal,
  JOURNAL_LOCKED: exitCodes.inUse,
  JOURNAL_STALE: exitCodes.inUse,
  JOURNAL_CORRUPT: exitCodes.verification,
  JOURNAL_GAP: exitCodes.verification,
  JOURNAL_LOST_TAIL: exitCodes.verification,
  PAYLOAD_CORRUPT: exitCodes.verification,
  PROOF_INVALID: exitCodes.verification,
  JOURNAL_FOREIGN: exitCodes.error,
  JOURNAL_VERSION: exitCodes.error,
  JOURNAL_UNFINISHED: exitCodes.error,
  JOURNAL_IN_DOUBT: exitCodes.error,
  JOURNAL_FULL: exitCodes.error,
  JOURNAL_READ_ONLY: exitCodes.error,
  JOURNAL_TRUNCATED: exitCodes.error,
  TRACE_FORMAT: exitCodes.error,
  SCENARIO: exitCodes.usage,
  STALLED: exitCodes.error,
  LAYOUT: exitCodes.error,
  SHARED_META: exitCodes.error,
  NO_SUCH_POINT: exitCodes.error,
  NO_SUCH_VOLUME: exitCodes.error,
  NO_SUCH_COPY: exitCodes.error,
  ENGINE_STOPPED: exitCodes.error,
  NBD_PROTOCOL: exitCodes.error,
  NBD_REFUSED: exitCodes.error,
  NBD_FAILED: exitCodes.error,
  NBD_CLOSED: exitCodes.error,
  NBD_DEADLINE: exitCodes.error,
  COPY_DIFFERS: exitCodes.verification,
  COPY_CANCELLED: exitCodes.error,
  SOCKET: exitCodes.error,
  USAGE: exitCodes.usage,
} satisfies Record<ErrorCode, number>

/** The exit code for what a command threw. Help and --version end as a CommanderError too, with code 0. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  if (error instanceof BlockboxError) return OF_ERROR[error.code]
  if (error instanceof Violation) return exitCodes.verification
  return exitCodes.error
}

/** True for the codes of errors, as another process may name them. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(OF_ERROR, code)
}
