/**
 * Stores for journals under test: in memory, copied as they are at a moment (what a crash leaves), cut after a frame,
 * and with a hook in front of every write (a slow or a failing disk).
 */

import { MemoryLevel } from 'memory-level'
import { decodeFrame, type Frame } from '../../src/journal/frame.ts'
import { encodeHead, type HeadStore, memoryHead } from '../../src/journal/head.ts'
import { from, key, numberOf, tables } from '../../src/journal/keys.ts'
import { openStoreJournal } from '../../src/journal/opening.ts'
import type { Batch, KvStore } from '../../src/journal/store.ts'
import type { StoreJournal } from '../../src/journal/store-journal.ts'
import { type LevelPayload, openLevelPayload } from '../../src/payload/level-payload.ts'

export function memoryStore(): KvStore {
  const encodings = { keyEncoding: 'view', valueEncoding: 'view', storeEncoding: 'view' } as const
  return new MemoryLevel<Uint8Array, Uint8Array>(encodings) as unknown as KvStore
}

export interface Opened {
  readonly store: KvStore
  readonly head: HeadStore
  readonly journal: StoreJournal
  readonly payload: LevelPayload
}

/** Opens a journal in memory with the payload store beside it. */
export async function openMemory(
  from: { readonly store?: KvStore; readonly head?: HeadStore; readonly readOnly?: boolean } = {},
): Promise<Opened> {
  const { store = memoryStore(), head = memoryHead(), readOnly = false } = from
  await store.open()
  const payload = await openLevelPayload(store)
  const journal = await openStoreJournal({ store, head, readOnly, attachments: payload })
  return { store, head, journal, payload }
}

/** Every key and value, in order. */
export async function entriesOf(store: KvStore): Promise<[Uint8Array, Uint8Array][]> {
  const cursor = store.iterator({})
  try {
    const all: [Uint8Array, Uint8Array][] = []
    for (let some = await cursor.nextv(1000); some.length > 0; some = await cursor.nextv(1000))
      all.push(...some)
    return all
  } finally {
    await cursor.close()
  }
}

/** A store that holds the same, but for entries that `keep` gives up. */
export async function copyOf(
  store: KvStore,
  keep: (table: number, number: number) => boolean = () => true,
): Promise<KvStore> {
  const copy = memoryStore()
  await copy.open()
  for (const [at, value] of await entriesOf(store)) {
    if (keep(at[0]!, numberOf(at))) await copy.put(at.slice(), value.slice(), { sync: true })
  }
  return copy
}

/** The frames of a store, as stored. */
export async function framesOf(store: KvStore): Promise<Frame[]> {
  const cursor = store.iterator(from(tables.frame, 0))
  try {
    const frames: Frame[] = []
    for (let some = await cursor.nextv(1000); some.length > 0; some = await cursor.nextv(1000)) {
      frames.push(...some.map(([at, value]) => decodeFrame(value, numberOf(at))))
    }
    return frames
  } finally {
    await cursor.close()
  }
}

/** What a crash leaves that hit right after `frame` was stored: the head knows of it, or of `known` only. */
export async function cutAfter(
  store: KvStore,
  frame: Frame,
  known: Frame | undefined = frame,
): Promise<{ readonly store: KvStore; readonly head: HeadStore }> {
  const cut = await copyOf(store, (table, number) => table === tables.payload || number <= frame.last)
  return { store: cut, head: headAt(known) }
}

/** A head that says that `frame` was the last durable one. */
export function headAt(frame: Frame | undefined): HeadStore {
  const head = memoryHead()
  if (frame === undefined) return head
  const at = { seq: frame.last, hash: frame.hash }
  head.write(1, encodeHead({ generation: 1, durable: at, attempted: at, epoch: frame.epoch }))
  return head
}

/** Stores `bytes` as the frame that begins with event `first`. */
export function putFrame(store: KvStore, first: number, bytes: Uint8Array): Promise<void> {
  return store.put(key(tables.frame, first), bytes, { sync: true })
}

/** The same store; each put and batch waits for `before` and fails when it does. */
export function hooked(store: KvStore, before: () => Promise<void> | void): KvStore {
  return {
    open: () => store.open(),
    close: () => store.close(),
    get: (at) => store.get(at),
    getSync: (at) => store.getSync(at),
    async put(at, value, options) {
      await before()
      await store.put(at, value, options)
    },
    batch: () => hookedBatch(store.batch(), before),
    keys: (bounds) => store.keys(bounds),
    values: (bounds) => store.values(bounds),
    iterator: (bounds) => store.iterator(bounds),
  }
}

function hookedBatch(batch: Batch, before: () => Promise<void> | void): Batch {
  const own: Batch = {
    put(at, value) {
      batch.put(at, value)
      return own
    },
    del(at) {
      batch.del(at)
      return own
    },
    async write(options) {
      await before()
      await batch.write(options)
    },
  }
  return own
}
