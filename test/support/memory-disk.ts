/** A disk in memory behind an NBD server, as the far side of a tap: its answers can be held back, and be errors. */

import type { ExportDescription } from '../../src/nbd/protocol/export-description.ts'
import type { Extent } from '../../src/nbd/protocol/reply.ts'
import type { Catalog, DiskAnswer, DiskRequest, Listed, OpenExport } from '../../src/nbd/server/exported.ts'

export interface MemoryDiskOptions {
  readonly size?: number
  readonly readOnly?: boolean
  readonly flags?: number
  readonly minimumBlock?: number
}

export class MemoryDisk implements Catalog {
  readonly bytes: Uint8Array
  /** What was asked, in the order in which it came. */
  readonly asked: DiskRequest[] = []
  readonly description: ExportDescription
  /** Decides what becomes of a request instead of the disk, where it says something. */
  meddle: (request: DiskRequest) => DiskAnswer | undefined = () => undefined
  /** True: block status tells zeros from data; else all is data. */
  tellsZeros = false
  #held: (() => void)[] | undefined

  constructor({ size = 2 ** 20, readOnly = false, minimumBlock = 1, flags }: MemoryDiskOptions = {}) {
    this.bytes = new Uint8Array(size)
    const about = { name: 'far', description: 'a disk in memory', size, readOnly }
    this.description = { ...about, minimumBlock, preferredBlock: 4096, ...(flags !== undefined && { flags }) }
  }

  /** From now on nothing is answered. */
  hold(): void {
    this.#held ??= []
  }

  /** How many requests wait. */
  get holding(): number {
    return this.#held?.length ?? 0
  }

  /** What waits is answered, the youngest first where that is wanted. */
  release({ backwards = false } = {}): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const go of backwards ? held.reverse() : held) go()
  }

  list(): Promise<readonly Listed[]> {
    return Promise.resolve([{ name: 'far', description: '' }])
  }

  describe(): Promise<ExportDescription> {
    return Promise.resolve(this.description)
  }

  open(): Promise<OpenExport> {
    return Promise.resolve({
      description: this.description,
      submit: (request, asker) => {
        this.#submit(request).then(
          (answer) => asker.resolve(answer),
          (error: unknown) => asker.reject(error),
        )
      },
      extents: (offset, length) => Promise.resolve(this.#extents(offset, length)),
      close: () => Promise.resolve(),
    })
  }

  /** Of a long range its beginning: an answer may end early. */
  #extents(offset: number, length: number): Extent[] {
    const first = Math.min(length, 32_768)
    const zeros = this.bytes.subarray(offset, offset + first).every((byte) => byte === 0)
    return [{ length: first, state: this.tellsZeros && zeros ? 3 : 0 }]
  }

  async #submit(request: DiskRequest): Promise<DiskAnswer> {
    this.asked.push(request)
    if (this.#held !== undefined) await new Promise<void>((resolve) => this.#held!.push(resolve))
    else await new Promise((resolve) => setImmediate(resolve))
    return this.meddle(request) ?? this.#answer(request)
  }

  #answer({ kind, offset, length, data }: DiskRequest): DiskAnswer {
    const range = this.bytes.subarray(offset, offset + length)
    switch (kind) {
      case 'io.read':
        return { code: 'ok', data: range.slice() }
      case 'io.write':
        range.set(data!)
        break
      case 'io.flush':
        break
      default:
        range.fill(0)
    }
    return { code: 'ok' }
  }
}
