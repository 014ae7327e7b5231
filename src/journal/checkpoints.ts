/**
 * Checkpoints in the store: parts first, the list of them last and synced, so that a checkpoint is whole or not
 * there. One that does not verify is passed over: it is a copy, the frames are the truth.
 */

import { Packr, Unpackr } from 'msgpackr'
import { digestBytes, sameBytes, sha256 } from '../core/digest.ts'
import type { Checkpoint } from './journal.ts'
import { before, from, key, numberOf, tables } from './keys.ts'
import { isDamage, type KvStore, readError } from './store.ts'

/** How many checkpoints are kept: anchors from which a moment in the past is near. */
const kept = 4
const maxParts = 2 ** 20

const packr = new Packr({ useRecords: false })

/**
 * Stores a checkpoint, durable when this resolves, and drops the oldest beyond those kept. Each part is synced: a
 * synced put covers LevelDB's current log file only, and parts may lie in the one before.
 */
export async function writeCheckpoint(store: KvStore, checkpoint: Checkpoint): Promise<void> {
  const { seq, parts, frameHash, stateLow, stateHigh } = checkpoint
  for (const [k, part] of parts.entries()) await store.put(key(tables.part, seq, k), part, { sync: true })
  const list = packr.pack([seq, frameHash, stateLow, stateHigh, parts.map(sha256)])
  const value = new Uint8Array(list.length + digestBytes)
  value.set(list)
  value.set(sha256(list), list.length)
  await store.put(key(tables.checkpoint, seq), value, { sync: true })
  const all = await checkpointSeqs(store)
  for (const old of all.slice(0, Math.max(0, all.length - kept))) await dropCheckpoint(store, old)
}

/** The newest checkpoint at or before `seq` that verifies and of which `belongs` says that it is of this history. */
export async function readCheckpoint(
  store: KvStore,
  seq: number,
  belongs: (checkpoint: Checkpoint) => Promise<boolean>,
): Promise<Checkpoint | undefined> {
  const all = await unlessDamaged(checkpointSeqs(store))
  for (const at of (all ?? []).filter((one) => one <= seq).reverse()) {
    const found = await unlessDamaged(loadCheckpoint(store, at))
    if (found !== undefined && (await belongs(found))) return found
  }
  return undefined
}

/** Undefined where the database cannot read its own files. */
async function unlessDamaged<Result>(reading: Promise<Result>): Promise<Result | undefined> {
  try {
    return await reading
  } catch (error) {
    if (isDamage(error)) return undefined
    throw error
  }
}

/** The checkpoints that do not verify: opening passes them over. Throws JOURNAL_CORRUPT when they cannot be listed. */
export async function damagedCheckpoints(store: KvStore): Promise<number[]> {
  const damaged: number[] = []
  const all = await checkpointSeqs(store).catch((error: unknown) => {
    throw readError(error, 1)
  })
  for (const seq of all) {
    const found = await loadCheckpoint(store, seq).catch(() => undefined)
    if (found === undefined) damaged.push(seq)
  }
  return damaged
}

/** The sequence numbers of the checkpoints, ascending. */
export async function checkpointSeqs(store: KvStore): Promise<number[]> {
  const cursor = store.keys(from(tables.checkpoint, 0))
  try {
    const seqs: number[] = []
    for (let keys = await cursor.nextv(100); keys.length > 0; keys = await cursor.nextv(100)) {
      seqs.push(...keys.map(numberOf))
    }
    return seqs
  } finally {
    await cursor.close()
  }
}

/** Removes checkpoints that are true before `seq`. */
export async function dropCheckpointsBefore(store: KvStore, seq: number): Promise<void> {
  for (const old of await checkpointSeqs(store)) if (old < seq) await dropCheckpoint(store, old)
}

async function dropCheckpoint(store: KvStore, seq: number): Promise<void> {
  const batch = store.batch().del(key(tables.checkpoint, seq))
  const cursor = store.keys({ gte: key(tables.part, seq, 0), lt: before(tables.part, seq + 1).lt })
  try {
    for (let keys = await cursor.nextv(1000); keys.length > 0; keys = await cursor.nextv(1000)) {
      for (const one of keys) batch.del(one)
    }
  } finally {
    await cursor.close()
  }
  await batch.write({ sync: false })
}

async function loadCheckpoint(store: KvStore, seq: number): Promise<Checkpoint | undefined> {
  const value = await store.get(key(tables.checkpoint, seq))
  if (value === undefined || value.length < digestBytes) return undefined
  const packed = value.subarray(0, value.length - digestBytes)
  if (!sameBytes(sha256(packed), value.subarray(packed.length))) return undefined
  const list = unpacked(packed)
  if (list === undefined) return undefined
  const [at, frameHash, stateLow, stateHigh, digests] = list
  if (at !== seq || digests.length > maxParts) return undefined
  const parts: Uint8Array[] = []
  for (const [k, digest] of digests.entries()) {
    const part = await store.get(key(tables.part, seq, k))
    if (part === undefined || !sameBytes(sha256(part), digest)) return undefined
    parts.push(part)
  }
  return { seq, stateLow, stateHigh, frameHash: new Uint8Array(frameHash), parts }
}

/** A checkpoint's list; undefined for another record with its hash behind it, which a read gone astray brings. */
function unpacked(packed: Uint8Array): [number, Uint8Array, number, number, Uint8Array[]] | undefined {
  try {
    const list: unknown = new Unpackr({ useRecords: false }).unpack(packed)
    const isList = Array.isArray(list) && list[1] instanceof Uint8Array && Array.isArray(list[4])
    return isList ? (list as [number, Uint8Array, number, number, Uint8Array[]]) : undefined
  } catch {
    return undefined
  }
}
