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
import type { RecordingEnd } from './item.ts'
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
export async function openRecordedJournal(path: string, options: RecordedOptions = {}): Promise<RecordedJournal> {
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
  const store = new MemoryStore()
  const deposit = new Deposit(store)
  const payloads = new RecordedStore()
  let bytes = 0
  let begun = header.first === 1
  let end: RecordingEnd | undefined
  for await (const item of items) {
    signal?.throwIfAborted()
    if (item.is === 'checkpoint') {
      await deposit.begin(header, item.checkpoint)
      begun = true
      for (const part of item.checkpoint.parts) bytes += part.length
    } else if (item.is === 'frame') {
      if (!begun) throw noBeginning(name, header)
      await deposit.frame(item.frame)
      bytes += item.frame.bytes.length
      if (keep) for (const one of item.payloads) payloads.add(one)
    } else if (item.is === 'end') end = item.end
    if (bytes + payloads.bytes > maxBytes) {
      const message = `${name} is too large to be looked at in memory: \`blockbox import ${name} -j DIR\`, then use -j DIR`
      throw new BlockboxError('USAGE', message)
    }
  }
  const slot = await deposit.end()
  const head = memoryHead()
  if (slot !== undefined) head.write(1, slot)
  const journal = await openStoreJournal({ store, head, readOnly: true })
  if (!sameBytes(journal.bounds().head, end!.head)) {
    const message = `${name}: its end names the head ${hex(end!.head)}, its last frame has another hash`
    throw new BlockboxError('JOURNAL_CORRUPT', message, { seq: header.last })
  }
  return { header, journal, payload: payloads, end: end! }
}

/** What a recording of some entries cannot be used for. */
export function someOnly({ only = {} }: RecordingHeader): string {
  const { volume, session } = only
  const what = [volume === undefined ? '' : `volume ${volume}`, session === undefined ? '' : `session ${session}`]
  const about = what.filter((one) => one !== '').join(' and ')
  return `holds only the entries of ${about}: it shows their order, nothing can be decided again; export without that choice`
}

function noBeginning(name: string, { first }: RecordingHeader): BlockboxError {
  const message = `${name} begins with event ${first} and holds no state to stand on there`
  return new BlockboxError('TRACE_FORMAT', message, { seq: first })
}
