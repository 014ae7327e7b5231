/**
 * The journal over a key-value store: LevelDB on disk, memory-level where a test needs no disk.
 *
 *     append:  head (attempted) ─▶ one synced batch: frame and payload ─▶ head (durable) ─▶ followers
 *
 * One append is in flight at a time. A failed one is in doubt: the writer is dead, and opening again settles what
 * was written. Nothing is ever written again over a frame.
 */

import { type Observable, Subject } from 'rxjs'
import { sameBytes } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import { type Base, decodeBase, encodeBase } from './base.ts'
import { dropCheckpointsBefore, readCheckpoint, writeCheckpoint } from './checkpoints.ts'
import { epochParts } from './epoch.ts'
import { followed } from './follow.ts'
import { damage, decodeFrame, encodeFrame, type Frame, type FrameParts } from './frame.ts'
import { emptyHead, encodeHead, type Head, type HeadStore, newestHead } from './head.ts'
import type { Attachments, Bounds, Checkpoint, Journal, Writer } from './journal.ts'
import { before, from, key, numberOf, tables } from './keys.ts'
import { type KvStore, readAheadBytes, readAheadFrames, storeError } from './store.ts'
import { frameAt, settleTail } from './tail.ts'

/** The head is synced when this long passed since the last time, in nanoseconds. */
const headSyncNs = 1_000_000_000n

export interface StoreJournalOptions {
  readonly store: KvStore
  readonly head: HeadStore
  /** Nothing is cut or written: for looking at a journal as it is. */
  readonly readOnly?: boolean
  readonly attachments?: Attachments
  /** Called after each append with the bytes it stored: how a folder keeps its reserve large enough. */
  readonly onStored?: (bytes: number) => void
}

/** Opens a journal over an open store: settles its tail, reads its bounds. */
export async function openStoreJournal(options: StoreJournalOptions): Promise<StoreJournal> {
  const { store } = options
  const base = decodeBase(await store.get(key(tables.base, 0)))
  const head = newestHead(await options.head.read())
  if (head === undefined && (await hasFrames(store))) {
    throw damage(
      'JOURNAL_CORRUPT',
      base.first,
      'the head file is missing or damaged: that no event at the end is lost cannot be shown',
    )
  }
  const tail = await settleTail(store, head ?? emptyHead, base)
  if (tail.cut.length > 0 && options.readOnly !== true) {
    const batch = store.batch()
    for (const first of tail.cut) batch.del(key(tables.frame, first))
    await batch.write({ sync: true })
  }
  return new StoreJournal(options, base, head ?? emptyHead, tail.last, tail.remarks)
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

  async openWriter(id: string, nowNs: bigint): Promise<Writer> {
    const epoch = this.bounds().epoch + 1
    const writer = new StoreWriter(this, epoch)
    this.#writer = writer
    const first = this.bounds().last + 1
    await writer.append(epochParts(first, epoch, id, nowNs), first)
    return writer
  }

  async *read(first: number, to = Number.MAX_SAFE_INTEGER): AsyncGenerator<Frame> {
    for await (const frames of this.batches(first, to)) yield* frames
  }

  async *batches(first: number, to = Number.MAX_SAFE_INTEGER): AsyncGenerator<Frame[]> {
    const bounds = this.bounds()
    const last = Math.min(to, bounds.last)
    if (first < bounds.first) throw truncated(first, bounds.first)
    if (first > last) return
    const start = (await frameAt(this.#store, first))?.first ?? bounds.first
    let next = start
    let previous = start === this.#base.first ? this.#base.previous : undefined
    const range = { ...from(tables.frame, start), lt: key(tables.frame, last + 1) }
    const cursor = this.#store.values({ ...range, highWaterMarkBytes: readAheadBytes })
    try {
      let coming = cursor.nextv(readAheadFrames)
      for (;;) {
        const values = await coming
        if (values.length === 0) break
        coming = cursor.nextv(readAheadFrames)
        const frames: Frame[] = []
        for (const value of values) {
          const frame = decodeFrame(value, next)
          if (previous !== undefined && !sameBytes(frame.previous, previous)) {
            throw damage(
              'JOURNAL_CORRUPT',
              next,
              `the frame of event ${next} does not hang on the one before it`,
            )
          }
          frames.push(frame)
          next = frame.last + 1
          previous = frame.hash
        }
        yield frames
      }
    } finally {
      await cursor.close()
    }
    if (next <= last) throw damage('JOURNAL_GAP', next, `events ${next} to ${last} are missing`)
  }

  follow(first: number): Observable<Frame> {
    return followed(this, this.#durable$, first)
  }

  checkpoint(atOrBefore = Number.MAX_SAFE_INTEGER): Promise<Checkpoint | undefined> {
    return readCheckpoint(this.#store, Math.min(atOrBefore, this.bounds().last))
  }

  async truncateBefore(seq: number): Promise<void> {
    const bounds = this.bounds()
    const checkpoint = await this.checkpoint()
    if (checkpoint === undefined || checkpoint.seq + 1 < seq) {
      throw new BlockboxError(
        'NO_SUCH_POINT',
        `events can only be given up below a checkpoint, not before ${seq}`,
      )
    }
    const frame = await frameAt(this.#store, Math.min(seq, bounds.last))
    if (frame === undefined || frame.first <= bounds.first) return
    const base = { first: frame.first, previous: frame.previous.slice(), epoch: frame.epoch }
    await this.#store.put(key(tables.base, 0), encodeBase(base), { sync: true })
    this.#base = base
    const cursor = this.#store.keys(before(tables.frame, base.first))
    try {
      for (let keys = await cursor.nextv(1000); keys.length > 0; keys = await cursor.nextv(1000)) {
        const batch = this.#store.batch()
        for (const one of keys) batch.del(one)
        await batch.write({ sync: false })
      }
    } finally {
      await cursor.close()
    }
    await dropCheckpointsBefore(this.#store, base.first - 1)
  }

  async close(): Promise<void> {
    this.#writer = undefined
    if (this.#options.readOnly !== true) await this.#options.head.sync()
    await this.#options.head.close()
    this.#durable$.complete()
    await this.#store.close()
  }

  /** Appends for the writer; see Writer.append. */
  async append(writer: StoreWriter, parts: FrameParts, expected: number): Promise<Frame> {
    this.#assertWriter(writer)
    const bounds = this.bounds()
    if (expected !== bounds.last + 1 || parts.first !== expected) {
      throw new BlockboxError('JOURNAL_STALE', `the next event is ${bounds.last + 1}, not ${expected}`)
    }
    const frame = encodeFrame(parts, writer.epoch, bounds.head)
    const { durable } = this.#head
    const attempted = { seq: frame.last, hash: frame.hash }
    try {
      this.#writeHead({ durable, attempted, epoch: writer.epoch })
      await this.#put(frame)
      this.#last = frame
      this.#writeHead({ durable: attempted, attempted, epoch: writer.epoch })
      if (parts.instantNs - this.#headSyncedNs >= headSyncNs || parts.first === 1) {
        this.#headSyncedNs = parts.instantNs
        await this.#options.head.sync()
      }
    } catch (error) {
      if (this.#writer === writer) this.#writer = undefined
      throw storeError(error, `events ${frame.first} to ${frame.last} were being written`)
    }
    this.#durable$.next(frame)
    return frame
  }

  async keep(writer: StoreWriter, checkpoint: Omit<Checkpoint, 'frameHash'>): Promise<void> {
    this.#assertWriter(writer)
    const { last, head } = this.bounds()
    if (checkpoint.seq !== last)
      throw new BlockboxError('JOURNAL_STALE', `event ${checkpoint.seq} is not the last`)
    try {
      await writeCheckpoint(this.#store, { ...checkpoint, frameHash: head })
      await this.#options.head.sync()
    } catch (error) {
      throw storeError(error, `the checkpoint of event ${last} was being written`)
    }
  }

  async #put(frame: Frame): Promise<void> {
    const waiting = this.#options.attachments?.drain() ?? []
    let bytes = frame.bytes.length
    if (waiting.length === 0)
      await this.#store.put(key(tables.frame, frame.first), frame.bytes, { sync: true })
    else {
      const batch = this.#store.batch().put(key(tables.frame, frame.first), frame.bytes)
      for (const [at, value] of waiting) {
        batch.put(at, value)
        bytes += value.length
      }
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

function truncated(seq: number, first: number): BlockboxError {
  return new BlockboxError(
    'JOURNAL_TRUNCATED',
    `event ${seq} was given up: the journal begins with event ${first}`,
  )
}

async function hasFrames(store: KvStore): Promise<boolean> {
  const cursor = store.keys({ ...from(tables.frame, 0), limit: 1 })
  try {
    return (await cursor.nextv(1)).map(numberOf).length > 0
  } finally {
    await cursor.close()
  }
}
