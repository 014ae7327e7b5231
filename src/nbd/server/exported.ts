/**
 * What an export is to a connection: something that is opened under a name and then takes requests. A volume and a
 * view of the past both are.
 */

import type { Code } from '../../events/code.ts'
import type { IoKind } from '../../events/kind.ts'
import type { ExportDescription } from '../protocol/export-description.ts'
import type { Extent } from '../protocol/reply.ts'
import type { Failure } from './failure.ts'

export interface DiskRequest {
  readonly kind: IoKind
  /** Bytes. */
  readonly offset: number
  readonly length: number
  readonly fua: boolean
  /** Of zeros: the range shall stay allocated; and nothing shall be done where it is not fast. */
  readonly noHole?: boolean
  readonly fastZero?: boolean
  /** Of a write: taken over. */
  readonly data?: Uint8Array | undefined
}

export interface DiskAnswer {
  readonly code: Code
  /** What a read returned. */
  readonly data?: Uint8Array
  /** What the host is to see of a request that failed, where the code does not say all of it. */
  readonly failure?: Failure
}

/** Whoever asked a disk. Told once, one way or the other; neither may throw. */
export interface DiskAsker {
  resolve(answer: DiskAnswer): void
  /** There is no answer: nearly always a BlockboxError. */
  reject(error: unknown): void
}

/** An export while one connection has it open. */
export interface OpenExport {
  readonly description: ExportDescription
  /** `asker` is told at once or later. Several requests may be under way. */
  submit(request: DiskRequest, asker: DiskAsker): void
  /** What lies in a range, from its beginning on, as at most `most` extents that may end before the range does. Rejects with a BlockboxError. */
  extents(offset: number, length: number, most: number): Promise<readonly Extent[]>
  /** @param orderly true when the client said that it was done */
  close(orderly: boolean): Promise<void>
}

export interface Listed {
  readonly name: string
  readonly description: string
}

/** All exports of a server by name. */
export interface Catalog {
  list(): Promise<readonly Listed[]>
  /** Throws NO_SUCH_VOLUME, NO_SUCH_POINT, USAGE for a name that names nothing. */
  describe(name: string, signal: AbortSignal): Promise<ExportDescription>
  /** @param peer who opens it, for the record. Throws as `describe`. */
  open(name: string, peer: string, signal: AbortSignal): Promise<OpenExport>
}
