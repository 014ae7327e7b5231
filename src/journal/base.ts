/** The base: where the frames that are left begin, after events in front were given up (FORMAT.md). */

import { Packr, Unpackr } from 'msgpackr'
import { digestBytes, noDigest, sameBytes, sha256 } from '../core/digest.ts'
import { dropCheckpointsBefore } from './checkpoints.ts'
import { damage } from './frame.ts'
import { before, key, tables } from './keys.ts'
import type { KvStore } from './store.ts'

const packr = new Packr({ useRecords: false })

export interface Base {
  /** The first sequence number that is left. */
  readonly first: number
  /** Hash of the frame before it; zeros for a whole journal. */
  readonly previous: Uint8Array
  readonly epoch: number
}

/** The stored base; that of a whole journal when there is none. Throws JOURNAL_CORRUPT when it makes no sense. */
export async function readBase(store: KvStore): Promise<Base> {
  return decodeBase(await store.get(key(tables.base, 0)))
}

/** Stores the base, durable when this resolves; what lies in front of it is no longer part of the journal. */
export async function writeBase(store: KvStore, base: Base): Promise<void> {
  await store.put(key(tables.base, 0), encodeBase(base), { sync: true })
}

/** Removes the frames and checkpoints in front of the base, also those that an earlier removal did not get to. */
export async function sweep(store: KvStore, base: Base): Promise<void> {
  const cursor = store.keys(before(tables.frame, base.first))
  try {
    for (let keys = await cursor.nextv(1000); keys.length > 0; keys = await cursor.nextv(1000)) {
      const batch = store.batch()
      for (const one of keys) batch.del(one)
      await batch.write({ sync: false })
    }
  } finally {
    await cursor.close()
  }
  await dropCheckpointsBefore(store, base.first - 1)
}

function encodeBase({ first, previous, epoch }: Base): Uint8Array {
  const packed = packr.pack([first, previous, epoch])
  const value = new Uint8Array(packed.length + digestBytes)
  value.set(packed)
  value.set(sha256(packed), packed.length)
  return value
}

/** The base as stored. Throws JOURNAL_CORRUPT. */
export function decodeBase(value: Uint8Array | undefined): Base {
  if (value === undefined) return { first: 1, previous: noDigest, epoch: 0 }
  try {
    const packed = value.subarray(0, Math.max(0, value.length - digestBytes))
    if (!sameBytes(sha256(packed), value.subarray(packed.length))) throw new Error('its hash does not match')
    const list = new Unpackr({ useRecords: false }).unpack(packed) as [number, Uint8Array, number]
    const [first, previous, epoch] = list
    const makesSense = Number.isSafeInteger(first) && first > 1 && Number.isSafeInteger(epoch)
    if (!makesSense || previous.length !== digestBytes) throw new Error('it is none')
    return { first, previous: new Uint8Array(previous), epoch }
  } catch (cause) {
    throw damage('JOURNAL_CORRUPT', 1, 'the record of where the journal begins is damaged', cause)
  }
}
