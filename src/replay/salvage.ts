/**
 * Salvage: a new journal of the part of a damaged one that verifies, and what was lost. The damaged one is not touched:
 * LevelDB does not open it, which over some damage would end the process, and over other drop more than it has to.
 *
 *     db ── its files read as they are ──▶ frames in order, chained, dense, their payloads right
 *                                             └─ the first that is not: what lies behind is not kept
 *
 * What lies behind the first fault is counted but never shown as verified: nothing ties it to the part in front.
 */

import { accessSync, constants, existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Finding } from '../check/check.ts'
import { hex } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import { fileReason } from '../core/file-reason.ts'
import { type Base, writeBase } from '../journal/base.ts'
import { readCheckpoint, writeCheckpoint } from '../journal/checkpoints.ts'
import { openJournalFolder } from '../journal/folder.ts'
import { emptyHead, encodeHead } from '../journal/head.ts'
import { headFile } from '../journal/head-file.ts'
import type { Checkpoint } from '../journal/journal.ts'
import { key, tables } from '../journal/keys.ts'
import { tablesInUse } from '../journal/level-manifest.ts'
import { segmentFolder } from '../journal/segment-folder.ts'
import { segmentedStore } from '../journal/segmented-store.ts'
import { type KvStore, levelStore } from '../journal/store.ts'
import { chunkHeaderBytes, decodeChunk, encodeChunk, pieceKey } from '../payload/chunk.ts'
import { type Survey, survey } from './survey.ts'

/** Bytes that are put at once, synced. */
const batchBytes = 2 ** 20

export interface Salvaged {
  /** Events that are kept; `last` is `first - 1` when there are none. */
  readonly first: number
  readonly last: number
  readonly frames: number
  readonly head: { readonly seq: number; readonly hash: string }
  /** Why nothing is kept behind `last`; undefined when the journal ends there. */
  readonly fault: Finding | undefined
  /** The last event that the old head says was durable; undefined when its head file is gone or damaged. */
  readonly durable: number | undefined
  /** Frames behind the fault that look like frames: not verified, not kept. */
  readonly behind: number
  /** True when the database's own list of its tables is lost or damaged: all that are there were read. */
  readonly unlisted: boolean
}

/**
 * Makes the journal folder `to`, which must not exist, of what verifies in the journal folder `path`.
 * Throws JOURNAL_MISSING, USAGE when `to` exists, JOURNAL_CORRUPT when not even the beginning can be told, JOURNAL_LOCKED
 * when it was written to meanwhile.
 */
export async function salvage(path: string, to: string): Promise<Salvaged> {
  const why = unseen(join(path, 'db'))
  if (why !== undefined) throw new BlockboxError('USAGE', `${path} cannot be looked at: ${why}`)
  if (!existsSync(join(path, 'db'))) {
    throw new BlockboxError(
      'JOURNAL_MISSING',
      `there is no database at ${join(path, 'db')}: name a journal folder`,
    )
  }
  if (existsSync(to)) throw new BlockboxError('USAGE', `${to} exists: name a folder that does not`)
  const found = await survey(path)
  const { base, fault, behind, durable, store } = found
  const { last, frames, head } = await keep(store, base, found, to).finally(() => store.close())
  return {
    ...{ first: base.first, last, frames, head, fault, durable, behind },
    unlisted: tablesInUse(join(path, 'db')) === undefined,
  }
}

/** Why a folder cannot be looked into; undefined when it can, or is not there. */
function unseen(folder: string): string | undefined {
  try {
    accessSync(folder, constants.R_OK | constants.X_OK)
    return undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : fileReason(error, 'read')
  }
}

/** Writes what is kept into a new journal folder. */
async function keep(store: KvStore, base: Base, { frames, end, chunks }: Survey, to: string) {
  await (await openJournalFolder(to, { create: true })).close()
  const target = segmentedStore(levelStore(join(to, 'db')), segmentFolder(join(to, 'payload')))
  await target.open()
  try {
    for (const chunk of chunks) await putAll(target, piecesOf(store, chunk))
    await putAll(target, framesOf(store, frames))
    const last = end?.last ?? base.first - 1
    await keepCheckpoints(store, target, last)
    if (base.first > 1) await writeBase(target, base)
    const head = { seq: last, hash: end?.hash ?? base.previous }
    await writeHead(to, head, end?.epoch ?? base.epoch)
    return { last, frames: frames.length, head: { seq: last, hash: hex(head.hash) } }
  } finally {
    await target.close()
  }
}

/** Checkpoints of what is kept go over when they verify; without one, the state is folded from the frames. */
async function keepCheckpoints(store: KvStore, target: KvStore, last: number): Promise<void> {
  const kept: Checkpoint[] = []
  for (let at = last; at > 0; at = kept.at(-1)!.seq - 1) {
    const found = await readCheckpoint(store, at, async () => true)
    if (found === undefined) break
    kept.push(found)
  }
  for (const checkpoint of kept.reverse()) await writeCheckpoint(target, checkpoint)
}

async function putAll(target: KvStore, all: AsyncIterable<readonly [Uint8Array, Uint8Array]>): Promise<void> {
  let batch = target.batch()
  let bytes = 0
  for await (const [at, value] of all) {
    batch.put(at, value)
    bytes += value.length
    if (bytes < batchBytes) continue
    await batch.write({ sync: true })
    batch = target.batch()
    bytes = 0
  }
  await batch.write({ sync: true })
}

async function* framesOf(store: KvStore, frames: Survey['frames']) {
  for (const { first } of frames) {
    const at = key(tables.frame, first)
    yield [at, (await store.get(at))!] as const
  }
}

/** A piece whose payloads were found right goes over as it is, or, when only its header is damaged, made anew. */
async function* piecesOf(store: KvStore, chunk: number) {
  for (let piece = 0; ; piece++) {
    const at = pieceKey(chunk, piece)
    const stored = await store.get(at)
    if (stored === undefined) return
    let value = stored
    try {
      decodeChunk(stored, chunk, piece)
    } catch {
      value = encodeChunk(stored.subarray(chunkHeaderBytes), chunk, piece)
    }
    yield [at, value] as const
  }
}

async function writeHead(to: string, at: { seq: number; hash: Uint8Array }, epoch: number): Promise<void> {
  const file = headFile(join(to, 'head'), false)
  try {
    for (const slot of [0, 1] as const) {
      const generation = emptyHead.generation + 1 + slot
      file.write(slot, encodeHead({ generation, durable: at, attempted: at, epoch }))
    }
    await file.sync()
  } finally {
    await file.close()
  }
}
