/**
 * What every journal promises, whatever it is stored in: a dense, chained, verified sequence with one writer; reading
 * and following; checkpoints; the beginning given up. Run by one test file for each adapter.
 */

import { suite, type Test } from 'uvu'
import * as assert from 'uvu/assert'
import { hex } from '../../src/core/digest.ts'
import { Columns } from '../../src/events/columns.ts'
import { checkRows } from '../../src/journal/frame.ts'
import { fails, gathered, marks } from '../support/frames.ts'
import { checkpointRules } from './checkpoint-rules.ts'
import { appendMarks, boundsOf, type Place } from './place.ts'

export interface JournalFactory {
  readonly name: string
  /** A new place for a journal. */
  place(): Promise<Place>
}

/** Waits a while for what comes by itself. */
async function until(reached: () => boolean): Promise<void> {
  for (let k = 0; k < 2000 && !reached(); k++) await new Promise((resolve) => setTimeout(resolve, 1))
}

export function journalSuite(factory: JournalFactory): Test {
  const test = suite(factory.name)
  const begin = async () => {
    const place = await factory.place()
    const journal = await place.open()
    return { place, journal, writer: await journal.openWriter('one', 5n) }
  }

  test('a new journal holds nothing; its first frame is the epoch of its writer', async () => {
    const place = await factory.place()
    const journal = await place.open()
    assert.equal(boundsOf(journal), { first: 1, last: 0, epoch: 0, head: '0'.repeat(64) })
    assert.equal(await gathered(journal.read(1)), [])
    const writer = await journal.openWriter('one', 5n)
    assert.is(writer.epoch, 1)
    const [frame] = await gathered(journal.read(1))
    const row = frame!.open()
    assert.is(row.kind, 'engine.started')
    assert.is(row.detail.writer, 'one')
    assert.is(row.detail.epoch, 1)
    assert.is(frame!.instantNs, 5n)
    await journal.close()
  })

  test('a frame is there by its first event, and by no other', async () => {
    const { journal, writer } = await begin()
    await appendMarks(journal, writer, 5, 3)
    const frames = await gathered(journal.read(1))
    const byFirst = new Map(frames.map((frame) => [frame.first, hex(frame.hash)]))
    for (let seq = 0; seq < 20; seq++) {
      const frame = journal.frame(seq)
      assert.is(frame === undefined ? undefined : hex(frame.hash), byFirst.get(seq), `event ${seq}`)
    }
    await journal.close()
  })

  test('reading within one frame gives it whole', async () => {
    const { journal, writer } = await begin()
    await appendMarks(journal, writer, 3, 4)
    for (const [from, to, firsts] of [
      [3, 3, [2]],
      [2, 5, [2]],
      [7, 9, [6]],
      [9, 10, [6, 10]],
      [13, 99, [10]],
    ] as const) {
      const frames = await gathered(journal.read(from, to))
      assert.equal(
        frames.map(({ first }) => first),
        [...firsts],
      )
    }
    await journal.close()
  })

  test('sequence numbers are dense and every frame carries the hash of the one before', async () => {
    const { journal, writer } = await begin()
    await appendMarks(journal, writer, 5, 3)
    const frames = await gathered(journal.read(1))
    assert.equal(
      frames.map((frame) => [frame.first, frame.count]),
      [[1, 1], ...[2, 5, 8, 11, 14].map((at) => [at, 3])],
    )
    for (const [k, frame] of frames.slice(1).entries()) assert.is(hex(frame.previous), hex(frames[k]!.hash))
    const columns = new Columns()
    for (const frame of frames) checkRows(frame, frame.open(columns))
    assert.is(frames[2]!.open().detail.label, 'mark 5')
    const { head, last } = journal.bounds()
    assert.is(last, 16)
    assert.is(hex(head), hex(frames.at(-1)!.hash))
    await journal.close()
  })

  test('a stretch is read by the frames that hold it', async () => {
    const { journal, writer } = await begin()
    await appendMarks(journal, writer, 40, 3)
    const stretch = async (from: number, to?: number) =>
      (await gathered(journal.read(from, to))).map(({ first, last }) => [first, last])
    assert.equal(await stretch(6, 9), [
      [5, 7],
      [8, 10],
    ])
    assert.equal(await stretch(7, 7), [[5, 7]])
    assert.equal(await stretch(121), [[119, 121]])
    assert.equal(await stretch(122), [])
    assert.equal(await stretch(9, 8), [])
    assert.is((await stretch(1)).length, 41)
    const batches = await gathered(journal.batches(2))
    assert.equal(
      batches.flat().map(({ first }) => first),
      Array.from({ length: 40 }, (_, k) => 2 + 3 * k),
    )
    await fails('JOURNAL_TRUNCATED', () => gathered(journal.read(0)))
    for await (const frame of journal.read(1)) if (frame.first > 10) break
    await journal.close()
  })

  test('a follower gets the backlog, then what comes, without a gap or a duplicate', async () => {
    const { journal, writer } = await begin()
    await appendMarks(journal, writer, 20)
    const seen: number[][] = []
    const ended: string[] = []
    const follow = (from: number) => {
      const list: number[] = []
      seen.push(list)
      journal.follow(from).subscribe({
        next: (frame) => list.push(frame.first),
        error: (error: Error) => ended.push(error.message),
        complete: () => ended.push('complete'),
      })
    }
    for (const from of [1, 15, 25, 50]) {
      follow(from)
      await appendMarks(journal, writer, 7)
    }
    await appendMarks(journal, writer, 5)
    await until(() => seen.every((list) => list.at(-1) === 54))
    assert.equal(
      seen.map((list) => list[0]),
      [1, 15, 25, 50],
    )
    for (const list of seen) for (const [k, first] of list.entries()) assert.is(first, list[0]! + k)
    assert.equal(
      seen.map((list) => list.at(-1)),
      [54, 54, 54, 54],
    )
    const few: number[] = []
    const subscription = journal.follow(1).subscribe((frame) => {
      few.push(frame.first)
      if (few.length === 3) subscription.unsubscribe()
    })
    await appendMarks(journal, writer, 3)
    await until(() => few.length >= 3)
    assert.equal(few, [1, 2, 3])
    await journal.close()
    assert.equal(ended, Array(4).fill('complete'))
  })

  test('another writer takes over: the earlier one is stale and writes nothing more', async () => {
    const { journal, writer } = await begin()
    await appendMarks(journal, writer, 2)
    const other = await journal.openWriter('two', 6n)
    assert.is(other.epoch, 2)
    const before = boundsOf(journal)
    await fails('JOURNAL_STALE', () => writer.append(marks(5), 5))
    await fails('JOURNAL_STALE', () => writer.keep({ seq: 4, stateLow: 0, stateHigh: 0, parts: [] }))
    assert.equal(boundsOf(journal), before)
    await appendMarks(journal, other, 1)
    assert.is((await gathered(journal.read(1))).at(-1)!.epoch, 2)
    await journal.close()
  })

  test('who takes over while an append is under way waits for its end', async () => {
    const { journal, writer } = await begin()
    const first = writer.append(marks(2), 2)
    const [other, late] = await Promise.allSettled([
      journal.openWriter('two', 6n),
      writer.append(marks(3), 3),
    ])
    assert.is((await first).first, 2)
    assert.is(other.status, 'fulfilled')
    assert.is(late.status, 'rejected')
    const frames = await gathered(journal.read(1))
    assert.equal(
      frames.map((frame) => [frame.first, frame.epoch]),
      [
        [1, 1],
        [2, 1],
        [3, 2],
      ],
    )
    await journal.close()
  })

  test('an append at the wrong place is refused and its writer is dead', async () => {
    for (const wrong of [1, 2, 4, 100]) {
      const { journal, writer } = await begin()
      await appendMarks(journal, writer, 1)
      await fails('JOURNAL_STALE', () => writer.append(marks(wrong), wrong))
      await fails('JOURNAL_STALE', () => writer.append(marks(3), 3))
      assert.is(journal.bounds().last, 2)
      await journal.close()
    }
    const { journal, writer } = await begin()
    await fails('JOURNAL_STALE', () => writer.append(marks(3), 2))
    await journal.close()
  })

  test('closed and opened again it is the same, and goes on where it ended', async () => {
    const { place, journal, writer } = await begin()
    await appendMarks(journal, writer, 9, 2)
    const was = {
      bounds: boundsOf(journal),
      hashes: (await gathered(journal.read(1))).map(({ hash }) => hex(hash)),
    }
    await journal.close()
    await journal.close()
    await fails('ENGINE_STOPPED', () => journal.openWriter('late', 6n))
    const again = await place.open()
    assert.equal(boundsOf(again), was.bounds)
    assert.equal(
      (await gathered(again.read(1))).map(({ hash }) => hex(hash)),
      was.hashes,
    )
    assert.equal(again.remarks, [])
    const next = await again.openWriter('two', 7n)
    await appendMarks(again, next, 1)
    assert.is(again.bounds().last, 21)
    assert.is((await gathered(again.read(20)))[0]!.epoch, 2)
    await again.close()
  })

  checkpointRules(test, begin)
  return test
}
