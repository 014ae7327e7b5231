/** States as they were: the state after any event is what folding gives, from the first event or from a checkpoint. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Columns } from '../../src/events/columns.ts'
import { worldAt } from '../../src/replay/at.ts'
import { stateHashText } from '../../src/volume/snapshot.ts'
import { evolve, newWorld } from '../../src/volume.ts'
import { act, prepare, restoring } from '../support/busy.ts'
import { forgery, placeOf } from '../support/forgery.ts'
import { fails } from '../support/frames.ts'
import { type Run, startRun } from '../support/run.ts'
import { framesOf } from '../support/store.ts'

const test = suite('at')

async function recorded(): Promise<Run> {
  const run = await startRun({ checkpointEvery: 35 })
  await prepare(run)
  await restoring(run)
  for (let k = 0; k < 60; k++) await act(run, (k * 104_729) % 99_991)
  await run.settled()
  return run
}

/** The hash of the state after each event, folded from the first. */
async function folded(run: Run): Promise<string[]> {
  const world = newWorld()
  const hashes = [stateHashText(world)]
  const columns = new Columns()
  for (const frame of await framesOf(run.opened.store)) {
    const row = frame.open(columns)
    for (row.index = 0; row.index < frame.count; row.index++) {
      evolve(world, row)
      hashes.push(stateHashText(world))
    }
  }
  return hashes
}

test('the state after every event is what folding gives', async () => {
  const run = await recorded()
  const { journal } = run.opened
  const hashes = await folded(run)
  assert.is(hashes.length, journal.bounds().last + 1)
  assert.ok((await journal.checkpoint()) !== undefined)
  for (const [seq, hash] of hashes.entries()) {
    const world = await worldAt(journal, seq)
    assert.is(world.seq, seq)
    assert.is(stateHashText(world), hash, `after event ${seq}`)
  }
})

test('there is no state after an event that is not there', async () => {
  const { journal } = (await recorded()).opened
  const { last } = journal.bounds()
  for (const seq of [-1, 0.5, Number.NaN, last + 1, 2 ** 53])
    await fails('NO_SUCH_POINT', () => worldAt(journal, seq))
})

test('of a journal whose beginning was given up there are the states from there on', async () => {
  const run = await recorded()
  const { journal } = run.opened
  const hashes = await folded(run)
  const checkpoint = (await journal.checkpoint(100))!
  await journal.truncateBefore(checkpoint.seq + 1)
  for (let seq = 1; seq < checkpoint.seq; seq += 7)
    await fails('JOURNAL_TRUNCATED', () => worldAt(journal, seq))
  for (let seq = checkpoint.seq; seq < hashes.length; seq++) {
    assert.is(stateHashText(await worldAt(journal, seq)), hashes[seq])
  }
})

test('a history that breaks a rule is said with its event', async () => {
  const run = await startRun()
  await prepare(run)
  const frames = await framesOf(run.opened.store)
  const seq = frames.at(-1)!.last
  const { index, row } = placeOf(frames, seq)
  const { journal } = await forgery(run.opened.store, index, ({ columns }) => {
    columns.tag[row] = 77
    return { columns }
  })
  const error = await fails(
    'JOURNAL_CORRUPT',
    () => worldAt(journal, seq).then((world) => assert.is(world.seq, -1)),
    seq,
  )
  assert.match(error.message, /event \d+/)
})

test.run()
