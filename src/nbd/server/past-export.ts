/** A volume as it was, as an export that can only be read. The volume itself goes on being written meanwhile. */

import { lentContent } from '../../images/content.ts'
import type { Volume } from '../../layers/layer.ts'
import type { PayloadStore } from '../../payload/payload.ts'
import type { ExportDescription } from '../protocol/export-description.ts'
import type { Extent } from '../protocol/reply.ts'
import { extentsOf } from './allocation.ts'
import type { DiskAnswer, DiskAsker, DiskRequest, OpenExport } from './exported.ts'
import type { PastVolume } from './past-states.ts'

export function describePast(name: string, { size, block }: Volume): ExportDescription {
  return {
    name,
    description: 'a volume as it was, read-only',
    size,
    readOnly: true,
    minimumBlock: 1,
    preferredBlock: Math.max(block, 4096),
  }
}

export class PastExport implements OpenExport {
  readonly description: ExportDescription
  readonly #past: PastVolume
  readonly #payload: PayloadStore

  constructor(description: ExportDescription, past: PastVolume, payload: PayloadStore) {
    this.description = description
    this.#past = past
    this.#payload = payload
  }

  submit(request: DiskRequest, asker: DiskAsker): void {
    let answer: DiskAnswer
    try {
      answer = this.#answer(request)
    } catch (error) {
      return asker.reject(error)
    }
    asker.resolve(answer)
  }

  async extents(offset: number, length: number, most: number): Promise<readonly Extent[]> {
    return extentsOf(this.#past.world, this.#past.volume, { offset, length }, most)
  }

  async close(): Promise<void> {
    this.#past.release()
  }

  #answer({ kind, offset, length }: DiskRequest): DiskAnswer {
    if (kind === 'io.flush') return { code: 'ok' }
    if (kind !== 'io.read') return { code: 'E_READ_ONLY' }
    const { world, volume } = this.#past
    if (offset > volume.size - length) return { code: 'E_RANGE' }
    return { code: 'ok', data: lentContent(world, volume, this.#payload, offset, length) }
  }
}
