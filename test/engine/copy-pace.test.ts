/** The pace of copies: so many a second by the clock; what a host needs does not wait. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CopyPace } from '../../src/engine/copy-pace.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import { prepare } from '../support/busy.ts'
import { manualClock } from '../support/clock.ts'
import { startRun } from '../support/run.ts'

const test = suite('copy pace')

test('a sync with a rate starts its copies one by one', async () => {
  const run = await startRun()
  await prepare(run)
  await run.must('pair.sync', { name: 'p', rate: 4 })
  assert.is(pairsOf(run.engine.world).byTag.get(1)!.rate, 4)
  const begun = []
  for (let k = 0; k < 5; k++) {
    begun.push(run.copies.length)
    run.clock.advance(250)
    await run.settled()
  }
  assert.equal(begun, [1, 2, 3, 4, 4])
})

test('a restore with a rate: what a host needs begins at once, asked for before or after', async () => {
  const run = await startRun()
  await prepare(run)
  await run.must('restore.start', { pair: 'p', protected: true, rate: 1 })
  assert.is(run.copies.length, 1)
  assert.is(restoresOf(run.engine.world).byTag.get(1)!.gate.copying.count, 4, 'the others wait their turn')
  const read = run.io('io.read', { at: 9 })
  await run.settled()
  assert.equal(
    run.copies.map(({ offset }) => offset / 16_384),
    [0, 2],
  )
  run.endCopy('ok', 1)
  assert.is((await read)?.code, 'ok')
  run.clock.advance(10_000)
  await run.settled()
  assert.is(run.copies.length, 3)
  for (; run.copies.length > 0; await run.settled()) run.endCopy()
  assert.is(restoresOf(run.engine.world).byTag.size, 0)
})

test('what a view needs of its base begins at once, and so does all that a cancelled restore waits for', async () => {
  const run = await startRun()
  await prepare(run)
  await run.must('restore.start', { pair: 'p', protected: true, rate: 1 })
  const view = await run.must('preserve.create', { base: 1, name: 'view' })
  const read = run.io('io.read', { at: 9, volume: view })
  await run.settled()
  assert.equal(
    run.copies.map(({ offset }) => offset / 16_384),
    [0, 2],
  )
  run.endCopy('ok', 1)
  assert.is((await read)?.code, 'ok')
  assert.is(run.copies.length, 1)
  const cancelled = run.must('restore.cancel', { pair: 'p', force: true })
  await run.settled()
  const owed = restoresOf(run.engine.world).byTag.get(1)!.gate.copying.count
  assert.ok(owed > 1)
  assert.is(run.copies.length, owed, 'no turn is waited for')
  for (; run.copies.length > 0; await run.settled()) run.endCopy()
  await cancelled
  assert.is(restoresOf(run.engine.world).byTag.size, 0)
})

test('an engine that closes begins nothing more', async () => {
  const run = await startRun()
  await prepare(run)
  await run.must('pair.sync', { name: 'p', rate: 1 })
  await run.engine.close()
  assert.is(run.clock.waiting().count, 0)
})

test('a clock that is set back delays nobody', () => {
  const clock = manualClock()
  const pace = new CopyPace(clock)
  let begun = 0
  const take = () => pace.take(1, 2, { offset: 0, length: 1 }, () => begun++)
  take()
  clock.jump(-3_600_000)
  take()
  clock.advance(500)
  assert.is(begun, 2)
})

test.run()
