/** The head: two slots written in turn, of which a torn one leaves the other; and what its absence means. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hex, sha256 } from '../../src/core/digest.ts'
import {
  decodeHead,
  encodeHead,
  type Head,
  memoryHead,
  newestHead,
  slotBytes,
} from '../../src/journal/head.ts'
import { fails, gathered, marks } from '../support/frames.ts'
import { copyOf, openMemory } from '../support/store.ts'
import { appendMarks } from './place.ts'

const test = suite('head')

function headOf(generation: number, seq = generation * 10): Head {
  const at = (number: number) => ({ seq: number, hash: sha256(Uint8Array.of(number)) })
  return { generation, durable: at(seq), attempted: at(seq + 3), epoch: 2 }
}

test('a slot comes back as written', () => {
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const at = fc.record({ seq: fc.maxSafeNat(), hash }, { noNullPrototype: true })
  const parts = { generation: fc.maxSafeNat(), durable: at, attempted: at, epoch: fc.nat(2 ** 31) }
  const property = fc.property(fc.record(parts, { noNullPrototype: true }), (head) => {
    const bytes = encodeHead(head)
    assert.is(bytes.length, slotBytes)
    assert.equal(decodeHead(bytes), head)
  })
  fc.assert(property)
})

test('a slot with any byte changed, or cut anywhere, is none', () => {
  const bytes = encodeHead(headOf(4))
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice()
    changed[at]! ^= 0x10
    assert.is(decodeHead(changed), undefined)
    assert.is(decodeHead(bytes.subarray(0, at)), undefined)
  }
})

test('the newer valid slot counts; torn, the other does', () => {
  const [older, newer] = [encodeHead(headOf(4)), encodeHead(headOf(5))]
  assert.is(newestHead([older, newer])?.generation, 5)
  assert.is(newestHead([newer, older])?.generation, 5)
  assert.is(newestHead([older, newer.fill(0, 60)])?.generation, 4)
  assert.is(newestHead([older.fill(0, 100), newer]), undefined)
  assert.is(newestHead([]), undefined)
})

test('whichever slot is torn after whichever append, the journal opens and nothing is lost', async () => {
  const head = memoryHead()
  const { journal, store } = await openMemory({ head })
  const writer = await journal.openWriter('one', 0n)
  for (let k = 0; k < 6; k++) {
    await appendMarks(journal, writer, 1)
    for (const torn of [0, 1] as const) {
      const slots = (await head.read()).map((slot) => slot.slice())
      const left = memoryHead()
      for (const slot of [0, 1] as const) {
        left.write(slot, slot === torn ? slots[slot]!.fill(0, 50, 51 + k * 10) : slots[slot]!)
      }
      const { journal: again } = await openMemory({ store: await copyOf(store), head: left })
      assert.is(again.bounds().last, journal.bounds().last)
      assert.is(hex(again.bounds().head), hex(journal.bounds().head))
      const next = await again.openWriter('two', 0n)
      await next.append(marks(again.bounds().last + 1), again.bounds().last + 1)
      assert.is((await gathered(again.read(1))).length, journal.bounds().last + 2)
    }
  }
})

test('frames beyond the head that verify are kept, and that is said', async () => {
  const { journal, store, head } = await openMemory()
  const writer = await journal.openWriter('one', 0n)
  await appendMarks(journal, writer, 2)
  const behind = memoryHead()
  for (const [slot, bytes] of (await head.read()).entries()) behind.write(slot as 0 | 1, bytes)
  await appendMarks(journal, writer, 3, 2)
  const { journal: again } = await openMemory({ store: await copyOf(store), head: behind })
  assert.equal(again.remarks, [
    'events 4 to 9 were found beyond the head and kept: their append was in doubt',
  ])
  assert.is(hex(again.bounds().head), hex(journal.bounds().head))
})

test('a journal without a head, or with none that verifies, is not believed', async () => {
  const { journal, store, head } = await openMemory()
  await appendMarks(journal, await journal.openWriter('one', 0n), 2)
  await fails(
    'JOURNAL_CORRUPT',
    async () => openMemory({ store: await copyOf(store), head: memoryHead() }),
    1,
  )
  const damaged = memoryHead()
  for (const [slot, bytes] of (await head.read()).entries())
    damaged.write(slot as 0 | 1, bytes.slice().fill(9, 40, 41))
  await fails('JOURNAL_CORRUPT', async () => openMemory({ store: await copyOf(store), head: damaged }), 1)
  await fails('JOURNAL_CORRUPT', async () => openMemory({ head: damaged }), 1)
  const { journal: empty } = await openMemory({ head: memoryHead() })
  assert.is(empty.bounds().last, 0)
})

test('an append that was under way and left nothing is said', async () => {
  const head = memoryHead()
  const { journal, store } = await openMemory({ head })
  const writer = await journal.openWriter('one', 0n)
  await appendMarks(journal, writer, 1)
  const { durable, generation } = newestHead(await head.read())!
  const attempted = { seq: 7, hash: sha256(Uint8Array.of(1)) }
  const slot = ((generation + 1) % 2) as 0 | 1
  head.write(slot, encodeHead({ generation: generation + 1, durable, attempted, epoch: 1 }))
  const { journal: again } = await openMemory({ store: await copyOf(store), head })
  assert.equal(again.remarks, ['events 3 to 7 were being written at the end and did not get there'])
  assert.is(again.bounds().last, 2)
})

test.run()
