/** The payload store in the journal's database, over memory: its contract, its cache, what damage does. */

import * as assert from 'uvu/assert'
import { hex } from '../../src/core/digest.ts'
import { key, tables } from '../../src/journal/keys.ts'
import { MemoryStore } from '../../src/journal/memory-store.ts'
import type { KvStore } from '../../src/journal/store.ts'
import {
  chunkHeaderBytes,
  decodeChunk,
  encodeChunk,
  chunkOf as numberOf,
  pieceBytes,
  pieceKey,
  placeIn,
} from '../../src/payload/chunk.ts'
import { type LevelPayload, openLevelPayload } from '../../src/payload/level-payload.ts'
import { fails } from '../support/frames.ts'
import { entriesOf, hooked, memoryStore } from '../support/store.ts'
import { contentOf, payloadSuite } from './contract.ts'

/** A store, and the keys that were read from it. */
function counted(plain: KvStore): { store: KvStore; read: Uint8Array[] } {
  const read: Uint8Array[] = []
  const getSync = (at: Uint8Array) => {
    read.push(at)
    return plain.getSync(at)
  }
  return { store: { ...hooked(plain, () => undefined), getSync }, read }
}

async function drainInto(store: KvStore, payload: LevelPayload): Promise<void> {
  await payload.sync()
  const batch = store.batch()
  for (const [at, value] of payload.drain()) batch.put(at, value)
  await batch.write({ sync: true })
  payload.stored()
}

/** The stored form of a chunk of these payloads. */
function chunkOf(number: number, ...payloads: readonly Uint8Array[]): Uint8Array {
  return encodeChunk(Buffer.concat(payloads), number)
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
  const { store, read: loaded } = counted(plain)
  const chunk = 4 * 2 ** 20
  const count = 20
  for (let k = 1; k <= count; k++) {
    await plain.put(key(tables.payload, k), chunkOf(k, contentOf(k, chunk)), { sync: true })
  }
  const payload = await openLevelPayload(store)
  const read = (k: number) => payload.read(placeIn(k, 512 * k), 512)
  for (let k = 1; k <= count; k++) read(k)
  assert.is(loaded.length, count)
  for (let k = count; k > count - 15; k--) read(k)
  assert.is(loaded.length, count)
  read(1)
  assert.is(loaded.length, count + 1)
  const before = process.memoryUsage().arrayBuffers
  for (let round = 0; round < 3; round++) for (let k = 1; k <= count; k++) read(k)
  assert.ok(process.memoryUsage().arrayBuffers - before < 64 * 2 ** 20)
})

test('a piece that is read now and then outlives its neighbours in the cache', async () => {
  const plain = memoryStore()
  await plain.open()
  const { store, read: loaded } = counted(plain)
  const payload = await openLevelPayload(store, { cacheBytes: 4096 })
  const places: number[] = []
  for (let k = 0; k < 40; k++) {
    places.push(payload.put(contentOf(k, 512)))
    await drainInto(store, payload)
  }
  for (let k = 1; k < 40; k++) {
    for (const one of [0, k])
      assert.equal(new Uint8Array(payload.read(places[one]!, 512)), contentOf(one, 512))
  }
  assert.is(loaded.length, 40)
  for (let k = 1; k < 20; k++) payload.read(places[k]!, 512)
  assert.equal(new Uint8Array(payload.read(places[0]!, 512)), contentOf(0, 512))
  assert.is(loaded.length, 40 + 19 + 1)
})

test('memory of what is stored takes what is put next, and nothing that still waits', async () => {
  const store = new MemoryStore()
  const payload = await openLevelPayload(store, { copies: true })
  const before = process.memoryUsage().arrayBuffers
  const places: number[] = []
  const count = 600
  const lengthOf = (k: number) => (k % 50 === 0 ? 3 * pieceBytes + 512 : 32 * 1024)
  for (let k = 0; k < count; k++) {
    places.push(payload.put(contentOf(k, lengthOf(k))))
    if (k % 40 === 39) await drainInto(store, payload)
    const back = Math.max(0, k - 30)
    assert.equal(payload.read(places[back]!, 512).slice(), contentOf(back, 512))
  }
  const own = count * 32 * 1024
  assert.ok(
    process.memoryUsage().arrayBuffers - before < own * 2,
    'the store has one copy, the slabs are few',
  )
  await drainInto(store, payload)
  for (const [k, place] of places.entries()) {
    assert.is(hex(payload.read(place, lengthOf(k))), hex(contentOf(k, lengthOf(k))))
  }
})

test('a long payload is stored in pieces, each checked by itself, and one read loads one piece', async () => {
  const plain = memoryStore()
  await plain.open()
  const first = await openLevelPayload(plain)
  const content = contentOf(1, 3 * pieceBytes + 1024)
  const [before, place] = [first.put(contentOf(2, 512)), first.put(content)]
  await drainInto(plain, first)
  const entries = await entriesOf(plain)
  const number = numberOf(place)
  assert.is(number, numberOf(before) + 1)
  const keys = [0, 1, 2, 3].map((piece) => hex(pieceKey(number, piece)))
  assert.equal(
    entries.map(([at]) => hex(at)),
    [hex(pieceKey(number - 1, 0)), ...keys],
  )
  assert.is(entries.at(-1)![1].length, chunkHeaderBytes + 1024)
  const { store, read } = counted(plain)
  const fresh = await openLevelPayload(store)
  const units = pieceBytes / 512
  const part = (from: number, length: number) => content.subarray(from * 512, from * 512 + length)
  assert.is(hex(fresh.read(place + units + 3, 4096)), hex(part(units + 3, 4096)))
  assert.is(read.length, 1)
  assert.is(hex(fresh.read(place + units - 1, 1024)), hex(part(units - 1, 1024)))
  assert.is(read.length, 2)
  assert.is(hex(fresh.read(place, content.length)), hex(content))
  assert.is(hex(fresh.asStored(place, content.length)!), hex(content))
  const damaged = entries[2]![1].slice()
  damaged[100]! ^= 4
  await plain.put(entries[2]![0], damaged, { sync: true })
  const again = await openLevelPayload(plain)
  assert.is(hex(again.read(place, pieceBytes)), hex(part(0, pieceBytes)))
  await fails('PAYLOAD_CORRUPT', () => again.read(place + units, 512))
  await fails('PAYLOAD_CORRUPT', () => again.read(place, content.length))
  for (const beyond of [content.length / 512, 8 * units])
    await fails('PAYLOAD_CORRUPT', () => again.read(place + beyond, 512))
  assert.is(again.put(contentOf(3, 512)), placeIn(number + 1, 0))
})

test('a chunk from before there were pieces is read from the one value it has', async () => {
  const store = memoryStore()
  await store.open()
  const content = contentOf(1, 4 * pieceBytes)
  await store.put(pieceKey(1, 0), encodeChunk(content, 1), { sync: true })
  for (const at of [0, pieceBytes - 512, 3 * pieceBytes + 512]) {
    const payload = await openLevelPayload(store)
    const expected = hex(content.subarray(at, at + 1024))
    for (let k = 0; k < 2; k++) assert.is(hex(payload.read(placeIn(1, at), 1024)), expected)
    assert.is(hex(payload.asStored(placeIn(1, at), 1024)!), expected)
    assert.is(hex(payload.read(placeIn(1, 0), content.length)), hex(content))
    await fails('PAYLOAD_CORRUPT', () => payload.read(placeIn(1, content.length), 512))
  }
})

test('what is put after the frame was sealed goes with the next one', async () => {
  const store = memoryStore()
  await store.open()
  const payload = await openLevelPayload(store)
  const one = payload.put(contentOf(1, 512))
  const sealed = payload.sync()
  const [two, long] = [payload.put(contentOf(2, 512)), payload.put(contentOf(3, 2 * pieceBytes))]
  await sealed
  const drained = payload.drain()
  assert.equal(
    drained.map(([at]) => hex(at)),
    [hex(pieceKey(numberOf(one), 0))],
  )
  for (const [at, value] of drained) await store.put(at, value, { sync: true })
  assert.is(hex(payload.read(two, 512)), hex(contentOf(2, 512)))
  payload.stored()
  for (const [place, k, length] of [
    [one, 1, 512],
    [two, 2, 512],
    [long, 3, 2 * pieceBytes],
  ] as const) {
    assert.is(hex(payload.read(place, length)), hex(contentOf(k, length)))
  }
  await drainInto(store, payload)
  assert.is((await entriesOf(store)).length, 4)
})

test('a chunk is laid out as the format says', async () => {
  const bytes = chunkOf(1, contentOf(1, 512), contentOf(2, 512))
  assert.is(bytes.length, 1040)
  assert.is(hex(bytes.subarray(0, 4)), '42425031')
  assert.is(hex(bytes.subarray(8, 16)), '0004000001400000')
  assert.is(hex(decodeChunk(bytes, 1).subarray(512)), hex(contentOf(2, 512)))
  await fails('PAYLOAD_CORRUPT', () => decodeChunk(undefined, 3))
})

test('a chunk that is another one is not taken for it, one from before that does not say which it is is', async () => {
  const bytes = chunkOf(7, contentOf(1, 512))
  for (const [chunk, piece] of [
    [8, 0],
    [7, 1],
  ] as const) {
    await fails('PAYLOAD_CORRUPT', () => decodeChunk(bytes, chunk, piece))
  }
  bytes.fill(0, 12, 16)
  assert.is(hex(decodeChunk(bytes, 8)), hex(contentOf(1, 512)))
})

test.run()
