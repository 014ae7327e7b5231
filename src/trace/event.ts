/**
 * One line of a foreign trace in the terms every format shares, and the shape of a parser.
 *
 * A parser is pure: bytes are pushed in, events come out, in the canonical order of its format. It knows
 * nothing of files, compression or volumes. Offsets and lengths are bytes; times are nanoseconds from the
 * trace's own zero, or from its first event where the clock has its zero elsewhere (see origin.ts). Null means
 * that the format does not say.
 */

import type { Op } from '../events/kind.ts'

export type TraceOp =
  | 'read'
  | 'write'
  | 'flush'
  | 'discard'
  | 'zero'
  | 'mark'
  | 'open'
  | 'close'
  | 'add'
  | 'wait'
  | 'other'

/** What an operation of a volume is in a trace; none for what hosts do not ask. */
export const traceOpOf: Readonly<Partial<Record<Op, TraceOp>>> = {
  read: 'read',
  write: 'write',
  zeroes: 'zero',
  discard: 'discard',
  flush: 'flush',
}

export type TraceFlag = 'FUA' | 'META' | 'SYNC' | 'FLUSH'

export interface TraceEvent {
  /** Place in the canonical order, from 0. */
  readonly index: number
  readonly op: TraceOp
  readonly offset: number | null
  readonly length: number | null
  readonly tNs: number | null
  /** The format's own name of the device, volume, file, LUN or ASU. */
  readonly dev: string | null
  readonly flags: readonly TraceFlag[]
  /** Who asked for it, where that is known. */
  readonly host?: string
  /** Where it stands in a text, from 1; only when places were asked for. */
  readonly line?: number
  /** Where it stands in a binary file; only when places were asked for. */
  readonly byte?: number
  /** Bytes written, where the format carries them; valid until the next push. */
  readonly data?: Uint8Array
  /** Text of a mark. */
  readonly label?: string
  /** When it was answered, on the clock of `tNs`, where the format tells; null when it never was. */
  readonly tCompleteNs?: number | null
  /** What the answer said, 0 for success, where the format tells; null when there was none. */
  readonly ret?: number | null
}

/** What makes a parser doubt that its trace is whole; the number is that of the line or the byte. */
export interface TraceDoubt {
  readonly line?: number
  readonly byte?: number
  readonly detail: string
}

export interface TraceParser {
  /** Takes the next bytes and returns the events they complete. Throws a TRACE_FORMAT BlockboxError. */
  push(bytes: Uint8Array): Iterable<TraceEvent>
  /** No more bytes: returns what was waiting; throws when the trace ends in the middle of something. */
  end(): Iterable<TraceEvent>
  /** One file of the trace is over and another follows; only where a trace may have several. */
  nextFile?(): void
  /** Holes in the trace that its own numbers tell of, found since this was asked last; some hundred at most. */
  doubts?(): readonly TraceDoubt[]
}

/** The step in the life of a request that a block trace is read for: queued, sent to the device, completed. */
export type BlockAction = 'Q' | 'D' | 'C'

/** What the one who starts an import may say of a trace that its bytes do not. */
export interface TraceOptions {
  /** dm-log-writes: what the order of the log means. `dm`: the durable order; `qemu`: the completed order. */
  readonly producer?: 'dm' | 'qemu'
  /** dm-log-writes: walk past the count in the super block while entries look sane. */
  readonly salvage?: boolean
  /** nbd-pcap: the TCP port of the server, 10809 when left out. */
  readonly port?: number
  /** blktrace, blkparse: which records are the events, Q when left out. */
  readonly action?: BlockAction
  /** disksim: nanoseconds of a unit of its time column, 1 when left out. */
  readonly timeUnitNs?: number
  /** Events say where they stand in their file, and the numbers of records are checked for holes. */
  readonly places?: boolean
}
