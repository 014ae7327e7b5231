/**
 * Writes a recording: items become lines or records, then a file that appears under its name when it is whole.
 *
 *     header ─▶ items ─▶ counted ─▶ end ─▶ FILE.part-PID synced ─▶ renamed to FILE
 */

import { lstat, open, rename, rm } from 'node:fs/promises'
import { pid } from 'node:process'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { BlockboxError } from '../core/errors.ts'
import { fileReason } from '../core/file-reason.ts'
import { Columns } from '../events/columns.ts'
import type { ExportItem } from './export.ts'
import type { RecordingForm } from './form-reader.ts'
import { headerJson, type RecordingHeader } from './header.ts'
import { Counted, type RecordingEnd } from './item.ts'
import { checkpointLines, endLine, frameLines, selectedLines } from './line-form.ts'
import { checkpointRecord, endRecord, frameRecord, headerRecord, payloadRecord } from './record-form.ts'

export interface Recording {
  readonly header: RecordingHeader
  readonly items: AsyncIterable<ExportItem> | Iterable<ExportItem>
}

/** The recording as bytes, piece by piece, in the form asked for; returns what was counted. */
export async function* encodeRecording(
  { header, items }: Recording,
  form: RecordingForm,
): AsyncGenerator<Uint8Array, RecordingEnd> {
  const encode = form === 'lines' ? asLines() : asRecords
  if (form === 'records' && header.only !== undefined) {
    const message =
      'the compact form holds whole frames: entries of one volume or session go into a .trace.jsonl'
    throw new BlockboxError('USAGE', message)
  }
  const counted = new Counted(header.previous)
  yield form === 'lines' ? lines([headerJson(header)]) : headerRecord(header)
  for await (const item of items) {
    if (item.is !== 'checkpoint') {
      for (const payload of item.payloads) counted.payload(payload)
      counted.frame(item.frame, item.is === 'some' ? item.events : item.frame.count)
    }
    yield* encode(item)
  }
  const end = counted.end()
  yield form === 'lines' ? lines([endLine(end)]) : endRecord(end)
  return end
}

type Encode = (item: ExportItem) => Iterable<Uint8Array>

function asLines(): Encode {
  const columns = new Columns()
  return (item) => {
    if (item.is === 'checkpoint') return [lines(checkpointLines(item.checkpoint))]
    const { frame, payloads } = item
    if (item.is === 'frame') return [lines(frameLines(frame, frame.open(columns), payloads))]
    return [lines(selectedLines(frame, item.row, payloads, (entry) => item.wanted.has(entry)))]
  }
}

function* asRecords(item: ExportItem): Iterable<Uint8Array> {
  if (item.is === 'checkpoint') yield checkpointRecord(item.checkpoint)
  else {
    for (const payload of item.payloads) if (payload.data !== undefined) yield payloadRecord(payload)
    yield frameRecord(item.frame)
  }
}

function lines(texts: readonly string[]): Uint8Array {
  return texts.length === 0 ? new Uint8Array(0) : new TextEncoder().encode(`${texts.join('\n')}\n`)
}

export interface RecordingFile {
  readonly path: string
  readonly form: RecordingForm
  readonly gzip: boolean
  /** Replaces a file that is there; without it that is refused. */
  readonly force?: boolean
}

/** Writes a recording to a file. Throws USAGE when the file is there, or the error of the system. */
export async function writeRecording(recording: Recording, file: RecordingFile): Promise<RecordingEnd> {
  const { path, form, gzip, force = false } = file
  if (!force && (await lstat(path).catch(() => undefined)) !== undefined) {
    throw new BlockboxError('USAGE', `${path} is there already: name another, or replace it with --force`)
  }
  const part = `${path}.part-${pid}`
  let end: RecordingEnd | undefined
  async function* pieces(): AsyncGenerator<Uint8Array> {
    end = yield* encodeRecording(recording, form)
  }
  const target = await open(part, 'wx').catch((error: NodeJS.ErrnoException) => {
    const reason = fileReason(error, 'write') ?? error.message
    throw new BlockboxError('USAGE', `cannot write ${path}: ${reason}`, { cause: error })
  })
  try {
    const source = Readable.from(pieces(), { objectMode: false })
    const sink = target.createWriteStream({ flush: true })
    if (gzip) await pipeline(source, createGzip(), sink)
    else await pipeline(source, sink)
    await rename(part, path)
  } catch (error) {
    await target.close().catch(() => undefined)
    await rm(part, { force: true })
    throw error
  }
  return end!
}
