/**
 * A recording as a journal: what replays, verifies, lists or images a journal does the same with a recording.
 *
 *     items ─▶ base, checkpoint, frames ─▶ store in memory ─▶ journal, to be looked at
 *          └─▶ payloads, where they are asked for ─▶ payload store
 *
 * All of it lies in memory, up to a bound; a recording that is larger goes into a journal on disk first.
 */

import { hex, sameBytes } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import { Deposit } from '../journal/deposit.ts'
import { memoryHead } from '../journal/head.ts'
import type { Journal } from '../journal/journal.ts'
import { MemoryStore } from '../journal/memory-store.ts'
import { openStoreJournal } from '../journal/opening.ts'
import type { PayloadStore } from '../payload/payload.ts'
import { isWhole, type RecordingHeader } from './header.ts'
import type { RecordingEnd, RecordingItem } from './item.ts'
import { RecordedStore } from './recorded-store.ts'
import { type OpenRecording, openRecording } from './recording-file.ts'

/** The most bytes of frames and payloads that are held in memory. */
const maxBytes = 2 ** 31

export interface RecordedJournal {
  readonly header: RecordingHeader
  readonly journal: Journal
  readonly payload: PayloadStore
  readonly end: RecordingEnd
}

export interface RecordedOptions {
  /** Keep the payloads too: for images and for verifying. */
  readonly payload?: boolean
  readonly signal?: AbortSignal
}

/**
 * Opens the recording at `path` as a journal. Throws USAGE when it cannot be one (some entries only, too large),
 * TRACE_FORMAT, JOURNAL_CORRUPT or PAYLOAD_CORRUPT with line or byte when it is damaged.
 */
export async function openRecordedJournal(
  path: string,
  options: RecordedOptions = {},
): Promise<RecordedJournal> {
  return journalOf(await openRecording(path, options.signal), path, options)
}

/** The same, of a recording that is open. `name` is for messages. */
export async function journalOf(
  recording: Pick<OpenRecording, 'header' | 'items'>,
  name: string,
  { payload: keep = false, signal }: RecordedOptions = {},
): Promise<RecordedJournal> {
  const { header, items } = recording
  if (!isWhole(header)) {
    await items.return()
    throw new BlockboxError('USAGE', `${name} ${someOnly(header)}`)
  }
  const filling = new Filling(header, name, keep)
  try {
    for await (const item of items) {
      signal?.throwIfAborted()
      await filling.take(item)
    }
  } catch (error) {
    throw asDamage(error, filling.next)
  }
  return filling.end()
}

/** A journal in memory that takes the items of a recording one after the other. */
class Filling {
  /** The first event that was not taken so far. */
  next: number
  readonly #header: RecordingHeader
  readonly #name: string
  readonly #keep: boolean
  readonly #store = new MemoryStore()
  readonly #deposit = new Deposit(this.#store)
  readonly #payloads: RecordedStore
  #bytes = 0
  #begun: boolean
  #end: RecordingEnd | undefined

  constructor(header: RecordingHeader, name: string, keep: boolean) {
    this.#header = header
    this.#name = name
    this.#keep = keep
    this.#begun = header.first === 1
    this.#payloads = new RecordedStore(header.payload !== 'whole' || header.first > 1)
    this.next = header.first
  }

  async take(item: RecordingItem): Promise<void> {
    const name = this.#name
    if (item.is === 'checkpoint') {
      await this.#deposit.begin(this.#header, item.checkpoint)
      this.#begun = true
      for (const part of item.checkpoint.parts) this.#bytes += part.length
    } else if (item.is === 'frame') {
      if (!this.#begun) {
        const message = `${name} begins with event ${this.next} and holds no state to stand on there`
        throw new BlockboxError('TRACE_FORMAT', message)
      }
      await this.#deposit.frame(item.frame)
      this.#bytes += item.frame.bytes.length
      this.next = item.frame.last + 1
      if (this.#keep) for (const one of item.payloads) this.#payloads.add(one)
    } else if (item.is === 'end') this.#end = item.end
    if (this.#bytes + this.#payloads.bytes <= maxBytes) return
    const how = `\`blockbox import ${name} -j DIR\`, then use -j DIR`
    throw new BlockboxError('USAGE', `${name} is too large to be looked at in memory: ${how}`)
  }

  async end(): Promise<RecordedJournal> {
    const header = this.#header
    const end = this.#end!
    const slot = await this.#deposit.end()
    const head = memoryHead()
    if (slot !== undefined) head.write(1, slot)
    const journal = await openStoreJournal({ store: this.#store, head, readOnly: true })
    if (!sameBytes(journal.bounds().head, end.head)) {
      const message = `${this.#name}: its end names the head ${hex(end.head)}, its last frame has another hash`
      throw new BlockboxError('JOURNAL_CORRUPT', message, { seq: header.last })
    }
    return { header, journal, payload: this.#payloads, end }
  }
}

/** To whoever wants a journal, a recording that makes no sense is one that is damaged from an event on. */
function asDamage(error: unknown, seq: number): unknown {
  if (!(error instanceof BlockboxError) || error.code !== 'TRACE_FORMAT') return error
  return new BlockboxError('JOURNAL_CORRUPT', error.message, { cause: error, seq: error.seq ?? seq })
}

/** What a recording of some entries cannot be used for. */
export function someOnly({ only = {} }: RecordingHeader): string {
  const { volume, session } = only
  const what = [
    volume === undefined ? '' : `volume ${volume}`,
    session === undefined ? '' : `session ${session}`,
  ]
  const about = what.filter((one) => one !== '').join(' and ')
  return `holds only the entries of ${about}: it shows their order, nothing can be decided again; export without that choice`
}
