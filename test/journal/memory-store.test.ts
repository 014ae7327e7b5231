/** The store in memory keeps the journal's contract, and answers bounds as LevelDB does. */

import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { memoryHead } from '../../src/journal/head.ts'
import { key, tables } from '../../src/journal/keys.ts'
import { MemoryStore } from '../../src/journal/memory-store.ts'
import type { Cursor, KvStore } from '../../src/journal/store.ts'
import { memoryStore, openMemory } from '../support/store.ts'
import { journalSuite } from './contract.ts'

const test = journalSuite({
  name: 'journal in the memory store',
  async place() {
    const store = new MemoryStore()
    const head = memoryHead()
    return {
      open: async () => (await openMemory({ store, head })).journal,
      async damageCheckpoint(journal) {
        const { seq } = (await journal.checkpoint())!
        const part = (await store.get(key(tables.part, seq, 1)))!.slice()
        part[77]! ^= 1
        await store.put(key(tables.part, seq, 1), part)
        await journal.close()
      },
    }
  },
})

async function all<Item>(cursor: Cursor<Item>, size: number): Promise<Item[]> {
  const found: Item[] = []
  for (let some = await cursor.nextv(size); some.length > 0; some = await cursor.nextv(size))
    found.push(...some)
  await cursor.close()
  return found
}

const letters = fc.constantFrom(tables.frame, tables.payload, tables.checkpoint)
const keys = fc.tuple(letters, fc.nat(40)).map(([table, number]) => key(table, number))
const acts = fc.array(fc.tuple(fc.boolean(), keys, fc.uint8Array({ maxLength: 4 })), { maxLength: 60 })
const bounds = fc.record(
  { gte: keys, lt: keys, reverse: fc.boolean(), limit: fc.integer({ min: 1, max: 9 }) },
  {
    requiredKeys: [],
  },
)

test('puts, deletes and ranges give what the reference store gives', async () => {
  const check = fc.asyncProperty(acts, bounds, fc.integer({ min: 1, max: 5 }), async (list, range, size) => {
    const stores: KvStore[] = [new MemoryStore(), memoryStore()]
    for (const store of stores) {
      await store.open()
      for (const [puts, at, value] of list) {
        if (puts) await store.put(at, value, { sync: false })
        else await store.batch().del(at).write({ sync: false })
      }
    }
    const plain = (items: readonly [Uint8Array, Uint8Array][]) =>
      items.map(([at, value]) => [[...at], [...value]])
    const [mine, theirs] = await Promise.all(
      stores.map(async (store) => plain(await all(store.iterator(range), size))),
    )
    assert.equal(mine, theirs)
    const names = await all(stores[0]!.keys(range), size)
    const values = await all(stores[0]!.values(range), size)
    assert.equal(
      names.map((at, k) => [[...at], [...values[k]!]]),
      mine,
    )
    for (const [at, value] of mine!) assert.equal([...(await stores[0]!.get(Uint8Array.from(at!)))!], value)
  })
  await fc.assert(check, { numRuns: 200 })
})

test('what is put is a copy: changing the bytes afterwards changes nothing stored', async () => {
  const store = new MemoryStore()
  const value = Uint8Array.of(1, 2)
  await store.put(key(tables.frame, 1), value)
  value[0] = 9
  assert.equal([...store.getSync(key(tables.frame, 1))!], [1, 2])
})

test.run()
