/**
 * A copy of a volume as it was at one moment, on its way to a target. It is made from the record, so hosts go on, and so
 * it can be gone on with after it was cut off: what it lacks is copied from the same moment.
 *
 *     copying ─▶ [verifying] ─▶ done
 *        └──────────┴── an error, a mismatch ──▶ failed      cancelled
 *                                                  └────────────┴── resumed: copying, from what is durable on
 *
 * What was copied in part by an earlier one is always read back and compared before it is called whole.
 */

import { setImmediate } from 'node:timers/promises'
import { digestStream } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import type { CopyTarget } from '../images/copy-target.ts'
import { imagePieces, mappedBytes } from '../images/export.ts'
import type { Journal } from '../journal/journal.ts'
import { type Volume, volumeOf } from '../layers/layer.ts'
import { unknownBytes } from '../layers/tap-state.ts'
import type { PayloadStore } from '../payload/payload.ts'
import { worldAt } from '../replay/at.ts'
import { imageOf } from '../volume/content.ts'
import { type CopyNote, dropNote, writeNote } from './copy-note.ts'

export type CopyState = 'copying' | 'verifying' | 'done' | 'failed' | 'cancelled'

export interface CopyTerms {
  readonly number: number
  readonly note: CopyNote
  /** True when an earlier copy to the target is gone on with. */
  readonly resumed: boolean
  readonly verify: boolean
  readonly digest: boolean
}

/** What a copy is made from; its note is kept in the folder. */
export interface CopySource {
  readonly journal: Journal
  readonly payload: PayloadStore
  readonly folder: string
}

/** Between two syncs of the target at most so much is copied: what a resumed copy may have to copy again. */
const syncBytes = 16 * 2 ** 20

export class Copy {
  readonly terms: CopyTerms
  /** Resolves when it has come to its end, whatever that is. */
  readonly ended: Promise<void>
  readonly #of: CopySource
  readonly #target: CopyTarget
  readonly #stop = new AbortController()
  #state: CopyState = 'copying'
  #failure: Error | undefined
  /** Everything before it was written, and everything before `#synced` is durable at the target. */
  #copied: number
  #synced: number
  #mapped: number | null = null
  #unknown = 0
  #sha256: string | undefined
  #verified = false

  /** Begins at once. @param copied called when nothing more is copied, before anything is read back */
  constructor(terms: CopyTerms, target: CopyTarget, of: CopySource, copied: () => Promise<void>) {
    this.terms = terms
    this.#of = of
    this.#target = target
    this.#copied = terms.note.done
    this.#synced = terms.note.done
    this.ended = this.#run(copied)
  }

  get state(): CopyState {
    return this.#state
  }

  get isOver(): boolean {
    return this.#state !== 'copying' && this.#state !== 'verifying'
  }

  /** Why it was not made. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Makes it end soon; what is durable at the target stays. */
  cancel(reason: Error): void {
    if (this.isOver) return
    this.#stop.abort(reason)
  }

  /** How far it is; the keys are those of printed JSON. */
  record() {
    const { number, note, resumed } = this.terms
    const { volume, backup, seq, size, target } = note
    const message = this.#failure?.message
    return {
      ...{ copy: number, state: this.#state, volume, backup, seq, size, target, resumed },
      ...{ copied_bytes: this.#copied, mapped_bytes: this.#mapped, unknown_bytes: this.#unknown },
      ...{ verified: this.#verified, sha256: this.#sha256 ?? null, error: message ?? null },
    }
  }

  /** Never rejects. */
  async #run(copied: () => Promise<void>): Promise<void> {
    const { note, resumed, verify, digest } = this.terms
    const { signal } = this.#stop
    const destroyed = () => void this.#target.close().catch(() => undefined)
    signal.addEventListener('abort', destroyed)
    try {
      const volume = await this.#copyAll().finally(copied)
      if (resumed || verify || digest) await this.#readBack(volume, resumed || verify)
      signal.throwIfAborted()
      await this.#target.finish()
      await dropNote(this.#of.folder, note.target)
      this.#state = 'done'
    } catch (error) {
      this.#failed(signal.aborted ? (signal.reason as Error) : (error as Error))
      await this.#target.close().catch(() => undefined)
    } finally {
      signal.removeEventListener('abort', destroyed)
    }
  }

  #failed(error: Error): void {
    this.#state = this.#stop.signal.aborted ? 'cancelled' : 'failed'
    this.#failure ??= error
    this.#copied = this.#synced
  }

  /** Copies what is not copied yet of the volume as its readers saw it at the moment. */
  async #copyAll(): Promise<Volume> {
    const { note } = this.terms
    const { journal, payload, folder } = this.#of
    const world = await worldAt(journal, note.seq, this.#stop.signal)
    const volume = imageOf(world, volumeOf(world, note.volume_id)!)
    this.#mapped = mappedBytes(volume)
    this.#unknown = unknownBytes(world, volume.id)
    const sync = async (end: number) => {
      await this.#target.sync(end)
      await writeNote(folder, { ...note, done: end })
      this.#synced = end
    }
    for (const piece of imagePieces(volume, payload, false, note.done)) {
      if (piece.offset - this.#synced >= syncBytes) await sync(piece.offset)
      await this.#target.write(piece)
      this.#copied = piece.offset + piece.bytes.length
      await this.#turn()
    }
    await sync(volume.size)
    this.#copied = volume.size
    return volume
  }

  /** Sums up all of the volume, zeros included, and compares the target with it where that is wanted. */
  async #readBack(volume: Volume, compare: boolean): Promise<void> {
    this.#state = 'verifying'
    const sum = digestStream()
    for (const { offset, bytes } of imagePieces(volume, this.#of.payload, true)) {
      sum.update(bytes)
      if (compare && Buffer.compare(await this.#target.read(offset, bytes.length), bytes) !== 0) {
        const message = `${this.terms.note.target} holds something else in bytes ${offset} to ${offset + bytes.length}`
        throw new BlockboxError('COPY_DIFFERS', `${message}: begin anew with force`)
      }
      await this.#turn()
    }
    this.#verified = compare
    this.#sha256 = sum.hex()
  }

  /** Hosts and others come between two pieces. */
  async #turn(): Promise<void> {
    await setImmediate()
    this.#stop.signal.throwIfAborted()
  }
}
