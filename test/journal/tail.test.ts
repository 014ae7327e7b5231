/**
 * The end of a journal after a crash: only the very last frame can be torn, beyond the head, and is cut back and said;
 * everything else that is wrong is damage, with the first sequence number that cannot be trusted.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Frame } from '../../src/journal/frame.ts'
import { key, tables } from '../../src/journal/keys.ts'
import type { KvStore } from '../../src/journal/store.ts'
import { fails, forged, gathered, marks } from '../support/frames.ts'
import { copyOf, framesOf, headAt, openMemory, putFrame } from '../support/store.ts'
import { appendMarks } from './place.ts'

const test = suite('tail')

/** Frames at 1, 2, 4, 6, 8, 10: the epoch and five of two marks. */
async function recorded(): Promise<{ store: KvStore; frames: Frame[] }> {
  const { journal, store } = await openMemory()
  await appendMarks(journal, await journal.openWriter('one', 0n), 5, 2)
  return { store, frames: await framesOf(store) }
}

function opening(store: KvStore, known: Frame | undefined, readOnly = false) {
  return openMemory({ store, head: headAt(known), readOnly })
}

function drop(...firsts: number[]): (table: number, number: number) => boolean {
  return (_table, number) => !firsts.includes(number)
}

test('the last frame torn at any byte beyond the head is cut back, and that is said', async () => {
  const { store, frames } = await recorded()
  const last = frames.at(-1)!
  for (let at = 0; at < last.bytes.length; at++) {
    for (const torn of [
      last.bytes.slice(0, at),
      last.bytes.slice().fill(0, at),
      last.bytes.slice().fill(0x5a, at),
    ]) {
      const copy = await copyOf(store)
      await putFrame(copy, 10, torn)
      const { journal } = await opening(copy, frames.at(-2))
      assert.equal(journal.remarks, ['cut back a torn frame at event 10: its append never ended'])
      assert.is(journal.bounds().last, 9)
      assert.is(await copy.get(key(tables.frame, 10)), undefined)
    }
  }
})

test('a look at a torn frame leaves it where it is; a journal cut back goes on', async () => {
  const { store, frames } = await recorded()
  await putFrame(store, 10, frames.at(-1)!.bytes.slice(0, 200))
  const look = await opening(await copyOf(store), frames[2], true)
  assert.is(look.journal.bounds().last, 9)
  assert.is((await look.store.get(key(tables.frame, 10)))?.length, 200)
  assert.is((await gathered(look.journal.read(1))).length, 5)
  await fails('USAGE', () => look.journal.openWriter('two', 0n))
  await fails('USAGE', () => look.journal.truncateBefore(3))
  const { journal } = await opening(store, frames[2])
  const writer = await journal.openWriter('two', 0n)
  await writer.append(marks(11), 11)
  assert.equal(
    (await gathered(journal.read(8))).map(({ first, epoch }) => [first, epoch]),
    [
      [8, 1],
      [10, 2],
      [11, 2],
    ],
  )
})

test('damage at the head, and a torn frame that others follow, is no torn tail', async () => {
  const { store, frames } = await recorded()
  for (const [k, frame] of frames.entries()) {
    for (const at of [0, 5, 20, 80, 130, frame.bytes.length - 1]) {
      const changed = frame.bytes.slice()
      changed[at]! ^= 1
      const copy = await copyOf(store)
      await putFrame(copy, frame.first, changed)
      await fails('JOURNAL_CORRUPT', () => opening(copy, frame), frame.first)
      if (k === frames.length - 1) continue
      for (const known of frames.slice(0, k)) {
        await fails('JOURNAL_CORRUPT', () => opening(copy, known), frame.first)
      }
    }
  }
})

test('damage in front of the head is found by the first read of it; what comes before it is readable', async () => {
  const { store, frames } = await recorded()
  const changed = frames[3]!.bytes.slice()
  changed[100]! ^= 1
  await putFrame(store, 6, changed)
  const { journal } = await opening(store, frames.at(-1))
  const seen: number[] = []
  const read = async (from: number) => {
    for await (const frame of journal.read(from)) seen.push(frame.first)
  }
  await fails('JOURNAL_CORRUPT', () => read(1), 6)
  assert.equal(seen, [1, 2, 4])
  await fails('JOURNAL_CORRUPT', () => read(7), 6)
  await read(8)
  assert.equal(seen, [1, 2, 4, 8, 10])
  let failed = ''
  journal.follow(1).subscribe({
    error: (error: { code: string }) => {
      failed = error.code
    },
  })
  await new Promise((resolve) => setTimeout(resolve, 5))
  assert.is(failed, 'JOURNAL_CORRUPT')
})

test('frames that were lost at the end of a journal whose head knows them', async () => {
  const { store, frames } = await recorded()
  const last = frames.at(-1)
  const missing = async (...firsts: number[]) => opening(await copyOf(store, drop(...firsts)), last)
  await fails('JOURNAL_LOST_TAIL', () => missing(10), 10)
  await fails('JOURNAL_LOST_TAIL', () => missing(8, 10), 8)
  await fails('JOURNAL_LOST_TAIL', () => missing(1, 2, 4, 6, 8, 10), 1)
  const error = await fails('JOURNAL_LOST_TAIL', () => missing(6, 8, 10), 6)
  assert.match(error.message, /events 6 to 11 are lost/)
})

test('frames that were lost in the middle', async () => {
  const { store, frames } = await recorded()
  for (const [k, { first }] of frames.slice(0, -1).entries()) {
    const copy = await copyOf(store, drop(first))
    const { journal } = await opening(copy, frames.at(-1))
    await fails('JOURNAL_GAP', () => gathered(journal.read(1)), first)
    await fails('JOURNAL_GAP', () => gathered(journal.read(first)), first)
    assert.is((await gathered(journal.read(first + (k === 0 ? 1 : 2)))).length, frames.length - k - 1)
    if (k > 0) await fails('JOURNAL_GAP', () => opening(copy, frames[k - 1]), first)
    await fails('JOURNAL_GAP', () => opening(copy, frames[k]), first)
  }
})

test('a frame that was replaced by another that verifies by itself', async () => {
  const { store, frames } = await recorded()
  for (const [k, frame] of frames.entries()) {
    const other = forged(frame, frame.previous, () => ({ instantNs: 99n }))
    const copy = await copyOf(store)
    await putFrame(copy, frame.first, other.bytes)
    await fails('JOURNAL_CORRUPT', () => opening(copy, frame), frame.first)
    const next = frames[k + 1]
    if (next === undefined) continue
    const { journal } = await opening(copy, frames.at(-1))
    await fails('JOURNAL_CORRUPT', () => gathered(journal.read(1)), next.first)
  }
})

test('an epoch that falls is damage', async () => {
  const { store, frames } = await recorded()
  const { journal } = await opening(store, frames.at(-1))
  await journal.openWriter('two', 0n)
  const stale = await openMemory()
  const writer = await stale.journal.openWriter('x', 0n)
  assert.is(writer.epoch, 1)
  const late = forged(frames[1]!, journal.bounds().head, () => marks(13, 2))
  await putFrame(store, 13, late.bytes)
  const again = await opening(store, late)
  await fails('JOURNAL_CORRUPT', () => gathered(again.journal.read(1)), 13)
})

test('a frame under a key that is not its own', async () => {
  const { store, frames } = await recorded()
  await putFrame(store, 12, frames[2]!.bytes)
  await putFrame(store, 14, frames[3]!.bytes)
  await fails('JOURNAL_CORRUPT', () => opening(store, frames.at(-1)), 12)
  const { store: other } = await recorded()
  await putFrame(other, 11, frames[2]!.bytes)
  await fails('JOURNAL_CORRUPT', () => opening(other, frames.at(-2)), 11)
})

test.run()
