/**
 * A trace as it lies on a disk or comes through a pipe: opened, uncompressed, recognised and parsed, piece by
 * piece, no faster than its events are taken.
 *
 *     file or standard input -> [gunzip or unzstd] -> parser -> batches of events
 *
 * Compression is known by the first bytes, whatever the name. Every failure ends in a BlockboxError: USAGE for
 * a file that cannot be read or a format that must be named, TRACE_FORMAT for content that makes no sense.
 */

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import process from 'node:process'
import { addAbortSignal, pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { BlockboxError } from '../core/errors.ts'
import { fileReason } from '../core/file-reason.ts'
import type { TraceDoubt, TraceEvent, TraceOptions } from './event.ts'
import {
  type FurtherFormats,
  type RemarkingParser,
  sniffBytes,
  type TraceFormat,
  traceFormat,
} from './format.ts'
import { nothingIn, recognised } from './recognition.ts'
import { Zstd, zstdMagic } from './zstd.ts'

const pieceBytes = 128 * 1024
/** So many events at most are made at once of what a parser held back. */
const batchEvents = 4096

/** Compressed files by their first bytes; those that name a command cannot be read. */
const compressions: readonly { name: string; magic: readonly number[]; unpack?: string }[] = [
  { name: 'gzip', magic: [0x1f, 0x8b] },
  { name: 'zstd', magic: zstdMagic },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58], unpack: 'xz -d' },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68], unpack: 'bzip2 -d' },
]
const magicBytes = 4

/** Names standard input in place of a file. */
export const standardInput = '-'

export interface TraceRequest {
  /** Name of the format; without it the content must tell. */
  readonly format?: string
  readonly options?: TraceOptions
  /** Formats to be known beside those of other programs. */
  readonly further?: FurtherFormats
  /** Ends the reading with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Some events in canonical order; their data is valid until the next batch is asked for. */
export interface TraceBatch {
  /** Name of the format the trace is read as. */
  readonly format: string
  readonly events: readonly TraceEvent[]
  /** Why the parser doubts that the trace is whole; only when places were asked for. */
  readonly doubts?: readonly TraceDoubt[]
  /** With the last batch: what the user ought to know of where the trace ended. */
  readonly remark?: string
}

/**
 * The events of the trace at `path` (`-`: standard input), in batches; at least one batch, maybe empty. Several
 * paths are one trace, for a format that has such. Leaving the loop early closes the files.
 */
export async function* readTrace(
  path: string | readonly string[],
  request: TraceRequest = {},
): AsyncGenerator<TraceBatch> {
  const paths = typeof path === 'string' ? [path] : path
  const { signal } = request
  let reading: Reading | undefined
  let isEmpty = true
  for (const [place, file] of paths.entries()) {
    const source = contentOf(file, signal)
    try {
      const content = await gather(source, sniffBytes)
      isEmpty &&= content.head.length === 0
      if (isEmpty && place === paths.length - 1) throw nothingIn(paths.map(nameOf))
      if (isEmpty && request.format === undefined) continue
      reading ??= begin(content.head, paths, request)
      const { format, parser } = reading
      for await (const piece of content.pieces) {
        for (const events of batches(file, () => parser.push(piece))) yield { format: format.name, events }
        yield* doubted(reading)
      }
      if (place < paths.length - 1) within(file, () => parser.nextFile?.())
    } finally {
      await source.return()
    }
  }
  if (reading === undefined) throw new BlockboxError('USAGE', 'no trace is named; name a file')
  const { format, parser } = reading
  for (const events of batches(paths.at(-1)!, () => parser.end())) {
    yield { format: format.name, events }
    signal?.throwIfAborted()
  }
  yield* doubted(reading)
  const remark = parser.remark?.()
  yield { format: format.name, events: [], ...(remark !== undefined && { remark }) }
}

/** The name of the format of a trace, as its content tells. Throws USAGE when it does not, saying what it could be. */
export async function detectFormat(
  path: string,
  { further, signal }: Pick<TraceRequest, 'further' | 'signal'> = {},
): Promise<string> {
  const source = contentOf(path, signal)
  try {
    const { head } = await gather(source, sniffBytes)
    if (head.length === 0) throw nothingIn([nameOf(path)])
    return recognised(head, nameOf(path), further).name
  } finally {
    await source.return()
  }
}

interface Reading {
  readonly format: TraceFormat
  readonly parser: RemarkingParser
}

/** The parser for a trace of these files, the first of which begins with `head`. */
function begin(head: Uint8Array, paths: readonly string[], request: TraceRequest): Reading {
  const { format: name, further } = request
  const format =
    name === undefined ? recognised(head, nameOf(paths[0]!), further) : traceFormat(name, further)
  if (paths.length > 1 && format.severalFiles !== true) {
    throw new BlockboxError('USAGE', `a trace of the format ${format.name} is one file, not ${paths.length}`)
  }
  return { format, parser: format.parser(request.options ?? {}) }
}

function* doubted({ format, parser }: Reading): Generator<TraceBatch> {
  const doubts = parser.doubts?.() ?? []
  if (doubts.length > 0) yield { format: format.name, events: [], doubts }
}

/** The events a step of the parser gives, some at a time; its complaints name the trace. */
function* batches(path: string, step: () => Iterable<TraceEvent>): Generator<readonly TraceEvent[]> {
  const events = within(path, step)
  if (Array.isArray(events)) {
    if (events.length > 0) yield events
    return
  }
  const each = events[Symbol.iterator]()
  for (;;) {
    const some = within(path, () => takeSome(each))
    if (some.length === 0) return
    yield some
  }
}

function takeSome(events: Iterator<TraceEvent>): TraceEvent[] {
  const some: TraceEvent[] = []
  while (some.length < batchEvents) {
    const { done, value } = events.next()
    if (done === true) break
    some.push(value)
  }
  return some
}

/**
 * SHA-256 (lower-case hexadecimal) and size of a file as it is stored, or of several one after the other. Throws USAGE
 * when one cannot be read.
 */
export async function fileDigest(
  path: string | readonly string[],
): Promise<{ bytes: number; sha256: string }> {
  const digest = createHash('sha256')
  let bytes = 0
  for (const one of typeof path === 'string' ? [path] : path) {
    for await (const piece of readPieces(one)) {
      digest.update(piece)
      bytes += piece.length
    }
  }
  return { bytes, sha256: digest.digest('hex') }
}

export type Pieces = AsyncGenerator<Uint8Array, void>

/** What a file says, uncompressed. */
export async function* contentOf(path: string, signal?: AbortSignal): Pieces {
  const file = readPieces(path, signal)
  let content = file
  try {
    const { head, pieces } = await gather(file, magicBytes)
    const packed = compressions.find(({ magic }) => magic.every((byte, k) => byte === head[k]))
    if (packed?.unpack !== undefined) {
      const how = `uncompress it first: ${packed.unpack}`
      throw new BlockboxError('USAGE', `${nameOf(path)} is compressed with ${packed.name}; ${how}`)
    }
    content =
      packed === undefined ? pieces : packed.name === 'zstd' ? unzstd(pieces, path) : gunzip(pieces, path)
    yield* content
  } finally {
    await content.return()
    await file.return()
  }
}

async function* readPieces(path: string, signal?: AbortSignal): Pieces {
  const stream =
    path === standardInput ? process.stdin : createReadStream(path, { highWaterMark: pieceBytes })
  if (signal !== undefined) addAbortSignal(signal, stream)
  try {
    for await (const piece of stream) yield piece as Uint8Array
  } catch (error) {
    throw signal?.aborted === true ? (signal.reason ?? error) : unreadable(path, error)
  } finally {
    if (path !== standardInput && !stream.closed)
      await new Promise((resolve) => stream.once('close', resolve))
  }
}

/** Reads pieces until `wanted` bytes are there or the end comes; `pieces` gives everything from the start. */
async function gather(source: Pieces, wanted: number): Promise<{ head: Uint8Array; pieces: Pieces }> {
  const first: Uint8Array[] = []
  for (let bytes = 0; bytes < wanted; ) {
    const { done, value } = await source.next()
    if (done === true) break
    first.push(value)
    bytes += value.length
  }
  return { head: Buffer.concat(first).subarray(0, wanted), pieces: rejoin(first, source) }
}

async function* rejoin(first: Uint8Array[], source: Pieces): Pieces {
  yield* first
  first.length = 0
  yield* source
}

async function* gunzip(source: Pieces, path: string): Pieces {
  const engine = createGunzip({ chunkSize: pieceBytes })
  pipeline(Readable.from(source, { objectMode: false, highWaterMark: pieceBytes }), engine, () => {})
  try {
    for await (const piece of engine) yield piece as Uint8Array
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (!code.startsWith('Z_')) throw error
    const what = code === 'Z_BUF_ERROR' ? 'ends too early' : 'is damaged'
    throw new BlockboxError(
      'TRACE_FORMAT',
      `${nameOf(path)}: the gzip data ${what} at or before byte ${engine.bytesWritten} of the compressed file; get a whole copy`,
      { cause: error },
    )
  }
}

async function* unzstd(source: Pieces, path: string): Pieces {
  const engine = new Zstd()
  for await (const piece of source) yield* whole(engine.push(piece), path)
  yield* whole(engine.end(), path)
}

/** Takes pieces one by one, so that a complaint names the file. */
function* whole(pieces: Iterator<Uint8Array>, path: string): Generator<Uint8Array> {
  for (;;) {
    const { done, value } = within(path, () => pieces.next())
    if (done === true) return
    yield value
  }
}

/** Runs a step of a parser so that its complaint names the trace. */
function within<T>(path: string, step: () => T): T {
  try {
    return step()
  } catch (error) {
    if (!(error instanceof BlockboxError)) throw error
    throw new BlockboxError(error.code, `${nameOf(path)}: ${error.message}`, { cause: error })
  }
}

function nameOf(path: string): string {
  return path === standardInput ? 'standard input' : path
}

function unreadable(path: string, error: unknown): BlockboxError {
  const reason = fileReason(error, 'read') ?? (error instanceof Error ? error.message : String(error))
  return new BlockboxError('USAGE', `cannot read ${nameOf(path)}: ${reason}`, { cause: error })
}
