/**
 * A volume of an engine that has failed, for a connection that had it open before: what is durable is read, and whatever
 * would change something fails with the reason. Who comes later is told that it can only be read, and asks for no more.
 */

import type { BlockboxError } from '../../core/errors.ts'
import type { ExportDescription } from '../protocol/export-description.ts'
import type { Extent } from '../protocol/reply.ts'
import type { DiskAsker, DiskRequest, OpenExport } from './exported.ts'

export class RemainingExport implements OpenExport {
  readonly description: ExportDescription
  readonly #read: OpenExport
  readonly #reason: () => BlockboxError

  /** @param read what it is read through */
  constructor(read: OpenExport, reason: () => BlockboxError) {
    this.description = read.description
    this.#read = read
    this.#reason = reason
  }

  submit(request: DiskRequest, asker: DiskAsker): void {
    if (request.kind === 'io.read') this.#read.submit(request, asker)
    else asker.reject(this.#reason())
  }

  extents(offset: number, length: number, most: number): Promise<readonly Extent[]> {
    return this.#read.extents(offset, length, most)
  }

  close(orderly: boolean): Promise<void> {
    return this.#read.close(orderly)
  }
}
