/**
 * Errors a caller can act on: one class, a stable `code`, a message that says what to do, the cause chained.
 *
 * A refusal of a host request or a command is never one of these: it is an outcome on the record. These are
 * for what stops a program: no journal, damage, bad arguments, a trace that makes no sense.
 */

/** What went wrong, as a stable name. tools/exit-code.ts maps each to the program's exit code. */
export type ErrorCode =
  | 'JOURNAL_MISSING'
  | 'JOURNAL_LOCKED'
  | 'JOURNAL_FOREIGN'
  | 'JOURNAL_VERSION'
  | 'JOURNAL_UNFINISHED'
  | 'JOURNAL_CORRUPT'
  | 'JOURNAL_GAP'
  | 'JOURNAL_LOST_TAIL'
  | 'JOURNAL_IN_DOUBT'
  | 'JOURNAL_FULL'
  | 'JOURNAL_READ_ONLY'
  | 'JOURNAL_STALE'
  | 'JOURNAL_TRUNCATED'
  | 'PAYLOAD_CORRUPT'
  | 'PROOF_INVALID'
  | 'TRACE_FORMAT'
  | 'SCENARIO'
  | 'STALLED'
  | 'LAYOUT'
  | 'SHARED_META'
  | 'USAGE'
  | 'NO_SUCH_POINT'
  | 'NO_SUCH_VOLUME'
  | 'NO_SUCH_COPY'
  | 'ENGINE_STOPPED'
  | 'NBD_PROTOCOL'
  | 'NBD_REFUSED'
  | 'NBD_FAILED'
  | 'NBD_CLOSED'
  | 'NBD_DEADLINE'
  | 'COPY_DIFFERS'
  | 'COPY_CANCELLED'
  | 'SOCKET'

export interface ErrorDetail {
  /** The error underneath, if there is one. */
  readonly cause?: unknown
  /** The first sequence number that cannot be trusted, for damage to a journal. */
  readonly seq?: number
}

export class BlockboxError extends Error {
  readonly code: ErrorCode
  readonly seq: number | undefined

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.name = 'BlockboxError'
    this.code = code
    this.seq = detail.seq
  }
}
