/**
 * The port of traces going out: a format that can be written says what it holds and makes writers; a writer turns
 * events into bytes and knows nothing of files or compression.
 *
 *     begin ─▶ write, write ... ─▶ end ─▶ head, put in place of the first bytes where the format counts its entries
 *
 * Whoever drives a writer keeps the account (see holding.ts) and gives the writer only what is to be written.
 */

import type { TraceEvent } from './event.ts'
import type { TraceHolding } from './holding.ts'

/** What the one who starts a conversion may say of the trace to be written. */
export interface WriterOptions {
  /** dm-log-writes: bytes of a sector of the log, a power of two from 512; 512 when left out. */
  readonly sector?: number
  /** dm-log-writes: write the METADATA bit, which the kernel's readers know and QEMU's refuse. */
  readonly metadata?: boolean
  /** Makes the content of writes that carry none, 1 when left out. */
  readonly seed?: number
}

/** Takes the next piece of the trace; bytes are used before the events they came from end. */
export type Put = (piece: string | Uint8Array) => void

export interface TraceWriter {
  /** What stands before the first event. */
  begin(): void
  write(event: TraceEvent): void
  /** What stands after the last event. */
  end(): void
  /** After the end: the first bytes as they should have been, where they depend on what came later. */
  head?(): Uint8Array
}

/** A format that can be written. */
export interface TraceOutput {
  readonly name: string
  /** What it is, in a line for a user. */
  readonly title: string
  holding(options: WriterOptions): TraceHolding
  writer(put: Put, options: WriterOptions): TraceWriter
}
