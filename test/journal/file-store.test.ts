/**
 * A database read from its files without LevelDB: the same as LevelDB reads while the files are whole, and what is left
 * of them where they are not.
 */

// limit: 120 s

import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Prng } from '../../src/core/prng.ts'
import { fileStore } from '../../src/journal/file-store.ts'
import { key, tables } from '../../src/journal/keys.ts'
import { type Bounds, type KvStore, levelStore } from '../../src/journal/store.ts'
import { temporaryFolder } from '../support/folder.ts'
import { fails } from '../support/frames.ts'

const test = suite('database read from its files')
const folder = temporaryFolder()
test.after(() => folder.remove())

/** What LevelDB on disk has beyond what every store has. */
interface ClassicLevel {
  compactRange(from: Uint8Array, to: Uint8Array): Promise<void>
}

type Entry = readonly [string, string]

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const nothing = () => false
const unread = (path: string) => fileStore(path, nothing)

async function entriesOf(store: KvStore, bounds: Bounds = {}): Promise<Entry[]> {
  const cursor = store.iterator(bounds)
  const found: Entry[] = []
  for (let some = await cursor.nextv(7); some.length > 0; some = await cursor.nextv(7)) {
    found.push(...some.map(([at, value]): Entry => [hex(at), hex(value)]))
  }
  await cursor.close()
  return found
}

/** What LevelDB reads of a copy of the folder. */
async function asLevelReads(path: string): Promise<Entry[]> {
  const copy = folder.copy(path)
  const store = levelStore(copy)
  await store.open()
  const found = await entriesOf(store)
  await store.close()
  return found
}

function bytesOf(random: Prng, most: number): Uint8Array {
  return Uint8Array.from({ length: random.below(most) }, () => random.below(256))
}

/** A database with values put, put again and removed, in several tables and a log. @returns its folder */
async function made(seed: number, compacts: boolean): Promise<string> {
  const path = folder.fresh('db')
  const random = new Prng(seed)
  for (let opening = 0; opening < 3; opening++) {
    const store = levelStore(path)
    await store.open()
    for (let k = 0; k < 150; k++) {
      const table = [tables.frame, tables.payload, tables.checkpoint][random.below(3)]!
      const part = table === tables.payload ? random.below(3) : undefined
      const at = key(table, random.below(60), part)
      if (random.below(5) === 0) await store.batch().del(at).write({ sync: false })
      else if (random.below(3) > 0)
        await store.put(at, bytesOf(random, random.below(20) === 0 ? 90_000 : 300), { sync: false })
      else {
        const batch = store.batch()
        for (let n = 0; n < 5; n++) batch.put(key(table, random.below(60)), bytesOf(random, 500))
        await batch.write({ sync: false })
      }
    }
    if (compacts && opening === 1) {
      await (store as unknown as ClassicLevel).compactRange(Uint8Array.of(0), Uint8Array.of(255))
    }
    await store.close()
  }
  return path
}

const filesOf = (path: string, form: RegExp) =>
  readdirSync(path)
    .filter((name) => form.test(name))
    .map((name) => join(path, name))

test('whole, it is what LevelDB reads: values put again, removed, compacted, in tables and in a log', async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const path = await made(seed, seed % 2 === 0)
    const wanted = await asLevelReads(path)
    assert.ok(wanted.length > 40)
    assert.equal(await entriesOf(await unread(path)), wanted, `seed ${seed}`)
  }
})

test('bounds, reversed, with a limit', async () => {
  const path = await made(77, false)
  const store = await unread(path)
  const level = levelStore(folder.copy(path))
  await level.open()
  const random = new Prng(78)
  for (let k = 0; k < 60; k++) {
    const [low, high] = [random.below(60), random.below(60)]
    const bounds: Bounds = {
      gte: key(tables.frame, low),
      lt: key(tables.payload, high),
      ...(k % 2 === 0 && { reverse: true }),
      ...(k % 3 === 0 && { limit: 1 + random.below(5) }),
    }
    assert.equal(
      await entriesOf(store, bounds),
      await entriesOf(level, bounds),
      JSON.stringify({ low, high, k }),
    )
    const at = key(tables.payload, low, high % 3)
    const value = await level.get(at)
    assert.is(hex((await store.get(at)) ?? Uint8Array.of()), hex(value ?? Uint8Array.of()))
  }
  await level.close()
})

test('without footer, index or manifest nothing is missing', async () => {
  const path = await made(5, false)
  const wanted = await asLevelReads(path)
  const tablesOf = filesOf(path, /\.ldb$/)
  assert.ok(tablesOf.length > 1)
  for (const table of tablesOf) {
    const { size } = statSync(table)
    for (const spoil of [
      (file: string) => truncateSync(file, size - 1),
      (file: string) => truncateSync(file, size - 48),
      (file: string) => writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.alloc(99, 7)])),
      (file: string) => {
        const bytes = readFileSync(file)
        writeFileSync(file, bytes.fill(0xee, bytes.length - 70))
      },
    ]) {
      const copy = folder.copy(path)
      spoil(join(copy, table.slice(path.length + 1)))
      assert.equal(await entriesOf(await unread(copy)), wanted)
    }
  }
  const unlisted = folder.copy(path)
  for (const file of filesOf(unlisted, /^(?:MANIFEST|CURRENT)/)) rmSync(file)
  assert.equal(await entriesOf(await unread(unlisted)), wanted)
})

test('a table cut anywhere gives what lies in front of the cut', async () => {
  const path = folder.fresh('db')
  const store = levelStore(path)
  await store.open()
  for (let k = 0; k < 400; k++)
    await store.put(key(tables.frame, k), new Uint8Array(200).fill(k), { sync: false })
  await store.close()
  await (await reopened(path)).close()
  const [table] = filesOf(path, /\.ldb$/)
  const bytes = readFileSync(table!)
  const wanted = await asLevelReads(path)
  assert.is(wanted.length, 400)
  for (let left = 0; left < bytes.length; left += 1009) {
    writeFileSync(table!, bytes.subarray(0, left))
    const found = await entriesOf(await unread(path))
    assert.equal(found, wanted.slice(0, found.length))
    assert.ok(found.length >= Math.floor(left / 225) - 2, `${found.length} entries in ${left} bytes`)
  }
})

async function reopened(path: string): Promise<KvStore> {
  const store = levelStore(path)
  await store.open()
  return store
}

test('a damaged block gives nothing that another one contradicts, and never a value of another key in its place', async () => {
  const path = await made(9, true)
  const wanted = new Map(await asLevelReads(path))
  const random = new Prng(10)
  let altered = 0
  for (let k = 0; k < 200; k++) {
    const copy = folder.copy(path)
    const files = filesOf(copy, /\.ldb$/)
    const file = files[random.below(files.length)]!
    const bytes = readFileSync(file)
    bytes[random.below(bytes.length)]! ^= 1 << random.below(8)
    writeFileSync(file, bytes)
    const found = new Map(await entriesOf(await unread(copy)))
    const wrong = [...wanted].filter(([at, value]) => found.get(at) !== value)
    altered += wrong.length
    assert.ok(wrong.length <= 40, `${wrong.length} of ${wanted.size} differ`)
    rmSync(copy, { recursive: true })
  }
  assert.ok(altered > 20, 'the damage was seen')
})

test('of two values for a key the one that verifies by itself is taken', async () => {
  const path = folder.fresh('db')
  const store = levelStore(path)
  await store.open()
  for (let k = 1; k < 9; k++)
    await store.put(key(tables.frame, k), new Uint8Array(40).fill(k), { sync: false })
  await store.close()
  await (await reopened(path)).close()
  const [table] = filesOf(path, /\.ldb$/)
  const bytes = readFileSync(table!)
  const at = bytes.indexOf(Buffer.alloc(40, 7)) - 9
  assert.is(bytes[at], 7, 'the last byte of the seventh key, the only one that it does not share')
  bytes[at] = 3
  writeFileSync(table!, bytes)
  const isWhole = (one: Uint8Array, value: Uint8Array) => value.length === 40 && value[0] === one[8]
  const read = await fileStore(path, isWhole)
  assert.equal(await read.get(key(tables.frame, 3)), new Uint8Array(40).fill(3))
  assert.is(await read.get(key(tables.frame, 7)), undefined)
})

test('a log: records behind a damaged one, a damaged one as far as it makes sense, its torn end when asked', async () => {
  const path = folder.fresh('db')
  const store = levelStore(path)
  await store.open()
  const value = (k: number) => new Uint8Array(3000).fill(k)
  for (let k = 0; k < 100; k++) await store.put(key(tables.frame, k), value(k), { sync: false })
  cpSync(path, `${path}.killed`, { recursive: true })
  await store.close()
  const [log] = filesOf(`${path}.killed`, /\.log$/)
  const bytes = readFileSync(log!)
  const wrong = async (spoil: (copy: Buffer) => Buffer, torn = false) => {
    writeFileSync(log!, spoil(Buffer.from(bytes)))
    const found = await fileStore(`${path}.killed`, nothing, { torn })
    const differ: number[] = []
    for (let k = 0; k < 100; k++) {
      if (Buffer.compare((await found.get(key(tables.frame, k))) ?? Uint8Array.of(), value(k)) !== 0)
        differ.push(k)
    }
    return differ
  }
  const flip = (at: number) => (copy: Buffer) => {
    copy[at]! ^= 1
    return copy
  }
  const lastRecord = bytes.indexOf(Buffer.alloc(3000, 99)) - 12 - 1 - 10 - 2 - 7
  assert.equal(await wrong((copy) => copy), [])
  assert.equal((await wrong(flip(100_000))).length, 1)
  assert.equal(await wrong(flip(0)), [], 'only the checksum of the first record is damaged')
  assert.equal(await wrong(flip(6)), [], 'its type')
  assert.equal(await wrong(flip(lastRecord)), [99], 'of the last one it cannot be told from a torn one')
  assert.equal(await wrong(flip(lastRecord), true), [])
  for (const torn of [true, false]) assert.equal(await wrong((copy) => copy.subarray(0, -1), torn), [99])
})

test('nothing is written', async () => {
  const store = await unread(await made(3, false))
  await fails('USAGE', () => store.put(key(tables.frame, 1), new Uint8Array(1), { sync: true }))
  await fails('USAGE', async () => store.batch())
})

test.run()
