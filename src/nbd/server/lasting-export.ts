/**
 * An export that outlasts the engine it was opened on, so that the connection of a host need not end with it.
 *
 *     open ── pause ──▶ paused: reads wait, for a bounded time, changes and flushes fail with the reason
 *       ▲                  └── goOn ──▶ opened again ─▶ open     or it cannot be: lost, every request fails
 *       └─────────────────────────────────┘
 *
 * Where writes are answered before they are durable, an engine that failed may have taken answered writes with it: then
 * the next flush of every connection there was fails, once, as fsync does.
 */

import { BlockboxError } from '../../core/errors.ts'
import type { Reign } from '../../engine/succession.ts'
import type { ExportDescription } from '../protocol/export-description.ts'
import type { Extent } from '../protocol/reply.ts'
import type { DiskAsker, DiskRequest, OpenExport } from './exported.ts'

export interface LastingTerms {
  /** Called while the journal can still be read, before it is closed. */
  readonly note: (reign: Reign) => Promise<void>
  /** Opens the same again. What it throws is what requests fail with. */
  readonly again: (reign: Reign) => Promise<OpenExport>
  /** Called once, when the connection has closed it. */
  readonly closed: () => void
  /** How long a read may wait for the journal, milliseconds. */
  readonly waitMs?: number
}

const defaultWaitMs = 60_000

export class LastingExport implements OpenExport {
  readonly description: ExportDescription
  readonly #terms: LastingTerms
  #inner: OpenExport
  /** Why nothing is changed meanwhile, while it is paused. */
  #paused: BlockboxError | undefined
  /** What the next flush fails with. */
  #broken: BlockboxError | undefined
  /** False while each request has to be looked at. */
  #plain = true
  #wake: () => void = () => undefined
  #going: Promise<void> | undefined
  #isClosed = false

  constructor(inner: OpenExport, terms: LastingTerms) {
    this.description = inner.description
    this.#inner = inner
    this.#terms = terms
  }

  submit(request: DiskRequest, asker: DiskAsker): void {
    if (this.#plain) return this.#inner.submit(request, asker)
    if (this.#paused === undefined) {
      if (request.kind !== 'io.flush' || this.#broken === undefined) return this.#inner.submit(request, asker)
      const broken = this.#broken
      this.#broken = undefined
      this.#plain = true
      return asker.reject(broken)
    }
    if (request.kind !== 'io.read') return asker.reject(this.#paused)
    this.#waited().then(
      () => this.submit(request, asker),
      (error: unknown) => asker.reject(error),
    )
  }

  async extents(offset: number, length: number, most: number): Promise<readonly Extent[]> {
    if (this.#paused !== undefined) await this.#waited()
    return this.#inner.extents(offset, length, most)
  }

  async close(orderly: boolean): Promise<void> {
    this.#isClosed = true
    this.#terms.closed()
    await this.#going
    await this.#inner.close(orderly)
  }

  /** The journal is about to be closed, for this reason. Resolves when nothing here reads it any more. */
  async pause(reason: BlockboxError, reign: Reign): Promise<void> {
    this.#paused = reason
    this.#plain = false
    this.#going ??= new Promise((resolve) => {
      this.#wake = resolve
    })
    if (reign.engine.remains?.broken === true) {
      const what = 'writes that were answered before they were durable may be lost'
      this.#broken = new BlockboxError(reason.code, `${what}: ${reason.message}`)
    }
    await this.#terms.note(reign)
  }

  /** The journal is open again. Never rejects. */
  async goOn(reign: Reign): Promise<void> {
    if (!this.#isClosed) this.#inner = await this.#again(reign)
    this.#paused = undefined
    this.#plain = this.#broken === undefined
    this.#going = undefined
    this.#wake()
  }

  /** An engine that fails in the middle of it leaves something to be read. */
  async #again(reign: Reign): Promise<OpenExport> {
    const { again } = this.#terms
    const readOn = (error: unknown) =>
      reign.engine.remains === undefined ? Promise.reject(error) : again(reign)
    try {
      return await again(reign).catch(readOn)
    } catch (error) {
      return new LostExport(this.description, error, this.#inner)
    }
  }

  /** Resolves when it is open again. Rejects when that takes too long. */
  #waited(): Promise<void> {
    const { waitMs = defaultWaitMs } = this.#terms
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(this.#paused ?? tooLate(waitMs)), waitMs)
      void this.#going!.then(() => {
        clearTimeout(late)
        resolve()
      })
    })
  }
}

/** What could not be opened again: nobody is shown anything else in its place. */
class LostExport implements OpenExport {
  readonly description: ExportDescription
  readonly #why: unknown
  readonly #before: OpenExport

  constructor(description: ExportDescription, why: unknown, before: OpenExport) {
    this.description = description
    this.#why = why
    this.#before = before
  }

  submit(_: DiskRequest, asker: DiskAsker): void {
    asker.reject(this.#why)
  }

  extents(): Promise<readonly Extent[]> {
    return Promise.reject(this.#why)
  }

  close(orderly: boolean): Promise<void> {
    return this.#before.close(orderly)
  }
}

function tooLate(waitMs: number): BlockboxError {
  return new BlockboxError('STALLED', `the journal was not open again within ${waitMs} ms`)
}
