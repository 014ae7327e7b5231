/**
 * The journal over a key-value store: LevelDB on disk, memory-level where a test needs no disk.
 *
 *     append:  one synced batch: frame and payload ─▶ head (durable) ─▶ followers
 *              head (attempted), while it is synced
 *
 * In the batch the frame comes last: where a store tears batches, payload without a frame is nothing, a frame without
 * its payload would be a write half applied.
 *
 * One append is in flight at a time; whoever takes over waits for its end. A failed one is in doubt: nobody writes
 * until opening again settled what was written. Nothing is ever written again over a frame.
 */

import { type Observable, Subject } from 'rxjs'
import { sameBytes } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import { type Base, sweep, writeBase } from './base.ts'
import { damagedCheckpoints, readCheckpoint, writeCheckpoint } from './checkpoints.ts'
import { epochParts } from './epoch.ts'
import { followed } from './follow.ts'
import { decodeFrame, encodeFrame, type Frame, type FrameParts } from './frame.ts'
import { encodeHead, type Head, type HeadStore } from './head.ts'
import type { Attachments, Bounds, Checkpoint, Journal, Writer } from './journal.ts'
import { key, tables } from './keys.ts'
import { readBatches } from './reader.ts'
import { type KvStore, readError, storeError } from './store.ts'
import { frameAt } from './tail.ts'

/** The head is synced when this long passed since the last time, in nanoseconds. */
const headSyncNs = 1_000_000_000n

export interface StoreJournalOptions {
  readonly store: KvStore
  readonly head: HeadStore
  /** Nothing is cut or written: for looking at a journal as it is. */
  readonly readOnly?: boolean
  readonly attachments?: Attachments
  /** What was found before the store was opened. */
  readonly remarks?: readonly string[]
  /** Called after each append with the bytes it stored: how a folder keeps its reserve large enough. */
  readonly onStored?: (bytes: number) => void
}

export class StoreJournal implements Journal {
  readonly remarks: readonly string[]
  readonly #options: StoreJournalOptions
  readonly #store: KvStore
  readonly #durable$ = new Subject<Frame>()
  #base: Base
  #head: Head
  #last: Frame | undefined
  #writer: StoreWriter | undefined
  #headSyncedNs = 0n
  /** What writes is done one after the other: the end of the last of it. */
  #busy: Promise<unknown> = Promise.resolve()
  #doubt: BlockboxError | undefined
  #closed = false

  constructor(
    options: StoreJournalOptions,
    base: Base,
    head: Head,
    last: Frame | undefined,
    remarks: readonly string[],
  ) {
    this.#options = options
    this.#store = options.store
    this.#base = base
    this.#head = head
    this.#last = last
    this.remarks = remarks
  }

  bounds(): Bounds {
    const { first, epoch } = this.#base
    const last = this.#last
    if (last === undefined) return { first, last: first - 1, epoch, head: this.#base.previous }
    return { first, last: last.last, epoch: last.epoch, head: last.hash }
  }

  openWriter(id: string, nowNs: bigint): Promise<Writer> {
    return this.#alone(async () => {
      this.#assertWritable()
      const epoch = this.bounds().epoch + 1
      const writer = new StoreWriter(this, epoch)
      this.#writer = writer
      await this.#append(writer, epochParts(this.bounds().last + 1, epoch, id, nowNs))
      return writer
    })
  }

  async *read(first: number, to = Number.MAX_SAFE_INTEGER): AsyncGenerator<Frame> {
    for await (const frames of this.batches(first, to)) yield* frames
  }

  batches(first: number, to = Number.MAX_SAFE_INTEGER): AsyncGenerator<Frame[]> {
    return readBatches(this.#store, this.#base, this.bounds(), first, to)
  }

  frame(first: number): Frame | undefined {
    if (first < this.#base.first || first > this.bounds().last) return undefined
    try {
      const bytes = this.#store.getSync(key(tables.frame, first))
      return bytes === undefined ? undefined : decodeFrame(bytes, first)
    } catch (error) {
      throw readError(error, first)
    }
  }

  follow(first: number): Observable<Frame> {
    return followed(this, this.#durable$, first)
  }

  checkpoint(atOrBefore = Number.MAX_SAFE_INTEGER): Promise<Checkpoint | undefined> {
    const seq = Math.min(atOrBefore, this.bounds().last)
    return readCheckpoint(this.#store, seq, (one) => this.#belongs(one))
  }

  damagedCheckpoints(): Promise<readonly number[]> {
    return damagedCheckpoints(this.#store)
  }

  truncateBefore(seq: number): Promise<void> {
    return this.#alone(async () => {
      this.#assertWritable()
      if (seq <= this.#base.first) return
      const newest = await this.checkpoint()
      const anchor = await this.checkpoint(seq - 1)
      if (anchor === undefined || newest === undefined || newest.seq + 1 < seq) {
        const message = `events can only be given up below a checkpoint, and none leads to event ${seq}`
        throw new BlockboxError('NO_SUCH_POINT', message)
      }
      if (anchor.seq < this.#base.first) return
      const base = { first: anchor.seq + 1, previous: anchor.frameHash, epoch: this.bounds().epoch }
      try {
        await writeBase(this.#store, base)
        this.#base = base
        if (this.bounds().last < base.first) this.#last = undefined
        await sweep(this.#store, base)
      } catch (error) {
        throw this.#inDoubt(storeError(error, `events before ${base.first} were being given up`))
      }
    })
  }

  close(): Promise<void> {
    return this.#alone(async () => {
      if (this.#closed) return
      this.#closed = true
      this.#writer = undefined
      try {
        if (this.#options.readOnly !== true) await this.#options.head.sync()
      } finally {
        this.#durable$.complete()
        await this.#options.head.close().finally(() => this.#store.close())
      }
    })
  }

  /** Appends for the writer; see Writer.append. */
  append(writer: StoreWriter, parts: FrameParts, expected: number): Promise<Frame> {
    return this.#alone(async () => {
      this.#assertWriter(writer)
      const next = this.bounds().last + 1
      if (expected !== next || parts.first !== expected) {
        this.#writer = undefined
        throw new BlockboxError('JOURNAL_STALE', `the next event is ${next}, not ${expected}`)
      }
      return await this.#append(writer, parts)
    })
  }

  keep(writer: StoreWriter, checkpoint: Omit<Checkpoint, 'frameHash'>): Promise<void> {
    return this.#alone(async () => {
      this.#assertWriter(writer)
      const { last, head } = this.bounds()
      if (checkpoint.seq !== last) {
        throw new BlockboxError('JOURNAL_STALE', `event ${checkpoint.seq} is not the last, ${last} is`)
      }
      try {
        await writeCheckpoint(this.#store, { ...checkpoint, frameHash: head })
        await this.#options.head.sync()
      } catch (error) {
        throw storeError(error, `the checkpoint of event ${last} was being written`)
      }
    })
  }

  async #append(writer: StoreWriter, parts: FrameParts): Promise<Frame> {
    const frame = encodeFrame(parts, writer.epoch, this.bounds().head)
    const { durable } = this.#head
    const attempted = { seq: frame.last, hash: frame.hash }
    try {
      const stored = this.#put(frame)
      try {
        this.#writeHead({ durable, attempted, epoch: writer.epoch })
      } finally {
        await stored
      }
      this.#writeHead({ durable: attempted, attempted, epoch: writer.epoch })
      const sinceNs = parts.instantNs - this.#headSyncedNs
      if (sinceNs >= headSyncNs || sinceNs < 0n || parts.first === 1) {
        this.#headSyncedNs = parts.instantNs
        await this.#options.head.sync()
      }
    } catch (error) {
      throw this.#inDoubt(storeError(error, `events ${frame.first} to ${frame.last} were being written`))
    }
    this.#last = frame
    this.#durable$.next(frame)
    return frame
  }

  async #put(frame: Frame): Promise<void> {
    const waiting = this.#options.attachments?.drain() ?? []
    let bytes = frame.bytes.length
    if (waiting.length === 0)
      await this.#store.put(key(tables.frame, frame.first), frame.bytes, { sync: true })
    else {
      const batch = this.#store.batch()
      for (const [at, value] of waiting) {
        batch.put(at, value)
        bytes += value.length
      }
      batch.put(key(tables.frame, frame.first), frame.bytes)
      await batch.write({ sync: true })
      this.#options.attachments?.stored()
    }
    this.#options.onStored?.(bytes)
  }

  #writeHead(head: Omit<Head, 'generation'>): void {
    const generation = this.#head.generation + 1
    this.#options.head.write((generation % 2) as 0 | 1, encodeHead({ ...head, generation }))
    this.#head = { ...head, generation }
  }

  /** Runs `act` when everything that writes and began before has ended. */
  #alone<Result>(act: () => Promise<Result>): Promise<Result> {
    const mine = this.#busy.then(act)
    this.#busy = mine.catch(() => undefined)
    return mine
  }

  /** True when the checkpoint is of this history: the frame it names ends there. */
  async #belongs({ seq, frameHash }: Checkpoint): Promise<boolean> {
    if (seq === this.#base.first - 1) return sameBytes(frameHash, this.#base.previous)
    if (seq < this.#base.first) return false
    const frame = await frameAt(this.#store, seq).catch(() => undefined)
    return frame !== undefined && frame.last === seq && sameBytes(frame.hash, frameHash)
  }

  #inDoubt(error: BlockboxError): BlockboxError {
    this.#doubt = error
    this.#writer = undefined
    return error
  }

  #assertWritable(): void {
    if (this.#options.readOnly === true) {
      throw new BlockboxError('USAGE', 'the journal was opened to be looked at: open it to write')
    }
    if (this.#closed) throw new BlockboxError('ENGINE_STOPPED', 'the journal is closed')
    if (this.#doubt === undefined) return
    const message = `an earlier write failed (${this.#doubt.message}): open the journal again`
    throw new BlockboxError('JOURNAL_IN_DOUBT', message, { cause: this.#doubt })
  }

  #assertWriter(writer: StoreWriter): void {
    if (this.#writer === writer) return
    throw new BlockboxError(
      'JOURNAL_STALE',
      `the writer of epoch ${writer.epoch} is dead: another took over or it failed`,
    )
  }
}

/** One epoch's right to append. */
class StoreWriter implements Writer {
  readonly epoch: number
  readonly #journal: StoreJournal

  constructor(journal: StoreJournal, epoch: number) {
    this.#journal = journal
    this.epoch = epoch
  }

  append(parts: FrameParts, expected: number): Promise<Frame> {
    return this.#journal.append(this, parts, expected)
  }

  keep(checkpoint: Omit<Checkpoint, 'frameHash'>): Promise<void> {
    return this.#journal.keep(this, checkpoint)
  }
}
