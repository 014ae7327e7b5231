/**
 * A recording back into a journal folder: the same frames, byte for byte, with their payload at the same places, so
 * that chain, head and state hashes are those of the journal it was exported from.
 */

import { BlockboxError } from '../core/errors.ts'
import type { Deposit } from '../journal/deposit.ts'
import { depositInFolder } from '../journal/deposit-folder.ts'
import { ChunkRebuild, type RebuiltChunk } from '../payload/chunk-rebuild.ts'
import { isWhole, type RecordingHeader } from './header.ts'
import type { RecordedPayload, RecordingEnd } from './item.ts'
import { someOnly } from './recorded-journal.ts'
import { openRecording } from './recording-file.ts'

/** Makes a journal at `folder` of the recording at `path`. Throws USAGE when that cannot be, or what damage says. */
export async function restoreJournal(
  path: string,
  folder: string,
  options: { readonly signal?: AbortSignal; readonly onFrame?: (seq: number, of: number) => void } = {},
): Promise<RecordingEnd> {
  const { header, items } = await openRecording(path, options.signal)
  const why = unfit(header)
  if (why !== undefined) {
    await items.return()
    throw new BlockboxError('USAGE', `${path} ${why}`)
  }
  let end: RecordingEnd | undefined
  await depositInFolder(folder, async (deposit) => {
    const chunks = new ChunkRebuild()
    for await (const item of items) {
      options.signal?.throwIfAborted()
      if (item.is === 'frame') {
        for (const payload of item.payloads)
          await put(deposit, chunks.take(payload.place, dataOf(payload, path)))
        await put(deposit, chunks.end())
        await deposit.frame(item.frame)
        options.onFrame?.(item.frame.last, header.last)
      } else if (item.is === 'end') end = item.end
    }
  })
  return end!
}

/** Why a recording cannot become a journal; undefined when it can. */
function unfit(header: RecordingHeader): string | undefined {
  if (!isWhole(header)) return someOnly(header)
  if (header.payload !== 'whole') {
    return 'does not hold the payloads, only digests: a journal cannot be made of it; export without --payload'
  }
  if (header.first === 1) return undefined
  return `begins with event ${header.first}: a journal can only be made of a recording that begins with event 1`
}

function dataOf({ seq, data }: RecordedPayload, path: string): Uint8Array {
  if (data !== undefined) return data
  throw new BlockboxError(
    'TRACE_FORMAT',
    `${path} says that it holds every payload, that of event ${seq} is missing`,
    {
      seq,
    },
  )
}

async function put(deposit: Deposit, chunk: RebuiltChunk | undefined): Promise<void> {
  if (chunk !== undefined) await deposit.chunk(chunk.number, chunk.bytes)
}
