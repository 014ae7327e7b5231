/**
 * Recordings as files: which form a name asks for, and reading either form whatever the name, uncompressed on the way.
 *
 *     .trace  compact records      .trace.jsonl  lines      .gz behind either: compressed with gzip
 */

import { BlockboxError } from '../core/errors.ts'
import { contentOf } from '../trace/source.ts'
import { formBytes, formOf, formReader, type Headed, type RecordingForm } from './form-reader.ts'
import type { RecordingHeader } from './header.ts'
import type { RecordingItem } from './item.ts'

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
      head.push(...piece.subarray(0, formBytes))
      if (head.length >= formBytes) break
    }
  } catch (error) {
    if (error instanceof BlockboxError && error.code === 'TRACE_FORMAT') return false
    throw error
  } finally {
    await content.return()
  }
  return formOf(Uint8Array.from(head)) !== undefined
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
    while (bytes < formBytes) {
      const { done, value } = await content.next()
      if (done === true) break
      first.push(value.slice())
      bytes += value.length
    }
    const form = formOf(Buffer.concat(first).subarray(0, formBytes))
    if (form === undefined) {
      throw new BlockboxError('TRACE_FORMAT', `${path} is no recording: it has no header of one`)
    }
    const pieces = rejoined(first, content)
    const items = itemsOf(pieces, form, path)
    const { value } = await items.next()
    if (value === undefined || value.is !== 'header')
      throw new BlockboxError('TRACE_FORMAT', `${path} has no header`)
    return { header: value.header, form, items: behindHeader(items) }
  } catch (error) {
    await content.return()
    throw error
  }
}

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

async function* itemsOf(
  pieces: AsyncGenerator<Uint8Array>,
  form: RecordingForm,
  path: string,
): AsyncGenerator<Headed> {
  const reader = formReader(form)
  for await (const piece of pieces) yield* each(path, () => reader.push(piece))
  yield* each(path, () => reader.end())
}

function* each(path: string, step: () => Iterable<Headed>): Generator<Headed> {
  const items = named(path, step)[Symbol.iterator]()
  for (;;) {
    const { done, value } = named(path, () => items.next())
    if (done === true) return
    yield value
  }
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
