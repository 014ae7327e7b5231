/** The journal's contract over a disk under test with no faults; and what each fault does to who meets it. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { memoryHead } from '../../src/journal/head.ts'
import { key, tables } from '../../src/journal/keys.ts'
import type { KvStore } from '../../src/journal/store.ts'
import { Disk } from '../../src/sim/disk.ts'
import { type Fault, FaultyLevel } from '../../src/sim/faulty-level.ts'
import { journalSuite } from '../journal/contract.ts'
import { openMemory } from '../support/store.ts'

const contract = journalSuite({
  name: 'journal on a disk under test',
  async place() {
    const disk = new Disk()
    const head = memoryHead()
    const store = () => new FaultyLevel(disk) as unknown as KvStore
    return {
      open: async () => (await openMemory({ store: store(), head })).journal,
      async damageCheckpoint(journal) {
        const { seq } = (await journal.checkpoint())!
        const at = key(tables.part, seq, 1)
        const part = disk.content.get(at)!.slice()
        part[77]! ^= 1
        await journal.close()
        disk.write([{ key: at, value: part }])
      },
    }
  },
})
contract.run()

const test = suite('faulty level')
/** Options of LevelDB that abstract-level hands on without knowing them. */
const synced = { sync: true } as never
const bytes = (...values: number[]) => Uint8Array.from(values)

async function levelWith(fault: Fault, onKind = 'put') {
  const disk = new Disk()
  const level = new FaultyLevel(disk, {
    fault: ({ kind }) => (kind === onKind ? fault : undefined),
  })
  await level.open()
  return { disk, level }
}

async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => '',
    (error: Error) => `${error.message} ${(error.cause as Error | undefined)?.message ?? ''}`,
  )
}

/** What a store brings is a Buffer, as LevelDB's is. */
const plain = (value: Uint8Array | undefined) => value && new Uint8Array(value)

test('a refused write leaves nothing, one in doubt is there all the same', async () => {
  const refused = await levelWith('refused')
  assert.match(await failure(refused.level.put(bytes(1), bytes(7), synced)), /EIO/)
  assert.is(refused.disk.content.size, 0)
  const doubt = await levelWith('doubt')
  assert.match(await failure(doubt.level.put(bytes(1), bytes(7), synced)), /EIO/)
  doubt.disk.powerLoss(0)
  assert.equal(doubt.disk.content.get(bytes(1)), bytes(7))
  assert.match(await failure((await levelWith('full')).level.put(bytes(1), bytes(7))), /ENOSPC/)
})

test('a sync that lies is believed until the power fails', async () => {
  const { disk, level } = await levelWith('lie')
  await level.put(bytes(1), bytes(7), synced)
  assert.equal(plain(await level.get(bytes(1))), bytes(7))
  disk.powerLoss(0)
  assert.is(await level.get(bytes(1)), undefined)
})

test('reads that rot or go astray return other bytes, and the disk is what it was', async () => {
  for (const fault of ['rot', 'misdirect'] as const) {
    const { disk, level } = await levelWith(fault, 'get')
    await level.put(bytes(1), bytes(7, 7))
    await level.put(bytes(2), bytes(9, 9))
    assert.not.equal(await level.get(bytes(1)), bytes(7, 7))
    assert.equal(disk.content.get(bytes(1)), bytes(7, 7))
  }
})

test('a level that was cut never ends what it began', async () => {
  const disk = new Disk()
  const turns: (() => void)[] = []
  const level = new FaultyLevel(disk, { turn: () => new Promise((go) => turns.push(go)) })
  await level.open()
  let ended = false
  const written = level.put(bytes(1), bytes(7), synced).then(() => {
    ended = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  level.cut()
  turns[0]!()
  await new Promise((resolve) => setImmediate(resolve))
  assert.is(ended, false)
  assert.ok(written instanceof Promise)
  assert.is(disk.unsynced, 1)
})

test('keys come in order, whole or in part, forwards and backwards', async () => {
  const level = new FaultyLevel(new Disk())
  for (const k of [3, 1, 2, 5, 4]) await level.put(bytes(k), bytes(k * 2))
  const keys = async (range: object) => (await level.keys(range).all()).map(([k]) => k)
  assert.equal(await keys({}), [1, 2, 3, 4, 5])
  assert.equal(await keys({ gt: bytes(1), lte: bytes(4) }), [2, 3, 4])
  assert.equal(await keys({ gte: bytes(2), lt: bytes(5), reverse: true, limit: 2 }), [4, 3])
  const iterator = level.iterator()
  iterator.seek(bytes(4))
  assert.equal((await iterator.next())?.map(plain), [bytes(4), bytes(8)])
  await iterator.close()
})

test.run()
