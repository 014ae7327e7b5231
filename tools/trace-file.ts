/**
 * A trace going out: to a file, written beside its place under another name and put there when it is whole, or to
 * standard output; packed with gzip when the file's name ends in .gz.
 *
 *     refuse what is there ─▶ FILE.part-PID ─▶ pieces ─▶ head put in place ─▶ synced ─▶ renamed to FILE
 *                                   └── anything goes wrong ──▶ removed
 *
 * A format that counts its entries first is put right after the end. Where that cannot be done, in a packed file and
 * in a pipe, the events are read once before, only to be counted.
 */

import { createWriteStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { BlockboxError } from '../src/core/errors.ts'
import { cannotMake, refuseWhatIsThere } from '../src/images/image-file.ts'
import { type Conversion, type ConversionAsk, convert, type EventBatch } from '../src/run/conversion.ts'
import { OutputClosed } from './output.ts'

export interface TraceFile extends ConversionAsk {
  /** `-` is standard output. */
  readonly path: string
  /** Replaces a file that is there; without it that is refused. */
  readonly force: boolean
  /** Whether the events can be read a second time. */
  readonly again: boolean
}

/** Writes the trace. Throws USAGE when it cannot be made, and what reading the events throws. */
export async function writeTraceFile(
  file: TraceFile,
  batches: () => AsyncIterable<EventBatch>,
): Promise<Conversion> {
  const toPipe = file.path === '-'
  const packed = file.path.endsWith('.gz')
  if (!toPipe) await refuseWhatIsThere(file.path, file.force)
  const head = toPipe || packed ? await headBefore(file, batches) : undefined
  if (toPipe) return intoPipe(file, batches, head)
  const part = `${file.path}.part-${process.pid}`
  await (
    await open(part, 'wx').catch((error: unknown) => Promise.reject(cannotMake(file.path, error)))
  ).close()
  try {
    const target = createWriteStream(part, { flags: 'r+' })
    const gzip = packed ? createGzip() : undefined
    const written = gzip === undefined ? undefined : pipeline(gzip, target)
    written?.catch(() => undefined)
    const stream: Writable = gzip ?? target
    const result = await convert(
      batches(),
      file,
      headed(head, (bytes) => taken(stream, bytes)),
    )
    await ended(stream)
    await written
    await settle(part, packed ? undefined : result.head)
    await rename(part, file.path)
    return result
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

/** The first bytes of a format that counts its entries there, found by a conversion whose result is thrown away. */
async function headBefore(
  file: TraceFile,
  batches: () => AsyncIterable<EventBatch>,
): Promise<Uint8Array | undefined> {
  const { output, options = {} } = file
  if (output.writer(() => undefined, options).head === undefined) return undefined
  if (file.again) return (await convert(batches(), file, async () => undefined)).head
  const why = `a trace of the format ${output.name} begins with the number of its entries`
  const what = 'read it from a file, or write it to a file whose name does not end in .gz'
  throw new BlockboxError('USAGE', `${why}, which standard input tells only at its end: ${what}`)
}

async function intoPipe(
  file: TraceFile,
  batches: () => AsyncIterable<EventBatch>,
  head: Uint8Array | undefined,
): Promise<Conversion> {
  try {
    return await convert(
      batches(),
      file,
      headed(head, (bytes) => taken(process.stdout, bytes)),
    )
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EPIPE' ? new OutputClosed() : error
  }
}

/** A sink that puts `head` in place of the first bytes. */
function headed(
  head: Uint8Array | undefined,
  sink: (bytes: Uint8Array) => Promise<void>,
): (bytes: Uint8Array) => Promise<void> {
  let first = head
  return (bytes) => {
    if (first === undefined) return sink(bytes)
    const all = Buffer.concat([first, bytes.subarray(first.length)])
    first = undefined
    return sink(all)
  }
}

function taken(stream: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => (error == null ? resolve() : reject(error)))
  })
}

function ended(stream: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once('error', reject)
    stream.end(resolve)
  })
}

async function settle(part: string, head: Uint8Array | undefined): Promise<void> {
  const file = await open(part, 'r+')
  try {
    if (head !== undefined) await file.write(head, 0, head.length, 0)
    await file.sync()
  } finally {
    await file.close()
  }
}
