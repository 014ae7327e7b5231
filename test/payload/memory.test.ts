/** The payload store in the journal's database, over memory: its contract, its cache, what damage does. */

import * as assert from 'uvu/assert'
import { hex } from '../../src/core/digest.ts'
import { key, tables } from '../../src/journal/keys.ts'
import type { KvStore } from '../../src/journal/store.ts'
import { decodeChunk, encodeChunk, placeIn } from '../../src/payload/chunk.ts'
import { type LevelPayload, openLevelPayload } from '../../src/payload/level-payload.ts'
import { fails } from '../support/frames.ts'
import { entriesOf, hooked, memoryStore } from '../support/store.ts'
import { contentOf, payloadSuite } from './contract.ts'

async function drainInto(store: KvStore, payload: LevelPayload): Promise<void> {
  await payload.sync()
  const batch = store.batch()
  for (const [at, value] of payload.drain()) batch.put(at, value)
  await batch.write({ sync: true })
  payload.stored()
}

/** The stored form of a chunk of these payloads. */
function chunkOf(...payloads: readonly Uint8Array[]): Uint8Array {
  return encodeChunk(Buffer.concat(payloads))
}

const test = payloadSuite('payload in memory', async () => {
  const store = memoryStore()
  let payload: LevelPayload | undefined
  return {
    async open() {
      await store.open()
      payload = await openLevelPayload(store)
      return payload
    },
    commit: () => drainInto(store, payload!),
    close: () => store.close(),
  }
})

test('a changed, cut or missing chunk is damage, however it is changed', async () => {
  const store = memoryStore()
  await store.open()
  const first = await openLevelPayload(store)
  const place = first.put(contentOf(1, 1024))
  await drainInto(store, first)
  const [at, bytes] = (await entriesOf(store))[0]!
  for (let k = 0; k < bytes.length; k++) {
    const changed = bytes.slice()
    changed[k]! ^= 0x20
    await store.put(at, changed, { sync: true })
    const fresh = await openLevelPayload(store)
    await fails('PAYLOAD_CORRUPT', () => fresh.read(place, 512))
  }
  for (const cut of [0, 8, 16, 600]) {
    await store.put(at, bytes.slice(0, cut), { sync: true })
    const fresh = await openLevelPayload(store)
    await fails('PAYLOAD_CORRUPT', () => fresh.read(place, 512))
  }
  await store.put(key(tables.payload, 9), bytes, { sync: true })
  const gone = await openLevelPayload(store)
  await fails('PAYLOAD_CORRUPT', () => gone.read(place + 2 ** 20, 512))
})

test('of a damaged chunk the bytes as stored can be seen, for telling which payload changed', async () => {
  const store = memoryStore()
  await store.open()
  const first = await openLevelPayload(store)
  const [one, two] = [first.put(contentOf(1, 512)), first.put(contentOf(2, 512))]
  assert.is(hex(first.asStored(one, 512) ?? new Uint8Array(0)), '')
  await drainInto(store, first)
  const [at, bytes] = (await entriesOf(store))[0]!
  bytes[16 + 512 + 9]! ^= 1
  await store.put(at, bytes, { sync: true })
  const fresh = await openLevelPayload(store)
  assert.is(hex(fresh.asStored(one, 512)!), hex(contentOf(1, 512)))
  assert.is.not(hex(fresh.asStored(two, 512)!), hex(contentOf(2, 512)))
  assert.is(fresh.asStored(two, 1024), undefined)
  assert.is(fresh.asStored(two + 2 ** 20, 512), undefined)
})

test('the cache of chunks has a bound, and a chunk in it is read once', async () => {
  const plain = memoryStore()
  await plain.open()
  let reads = 0
  const store: KvStore = {
    ...hooked(plain, () => undefined),
    getSync(at) {
      reads++
      return plain.getSync(at)
    },
  }
  const chunk = 4 * 2 ** 20
  const count = 20
  for (let k = 1; k <= count; k++) {
    await plain.put(key(tables.payload, k), chunkOf(contentOf(k, chunk)), { sync: true })
  }
  const payload = await openLevelPayload(store)
  const read = (k: number) => payload.read(placeIn(k, 512 * k), 512)
  for (let k = 1; k <= count; k++) read(k)
  assert.is(reads, count)
  for (let k = count; k > count - 15; k--) read(k)
  assert.is(reads, count)
  read(1)
  assert.is(reads, count + 1)
  const before = process.memoryUsage().arrayBuffers
  for (let round = 0; round < 3; round++) for (let k = 1; k <= count; k++) read(k)
  assert.ok(process.memoryUsage().arrayBuffers - before < 64 * 2 ** 20)
})

test('a chunk that is read again leaves the slab it was put together in', async () => {
  const store = memoryStore()
  await store.open()
  const payload = await openLevelPayload(store)
  const place = payload.put(contentOf(1, 512))
  const waiting = payload.read(place, 512)
  assert.equal(waiting, contentOf(1, 512))
  await drainInto(store, payload)
  for (let k = 0; k < 3; k++) {
    const kept = payload.read(place, 512)
    assert.equal(kept, contentOf(1, 512))
    assert.is(kept.buffer.byteLength, 512)
  }
})

test('a chunk is laid out as the format says', async () => {
  const bytes = chunkOf(contentOf(1, 512), contentOf(2, 512))
  assert.is(bytes.length, 1040)
  assert.is(hex(bytes.subarray(0, 4)), '42425031')
  assert.is(hex(bytes.subarray(8, 16)), '0004000000000000')
  assert.is(hex(decodeChunk(bytes, 1).subarray(512)), hex(contentOf(2, 512)))
  await fails('PAYLOAD_CORRUPT', () => decodeChunk(undefined, 3))
})

test.run()
