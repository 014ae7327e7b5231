/**
 * Recovery: whatever the frame after which the process goes, what comes back is the state of a run that was cut there;
 * who waited is told, restores and syncs go on, and the whole history, crash included, is one that the rules allow.
 */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { internalCopier } from '../../src/engine/effects.ts'
import { openEngine, recoverWorld } from '../../src/engine/open-engine.ts'
import type { Event } from '../../src/events/columns.ts'
import { holdQueueOf } from '../../src/layers/hold-queue.ts'
import { inFlightOf, waiting } from '../../src/layers/in-flight.ts'
import type { World } from '../../src/layers/layer.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { neededCount, restoresOf } from '../../src/layers/restore-state.ts'
import { replay } from '../../src/replay/replay.ts'
import { stateHashText } from '../../src/volume/snapshot.ts'
import { act, prepare } from '../support/busy.ts'
import { manualClock } from '../support/clock.ts'
import { type Kept, kept } from '../support/ledger.ts'
import { type Run, startRun } from '../support/run.ts'
import { cutAfter, framesOf, openMemory } from '../support/store.ts'

const test = suite('recovery')

/** Numbers of a busy time. */
const times = fc.array(fc.nat(100_000), { minLength: 5, maxLength: 40 })

/** The events from `seq` on. */
async function eventsFrom(run: Pick<Run['opened'], 'journal'>, seq: number): Promise<Kept[]> {
  const events: Kept[] = []
  for await (const frame of run.journal.read(seq)) {
    const row = frame.open()
    for (row.index = 0; row.index < frame.count; row.index++)
      if (row.seq >= seq) events.push(kept(row as Event))
  }
  return events
}

/** What a recovery has to say about a state: who is dropped, who is lost, which restores go on with how much. */
function owedBy(world: World) {
  const { held, queued } = inFlightOf(world)
  const restores = [...restoresOf(world).byTag.values()]
  return {
    dropped: [...held.keys()].sort((a, b) => a - b),
    lost: [...queued.keys()].sort((a, b) => a - b),
    resumed: restores.map((one) => neededCount(one, pairsOf(world).byTag.get(one.tag)!.cdm)),
    aborted: [...holdQueueOf(world).backups.values()].filter(({ phase }) => phase === 'quiescing').length,
  }
}

/** Crashes `run` after each of its frames and recovers; with the head up to date, or one frame behind. */
async function crashEverywhere(run: Run, every = 1): Promise<void> {
  const frames = await framesOf(run.opened.store)
  for (const [k, frame] of frames.entries()) {
    const expected = run.states.get(frame.last)
    if (expected === undefined || k % every !== 0) continue
    const cut = await cutAfter(run.opened.store, frame, frames[k % 2 === 0 ? k : k - 1])
    const opened = await openMemory(cut)
    const world = await recoverWorld(opened.journal)
    assert.is(world.seq, frame.last)
    assert.is(stateHashText(world), expected, `recovered after event ${frame.last}`)
    const owed = owedBy(world)
    const engine = await openEngine({ ...opened, clock: manualClock(), copier: internalCopier })
    assert.is(waiting(engine.world), 0)
    assert.is(engine.world.sessions.size, 0)
    const told = await eventsFrom(opened, frame.last + 1)
    const about = (kind: string) =>
      told
        .filter((event) => event.kind === kind)
        .map((event) => event.about!)
        .sort((a, b) => a - b)
    assert.equal(about('hold.dropped'), owed.dropped)
    assert.equal(about('io.lost'), owed.lost)
    const resumed = told.filter((event) => event.kind === 'restore.resumed')
    assert.equal(
      resumed.map((event) => event.detail!.count),
      owed.resumed,
    )
    assert.is(told.filter((event) => event.kind === 'backup.aborted').length, owed.aborted)
    assert.equal(
      told.slice(0, 2).map(({ kind }) => kind),
      ['engine.started', 'engine.recover'],
    )
    await engine.settled()
    assert.equal(restoresOf(engine.world).byTag.size, 0)
    await engine.settled()
    const { findings } = await replay(opened.journal)
    assert.equal(findings, [], `crash after event ${frame.last}`)
  }
}

test('a run with a backup, a sync and a restore under way, cut after every frame', async () => {
  const run = await startRun()
  await prepare(run)
  await run.must('pair.sync', { name: 'p' })
  run.post('io.write', { at: 1 })
  await run.settled()
  while (run.copies.length > 0) {
    run.endCopy()
    await run.settled()
  }
  await run.must('pair.fracture', { name: 'p' })
  for (const at of [0, 4, 8, 12]) run.post('io.write', { at, count: 2 })
  await run.settled()
  await run.must('backup.start', { name: 'b', volumes: [1, 2], deadlineMs: 0, maxEntries: 0, maxBytes: 0 })
  for (const at of [2, 6, 2]) run.post('io.write', { at })
  run.post('io.read', { at: 2 })
  await run.settled()
  assert.is(inFlightOf(run.engine.world).held.size, 3)
  await run.must('backup.stop', { name: 'b' })
  await run.must('restore.start', { pair: 'p', protected: true })
  for (const at of [1, 5, 9]) run.post('io.write', { at })
  run.post('io.read', { at: 13 })
  await run.settled()
  assert.is(inFlightOf(run.engine.world).queued.size, 4)
  await run.must('backup.start', { name: 'c', volumes: [1], deadlineMs: 0, maxEntries: 0, maxBytes: 0 })
  run.post('io.write', { at: 11 })
  for (let k = 0; k < 3; k++) {
    run.endCopy(k === 1 ? 'E_IO' : 'ok')
    await run.settled()
  }
  assert.is(restoresOf(run.engine.world).byTag.size, 1)
  await crashEverywhere(run)
})

test('busy times, cut after every frame', async () => {
  const property = fc.asyncProperty(times, async (numbers) => {
    const run = await startRun({ checkpointEvery: 50 })
    await prepare(run)
    for (const number of numbers) await act(run, number)
    await run.settled()
    await crashEverywhere(run, 3)
  })
  await fc.assert(property, { numRuns: 40, seed: 7 })
})

test('a crash in the middle of a recovery is recovered from', async () => {
  const run = await startRun()
  await prepare(run)
  await run.must('backup.start', { name: 'b', volumes: [1], deadlineMs: 0, maxEntries: 0, maxBytes: 0 })
  run.post('io.write', { at: 3 })
  await run.settled()
  let opened = run.opened
  for (let epoch = 2; epoch < 5; epoch++) {
    const frames = await framesOf(opened.store)
    opened = await openMemory(await cutAfter(opened.store, frames.at(-1)!))
    await opened.journal.openWriter('only an epoch', 0n)
    assert.is((await recoverWorld(opened.journal)).recovered, false)
  }
  const engine = await openEngine({ ...opened, clock: manualClock() })
  assert.is(engine.world.epoch, 5)
  assert.is(engine.world.recovered, true)
  assert.is(waiting(engine.world), 0)
  assert.equal((await replay(opened.journal)).findings, [])
})

test('hosts come back only after the recovery ended', async () => {
  const run = await startRun()
  await prepare(run)
  const cut = await cutAfter(run.opened.store, (await framesOf(run.opened.store)).at(-1)!)
  const opened = await openMemory(cut)
  const engine = await openEngine({ ...opened, clock: manualClock() })
  const events = await eventsFrom(opened, 1)
  const last = events.map(({ kind }) => kind).lastIndexOf('engine.recovered')
  assert.is(last, events.length - 1)
  const { code } = await engine.submit({ kind: 'io.read', session: 1, volume: 1, offset: 0, length: 4096 })
  assert.is(code, 'E_NO_SESSION')
})

test.run()
