/**
 * A trace as it lies on a disk or comes through a pipe: opened, uncompressed, recognised and parsed, piece by
 * piece, no faster than its events are taken.
 *
 *     file or standard input -> [gunzip] -> parser -> batches of events
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
import type { TraceEvent, TraceOptions } from './event.ts'
import { formatNames, sniff, sniffBytes, type TraceFormat, traceFormat } from './format.ts'

const pieceBytes = 128 * 1024

/** Names standard input in place of a file. */
export const standardInput = '-'

export interface TraceRequest {
  /** Name of the format; without it the content must tell. */
  readonly format?: string
  readonly options?: TraceOptions
  /** Ends the reading with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Some events in canonical order; their data is valid until the next batch is asked for. */
export interface TraceBatch {
  /** Name of the format the trace is read as. */
  readonly format: string
  readonly events: readonly TraceEvent[]
  /** With the last batch: what the user ought to know of where the trace ended. */
  readonly remark?: string
}

/**
 * The events of the trace at `path` (`-`: standard input), in batches; at least one batch, maybe empty. Leaving
 * the loop early closes the file.
 */
export async function* readTrace(path: string, request: TraceRequest = {}): AsyncGenerator<TraceBatch> {
  const named = request.format === undefined ? undefined : traceFormat(request.format)
  const file = readPieces(path, request.signal)
  let source = file
  try {
    const raw = await gather(file, 2)
    source = isGzip(raw.head) ? gunzip(raw.pieces, path) : raw.pieces
    const content = await gather(source, sniffBytes)
    const format = named ?? recognised(content.head, path)
    const parser = format.parser(request.options ?? {})
    for await (const piece of content.pieces) {
      const events = [...within(path, () => parser.push(piece))]
      if (events.length > 0) yield { format: format.name, events }
    }
    const events = [...within(path, () => parser.end())]
    const remark = parser.remark?.()
    yield { format: format.name, events, ...(remark !== undefined && { remark }) }
  } finally {
    await source.return()
    await file.return()
  }
}

/** SHA-256 (lower-case hexadecimal) and size of a file as it is stored. Throws USAGE when it cannot be read. */
export async function fileDigest(path: string): Promise<{ bytes: number; sha256: string }> {
  const digest = createHash('sha256')
  let bytes = 0
  for await (const piece of readPieces(path)) {
    digest.update(piece)
    bytes += piece.length
  }
  return { bytes, sha256: digest.digest('hex') }
}

type Pieces = AsyncGenerator<Uint8Array, void>

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

function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b
}

function recognised(head: Uint8Array, path: string): TraceFormat {
  const name = sniff(head)
  if (name !== undefined) return traceFormat(name)
  const why = head.length === 0 ? 'is empty' : 'does not tell its format'
  throw new BlockboxError('USAGE', `${nameOf(path)} ${why}; name one with --format: ${formatNames()}`)
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

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission is missing',
  EISDIR: 'it is a directory',
}

function unreadable(path: string, error: unknown): BlockboxError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const reason = reasons[code] ?? (error instanceof Error ? error.message : String(error))
  return new BlockboxError('USAGE', `cannot read ${nameOf(path)}: ${reason}`, { cause: error })
}
