/** The half of `blockbox export` that writes the project's own recordings, and what is said of a written one. */

import { BlockboxError } from '../src/core/errors.ts'
import type { OpenFolder } from '../src/engine/open-folder.ts'
import { type ExportAsk, type ExportItem, exportJournal } from '../src/recording/export.ts'
import type { RecordingForm } from '../src/recording/form-reader.ts'
import type { RecordingHeader } from '../src/recording/header.ts'
import type { RecordingEnd, RecordingItem } from '../src/recording/item.ts'
import { formOfName, isRecording, openRecording } from '../src/recording/recording-file.ts'
import { writeRecording } from '../src/recording/recording-writer.ts'
import { type Point, seqOf } from '../src/replay/point.ts'
import { rosterOf } from './filter-option.ts'
import { interrupt } from './interrupt.ts'
import { escaped, plainJson, print } from './output.ts'
import { remarkOutside } from './outside-time.ts'
import { showProgress } from './remark.ts'
import { parseSize } from './size.ts'

/** Names of the two forms, for --format. */
export const recordingFormats = ['trace', 'trace-jsonl'] as const

export interface RecordingAsk {
  readonly format?: string
  readonly output: string
  readonly from?: Point
  readonly to?: Point
  readonly volume?: string
  readonly session?: number
  readonly payload?: string
  readonly force?: boolean
  readonly json?: boolean
}

/** The form asked for by --format or by the name of the file; undefined when it is another program's format. */
export function recordingFormOf(
  format: string | undefined,
  path: string,
): { readonly form: RecordingForm; readonly gzip: boolean } | undefined {
  if (format === undefined) return formOfName(path)
  const form = { trace: 'records', 'trace-jsonl': 'lines' }[format] as RecordingForm | undefined
  return form === undefined ? undefined : { form, gzip: path.endsWith('.gz') }
}

/** Writes the recording and says what it holds. */
export async function exportRecording({ journal, payload }: OpenFolder, ask: RecordingAsk): Promise<void> {
  const { output: path, force = false, volume, session } = ask
  if (path === '-') throw new BlockboxError('USAGE', 'a recording goes into a file: name one with -o FILE')
  const { last } = journal.bounds()
  if (session !== undefined) await refuseUnknown(journal, session)
  await remarkOutside(journal, ask.from, ask.to)
  const from = ask.from === undefined ? undefined : await seqOf(journal, ask.from, 0, interrupt)
  const to = ask.to === undefined ? undefined : await seqOf(journal, ask.to, 0, interrupt)
  const recording = await exportJournal(journal, payload, {
    ...payloadAsk(ask.payload),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(volume !== undefined && { volume }),
    ...(session !== undefined && { session }),
    signal: interrupt,
    onFrame: (seq) => showProgress(() => `exported ${seq} of ${to ?? last} events`),
  })
  const end = await writeRecording(recording, { path, ...recordingFormOf(ask.format, path)!, force })
  await print(
    ask.json === true ? writtenJson(path, recording.header, end) : writtenText(path, recording.header, end),
  )
}

/** So many sessions are told when another was asked for. */
const mostTold = 20

/** Throws USAGE for a session that the journal does not hold, and names those that it does. */
async function refuseUnknown(journal: OpenFolder['journal'], session: number): Promise<void> {
  const { entries } = await rosterOf(journal)
  const known = entries.flatMap((entry) => (entry.is === 'session' ? [entry] : []))
  if (known.some(({ id }) => id === session)) return
  const named = known.slice(0, mostTold).map(({ id, name }) => `${id} (${name})`)
  const more = known.length > mostTold ? ', ...' : ''
  const there = known.length === 0 ? 'it has none' : `it has ${named.join(', ')}${more}`
  throw new BlockboxError('USAGE', `the journal has no session ${session}: ${there}`)
}

/** A recording in another form, packed or not. Throws USAGE for what is no recording, saying how it becomes one. */
export async function convertRecording(
  from: string,
  path: string,
  {
    to,
    force = false,
    json = false,
  }: { readonly to?: string; readonly force?: boolean; readonly json?: boolean },
): Promise<void> {
  if (path === '-') throw new BlockboxError('USAGE', 'a recording goes into a file: name one')
  if (!(await isRecording(from, interrupt))) {
    const why = `${from} is no recording, so it cannot become one: what was decided about its requests is not in it`
    const how = `blockbox import ${from} -j DIR --volume NAME, then blockbox export -j DIR -o ${path}`
    throw new BlockboxError('USAGE', `${why}. Let a journal decide: ${how}`)
  }
  const { header, items } = await openRecording(from, interrupt)
  if (header.only !== undefined) {
    await items.return()
    throw new BlockboxError('USAGE', `${from} holds some entries only, which have one form: copy it`)
  }
  const recording = { header, items: whole(items) }
  const end = await writeRecording(recording, { path, ...recordingFormOf(to, path)!, force })
  await print(json ? writtenJson(path, header, end) : writtenText(path, header, end))
}

async function* whole(items: AsyncIterable<RecordingItem>): AsyncGenerator<ExportItem> {
  for await (const item of items) if (item.is === 'frame' || item.is === 'checkpoint') yield item
}

/** `whole`, `digests`, or a size: payloads up to it go in, of longer ones the digest. Throws USAGE. */
function payloadAsk(text: string | undefined): Pick<ExportAsk, 'payload' | 'inlineMax'> {
  if (text === undefined) return {}
  if (text === 'whole' || text === 'digests') return { payload: text }
  return { payload: 'some', inlineMax: parseSize(text) }
}

/** What a recording lets one check, in words. */
export function checkable({ only, first, payload, redacted }: RecordingHeader): string {
  if (only !== undefined) return 'order only: it holds some entries, nothing can be decided again'
  const state = first > 1 ? `from the state before event ${first} on: ` : ''
  const content = {
    whole: first > 1 ? 'content written from there on' : 'content',
    some: 'content as far as it is there',
    digests: 'no content',
  }[payload]
  const chain = redacted === 'names' ? 'order, maps, queues and a new chain' : 'order, maps, queues, chain'
  return `${state}${chain}; ${content}`
}

export function writtenJson(path: string, header: RecordingHeader, end: RecordingEnd): string {
  const { first, last, payload, only = null, redacted = null } = header
  const { frames, events, payloads, payloadBytes } = end
  const counted = { frames, events, payloads, payload_bytes: payloadBytes }
  const about = { first, last, ...counted, payload, only, redacted, checkable: checkable(header) }
  return plainJson(JSON.stringify({ version: 1, file: path, ...about }))
}

export function writtenText(path: string, header: RecordingHeader, end: RecordingEnd): string {
  const { first, last } = header
  const what = `${end.events} events in ${end.frames} frames, ${end.payloads} payloads of ${end.payloadBytes} bytes`
  return [`wrote ${path}: events ${first} to ${last}, ${what}`, `to check: ${checkable(header)}`]
    .map(escaped)
    .join('\n')
}
