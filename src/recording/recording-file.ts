/**
 * Recordings as files: which form a name asks for, and reading either form whatever the name, uncompressed on the way.
 *
 *     .trace  compact records      .trace.jsonl  lines      .gz behind either: compressed with gzip
 */

import { BlockboxError } from '../core/errors.ts'
import { LineCutter } from '../trace/line-cutter.ts'
import { contentOf } from '../trace/source.ts'
import { beginsRecording, parseHeader, type RecordingHeader } from './header.ts'
import { maxPayloadBytes, type RecordingItem } from './item.ts'
import { LineReader } from './line-reader.ts'
import { recordMagic } from './record-form.ts'
import { RecordReader } from './record-reader.ts'

/** An entry is one line: the longest payload as text, and room for its outcomes. */
const maxLineBytes = Math.ceil((maxPayloadBytes * 4) / 3) + 2 ** 25
/** So many first bytes tell a recording. */
const sniffBytes = 32

export type RecordingForm = 'lines' | 'records'

/** The form that a file name asks for; undefined when it is no name of a recording. */
export function formOfName(
  path: string,
): { readonly form: RecordingForm; readonly gzip: boolean } | undefined {
  const gzip = path.endsWith('.gz')
  const name = gzip ? path.slice(0, -3) : path
  if (name.endsWith('.trace.jsonl')) return { form: 'lines', gzip }
  if (name.endsWith('.trace')) return { form: 'records', gzip }
  return undefined
}

export interface OpenRecording {
  readonly header: RecordingHeader
  readonly form: RecordingForm
  /** The items behind the header; to be read to their end, or returned. */
  readonly items: AsyncGenerator<RecordingItem, void>
}

/** Whether the file at `path` is a recording of either form, as its content tells. Throws USAGE when it cannot be read. */
export async function isRecording(path: string, signal?: AbortSignal): Promise<boolean> {
  const content = contentOf(path, signal)
  const head: number[] = []
  try {
    for await (const piece of content) {
      head.push(...piece.subarray(0, sniffBytes))
      if (head.length >= sniffBytes) break
    }
  } catch (error) {
    if (error instanceof BlockboxError && error.code === 'TRACE_FORMAT') return false
    throw error
  } finally {
    await content.return()
  }
  return formOf(Uint8Array.from(head)) !== undefined
}

function formOf(head: Uint8Array): RecordingForm | undefined {
  if (beginsRecording(new TextDecoder().decode(head.subarray(0, sniffBytes)))) return 'lines'
  const isRecord = recordMagic.every((byte, k) => head[k] === byte) && head[4] === 0 && head[7] === 0
  return isRecord ? 'records' : undefined
}

/** Opens the recording at `path`. Throws TRACE_FORMAT when it is none, USAGE when it cannot be read. */
export function openRecording(path: string, signal?: AbortSignal): Promise<OpenRecording> {
  return readRecording(contentOf(path, signal), path)
}

/** The same of uncompressed bytes, piece by piece; `path` is what complaints call them. */
export async function readRecording(
  content: AsyncGenerator<Uint8Array, void>,
  path: string,
): Promise<OpenRecording> {
  try {
    const first: Uint8Array[] = []
    let bytes = 0
    while (bytes < sniffBytes) {
      const { done, value } = await content.next()
      if (done === true) break
      first.push(value.slice())
      bytes += value.length
    }
    const form = formOf(Buffer.concat(first).subarray(0, sniffBytes))
    if (form === undefined) {
      throw new BlockboxError('TRACE_FORMAT', `${path} is no recording: it has no header of one`)
    }
    const pieces = rejoined(first, content)
    const items = form === 'lines' ? fromLines(pieces, path) : fromRecords(pieces, path)
    const { value } = await items.next()
    if (value === undefined || value.is !== 'header')
      throw new BlockboxError('TRACE_FORMAT', `${path} has no header`)
    return { header: value.header, form, items: behindHeader(items) }
  } catch (error) {
    await content.return()
    throw error
  }
}

type Headed = RecordingItem | { readonly is: 'header'; readonly header: RecordingHeader }

async function* behindHeader(items: AsyncGenerator<Headed>): AsyncGenerator<RecordingItem, void> {
  for await (const item of items) if (item.is !== 'header') yield item
}

async function* rejoined(first: Uint8Array[], rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* first
    yield* rest
  } finally {
    await rest.return(undefined)
  }
}

async function* fromLines(pieces: AsyncGenerator<Uint8Array>, path: string): AsyncGenerator<Headed> {
  const cutter = new LineCutter(maxLineBytes)
  let reader: LineReader | undefined
  let items: Headed[] = []
  let lines = 0
  const take = (text: string, number: number) => {
    lines = number
    if (reader !== undefined) items.push(...reader.line(text, number))
    else {
      const header = parseHeader(text, `line ${number}`)
      reader = new LineReader(header)
      items.push({ is: 'header', header })
    }
  }
  for await (const piece of pieces) {
    named(path, () => cutter.push(piece, take))
    yield* items
    items = []
  }
  named(path, () => cutter.end(take))
  yield* items
  named(path, () => reader?.end(lines))
}

async function* fromRecords(pieces: AsyncGenerator<Uint8Array>, path: string): AsyncGenerator<Headed> {
  const reader = new RecordReader()
  let headed = false
  for await (const piece of pieces) {
    const items = reader.push(piece.slice())
    for (;;) {
      const { done, value } = named(path, () => items.next())
      if (!headed && reader.header !== undefined) {
        headed = true
        yield { is: 'header', header: reader.header }
      }
      if (done === true) break
      yield value
    }
  }
  named(path, () => reader.end())
}

/** Runs a step so that its complaint names the file. */
function named<T>(path: string, step: () => T): T {
  try {
    return step()
  } catch (error) {
    if (!(error instanceof BlockboxError)) throw error
    const { code, message, seq } = error
    throw new BlockboxError(
      code,
      `${path}: ${message}`,
      seq === undefined ? { cause: error } : { cause: error, seq },
    )
  }
}
