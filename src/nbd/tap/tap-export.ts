/** A tapped volume as one host sees it: what it asks is a request of the engine, what it is answered the far server's. */

import type { Answer, IoAsk } from '../../engine/ask.ts'
import type { Engine } from '../../engine/engine.ts'
import { flag } from '../../events/kind.ts'
import type { ExportDescription } from '../protocol/export-description.ts'
import type { Extent } from '../protocol/reply.ts'
import type { DiskAnswer, DiskAsker, DiskRequest, OpenExport } from '../server/exported.ts'
import type { Failure } from '../server/failure.ts'
import type { FarDisk } from './far-disk.ts'

/** What an export wants to know of its tap. */
export interface Tapped {
  readonly volume: number
  describe(): ExportDescription
  /** What the host of a request that failed is to see, where the far server said it. */
  failureOf(answer: Answer): Failure | undefined
}

export class TapExport implements OpenExport {
  readonly description: ExportDescription
  readonly #engine: Engine
  readonly #tap: Tapped
  readonly #far: FarDisk
  readonly #session: number
  /** The number of the last request, which goes round below 2^32. */
  #requests = 0

  constructor(engine: Engine, tap: Tapped, far: FarDisk, session: number) {
    this.description = tap.describe()
    this.#engine = engine
    this.#tap = tap
    this.#far = far
    this.#session = session
  }

  submit(request: DiskRequest, asker: DiskAsker): void {
    this.#answer(request).then(
      (answer) => asker.resolve(answer),
      (error: unknown) => asker.reject(error),
    )
  }

  extents(offset: number, length: number, most: number): Promise<readonly Extent[]> {
    return this.#far.extents(offset, length, most)
  }

  async close(orderly: boolean): Promise<void> {
    const detail = { orderly }
    await this.#engine
      .submit({ kind: 'session.close', session: this.#session, detail })
      .catch(() => undefined)
  }

  async #answer(request: DiskRequest): Promise<DiskAnswer> {
    const answer = await this.#engine.submit(this.#asked(request))
    const failure = answer.code === 'ok' ? undefined : this.#tap.failureOf(answer)
    return failure === undefined ? answer : { ...answer, failure }
  }

  #asked({ kind, offset, length, fua, noHole, fastZero, data }: DiskRequest): IoAsk {
    this.#requests = this.#requests === 2 ** 32 - 1 ? 1 : this.#requests + 1
    const flags =
      (fua ? flag.fua : 0) | (noHole === true ? flag.noHole : 0) | (fastZero === true ? flag.fastZero : 0)
    const { volume } = this.#tap
    const common = { kind, session: this.#session, volume, request: this.#requests, flags }
    if (kind === 'io.flush') return common
    return data === undefined ? { ...common, offset, length } : { ...common, offset, data }
  }
}
