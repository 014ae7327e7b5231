/** The part of the journal's contract about checkpoints, and about giving up what lies in front of one. */

import type { Test } from 'uvu'
import * as assert from 'uvu/assert'
import { hex } from '../../src/core/digest.ts'
import type { Journal, Writer } from '../../src/journal/journal.ts'
import { fails, gathered, marks } from '../support/frames.ts'
import { appendMarks, boundsOf, type Place } from './place.ts'

type Begin = () => Promise<{ place: Place; journal: Journal; writer: Writer }>

/** A checkpoint at the last event: two parts that say where it is. */
async function keep(journal: Journal, writer: Writer): Promise<number> {
  const seq = journal.bounds().last
  await writer.keep({
    seq,
    stateLow: seq,
    stateHigh: -seq,
    parts: [Uint8Array.of(seq), new Uint8Array(300_000)],
  })
  return seq
}

/** Marks and checkpoints in turn; the sequence numbers of the checkpoints. */
async function keepSome(journal: Journal, writer: Writer, count: number): Promise<number[]> {
  const kept: number[] = []
  for (let k = 0; k < count; k++) {
    await appendMarks(journal, writer, 5, 2)
    kept.push(await keep(journal, writer))
  }
  return kept
}

export function checkpointRules(test: Test, begin: Begin): void {
  test('a checkpoint comes back as it was kept: the newest one at or before', async () => {
    const { place, journal, writer } = await begin()
    assert.is(await journal.checkpoint(), undefined)
    assert.equal(await keepSome(journal, writer, 3), [11, 21, 31])
    const at = async (seq?: number) => (await journal.checkpoint(seq))?.seq
    assert.equal(await Promise.all([10, 11, 20, 21, 30, undefined].map(at)), [undefined, 11, 11, 21, 21, 31])
    const found = (await journal.checkpoint(25))!
    assert.equal(
      [found.stateLow, found.stateHigh, hex(found.parts[0]!), found.parts[1]!.length],
      [21, -21, '15', 300_000],
    )
    assert.is(hex(found.frameHash), hex((await gathered(journal.read(21, 21)))[0]!.hash))
    await journal.close()
    const again = await place.open()
    assert.is((await again.checkpoint())?.seq, 31)
    await again.close()
  })

  test('a checkpoint is of the last event or it is none', async () => {
    const { journal, writer } = await begin()
    await appendMarks(journal, writer, 2, 2)
    for (const seq of [0, 3, 4, 6]) {
      await fails('JOURNAL_STALE', () => writer.keep({ seq, stateLow: 0, stateHigh: 0, parts: [] }))
    }
    assert.is(await journal.checkpoint(), undefined)
    assert.is(await keep(journal, writer), 5)
    await journal.close()
  })

  test('a damaged checkpoint is passed over, and only the newest few are kept', async () => {
    const { place, journal, writer } = await begin()
    assert.equal(await keepSome(journal, writer, 6), [11, 21, 31, 41, 51, 61])
    assert.is((await journal.checkpoint(30))?.seq, undefined)
    assert.is((await journal.checkpoint(31))?.seq, 31)
    await place.damageCheckpoint(journal)
    const again = await place.open()
    assert.is((await again.checkpoint())?.seq, 51)
    await again.close()
  })

  test('what lies in front of a checkpoint is given up; chain, head and epoch stay', async () => {
    const { place, journal, writer } = await begin()
    await keepSome(journal, writer, 3)
    const was = { bounds: boundsOf(journal), rest: await gathered(journal.read(22)) }
    await journal.truncateBefore(22)
    const check = async (one: Journal) => {
      assert.equal(boundsOf(one), { ...was.bounds, first: 22 })
      assert.equal(
        (await gathered(one.read(22))).map(({ hash }) => hex(hash)),
        was.rest.map(({ hash }) => hex(hash)),
      )
      for (const seq of [1, 11, 21]) await fails('JOURNAL_TRUNCATED', () => gathered(one.read(seq)))
      assert.equal([(await one.checkpoint(21))?.seq, (await one.checkpoint(20))?.seq], [21, undefined])
    }
    await check(journal)
    await appendMarks(journal, writer, 1)
    await journal.close()
    const again = await place.open()
    was.bounds = boundsOf(again)
    was.rest = await gathered(again.read(22))
    await check(again)
    const next = await again.openWriter('two', 9n)
    assert.is(next.epoch, 2)
    await appendMarks(again, next, 2)
    await again.truncateBefore(5)
    assert.is(again.bounds().first, 22)
    await again.close()
  })

  test('nothing above a checkpoint is given up, and nothing that one would be needed to understand', async () => {
    const { journal, writer } = await begin()
    await appendMarks(journal, writer, 3, 2)
    await fails('NO_SUCH_POINT', () => journal.truncateBefore(4))
    await keepSome(journal, writer, 2)
    assert.is(journal.bounds().last, 27)
    await appendMarks(journal, writer, 3, 2)
    for (const seq of [10, 17, 29, 30, 1000]) await fails('NO_SUCH_POINT', () => journal.truncateBefore(seq))
    assert.is(journal.bounds().first, 1)
    await journal.truncateBefore(1)
    await journal.truncateBefore(0)
    assert.is(journal.bounds().first, 1)
    await journal.truncateBefore(25)
    assert.is(journal.bounds().first, 18)
    await journal.close()
  })

  test('everything can be given up: the epoch, the hash and the place go on', async () => {
    const { place, journal, writer } = await begin()
    await keepSome(journal, writer, 1)
    const { head } = boundsOf(journal)
    await journal.truncateBefore(12)
    assert.equal(boundsOf(journal), { first: 12, last: 11, epoch: 1, head })
    assert.equal(await gathered(journal.read(12)), [])
    await journal.close()
    const again = await place.open()
    assert.equal(boundsOf(again), { first: 12, last: 11, epoch: 1, head })
    const next = await again.openWriter('two', 9n)
    await next.append(marks(13), 13)
    const frames = await gathered(again.read(12))
    assert.equal(
      frames.map(({ first, epoch }) => [first, epoch]),
      [
        [12, 2],
        [13, 2],
      ],
    )
    assert.is(hex(frames[0]!.previous), head)
    await again.close()
  })
}
