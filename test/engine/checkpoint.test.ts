/**
 * Checkpoints are the state: saved and loaded at any moment, in the middle of a hold, a sync or a restore, it has the
 * same hash and decides all that follows in the same way as the state that was folded from the first event.
 */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lanesText } from '../../src/core/lanes.ts'
import { recoverWorld } from '../../src/engine/open-engine.ts'
import { Columns } from '../../src/events/columns.ts'
import type { Frame } from '../../src/journal/frame.ts'
import type { Checkpoint } from '../../src/journal/journal.ts'
import { key, tables } from '../../src/journal/keys.ts'
import { checkpointOf, worldOf } from '../../src/journal/state.ts'
import { holdQueueOf } from '../../src/layers/hold-queue.ts'
import { inFlightOf } from '../../src/layers/in-flight.ts'
import type { World } from '../../src/layers/layer.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import { decideAgain } from '../../src/replay/decide-again.ts'
import { replay } from '../../src/replay/replay.ts'
import { stateHashText } from '../../src/volume/snapshot.ts'
import { act, prepare } from '../support/busy.ts'
import { fails } from '../support/frames.ts'
import { type Run, startRun } from '../support/run.ts'
import { copyOf, framesOf, headAt, openMemory } from '../support/store.ts'

const test = suite('checkpoint')

const silent = { before: () => undefined, after: () => undefined }

/** Decides everything from event `world.seq + 1` on again, and compares the state after each frame. */
function goOn(world: World, frames: readonly Frame[]): void {
  const columns = new Columns()
  for (const frame of frames) {
    if (frame.last <= world.seq) continue
    const row = frame.open(columns)
    for (row.index = 0; row.index < frame.count; ) decideAgain(world, row, frame.instantNs, silent)
    if (frame.stateLow === 0 && frame.stateHigh === 0) continue
    assert.is(stateHashText(world), lanesText(frame.stateLow, frame.stateHigh), `after event ${frame.last}`)
  }
}

/** What a state is in the middle of. */
function moodOf(world: World): string[] {
  const { held, queued } = inFlightOf(world)
  const copying = [...pairsOf(world).byTag.values()].some(({ gate }) => gate.copying.count > 0)
  return [
    held.size > 0 ? 'held' : '',
    queued.size > 0 ? 'queued' : '',
    holdQueueOf(world).backups.size > 0 ? 'backup' : '',
    copying ? 'sync' : '',
    restoresOf(world).byTag.size > 0 ? 'restore' : '',
  ].filter((mood) => mood !== '')
}

/** A busy run, with a checkpoint of the state after each of its frames. */
async function recorded(
  numbers: readonly number[],
): Promise<{ run: Run; kept: Omit<Checkpoint, 'frameHash'>[] }> {
  const run = await startRun()
  const kept: Omit<Checkpoint, 'frameHash'>[] = []
  run.engine.sealed$.subscribe(() => kept.push(checkpointOf(run.engine.world)))
  await prepare(run)
  for (const number of numbers) await act(run, number)
  await run.settled()
  return { run, kept }
}

test('a checkpoint of any moment is the state, and decides what follows as the state does', async () => {
  const moods = new Map<string, number>()
  const times = fc.array(fc.nat(100_000), { minLength: 20, maxLength: 60 })
  const property = fc.asyncProperty(times, async (numbers) => {
    const { run, kept } = await recorded(numbers)
    const frames = await framesOf(run.opened.store)
    for (const one of kept) {
      const world = worldOf({ ...one, frameHash: new Uint8Array(32) })
      assert.ok(world !== undefined, `the checkpoint of event ${one.seq} is none`)
      assert.is(stateHashText(world!), run.states.get(one.seq))
      for (const mood of moodOf(world!)) moods.set(mood, (moods.get(mood) ?? 0) + 1)
      goOn(world!, frames)
    }
  })
  await fc.assert(property, { numRuns: 40, seed: 11 })
  for (const mood of ['held', 'queued', 'backup', 'sync', 'restore']) {
    assert.ok((moods.get(mood) ?? 0) > 20, `${mood}: ${moods.get(mood)}`)
  }
})

test('recovery from a checkpoint is recovery from the first event', async () => {
  const numbers = Array.from({ length: 150 }, (_, k) => (k * 7919) % 99_991)
  const run = await startRun({ checkpointEvery: 40 })
  await prepare(run)
  for (const number of numbers) await act(run, number)
  await run.settled()
  const { store } = run.opened
  const head = headAt((await framesOf(store)).at(-1)!)
  const plain = await openMemory({ store: await copyOf(store, (table) => table !== tables.checkpoint), head })
  const found = await run.opened.journal.checkpoint()
  assert.ok(found !== undefined && found.seq > 100)
  assert.is(await plain.journal.checkpoint(), undefined)
  const [one, other] = [await recoverWorld(run.opened.journal), await recoverWorld(plain.journal)]
  assert.is(stateHashText(one), stateHashText(other))
  assert.is(stateHashText(one), stateHashText(run.engine.world))
})

test('a checkpoint of another history is passed over', async () => {
  const run = await startRun({ checkpointEvery: 1 })
  await prepare(run)
  const { store } = run.opened
  const foreign = await startRun({ checkpointEvery: 1 })
  await foreign.volume('elsewhere', 4)
  for (const name of ['more', 'volumes', 'than', 'there', 'all']) await foreign.volume(name, 8)
  const frames = await framesOf(store)
  const last = frames.at(-1)!
  const other = (await foreign.opened.journal.checkpoint(last.last))!
  const copy = await copyOf(store)
  for (const [table, part] of [
    [tables.checkpoint, undefined],
    [tables.part, 0],
  ] as const) {
    const value = (await foreign.opened.store.get(key(table, other.seq, part)))!
    await copy.put(key(table, other.seq, part), value, { sync: true })
  }
  const opened = await openMemory({ store: copy, head: headAt(last) })
  assert.is.not((await opened.journal.checkpoint(other.seq))?.seq, other.seq)
  assert.is(stateHashText(await recoverWorld(opened.journal)), stateHashText(run.engine.world))
})

test('a journal whose beginning was given up recovers, replays and goes on', async () => {
  const run = await startRun({ checkpointEvery: 30 })
  await prepare(run)
  for (let k = 0; k < 120; k++) await act(run, (k * 104_729) % 99_991)
  await run.settled()
  const { journal, store } = run.opened
  const checkpoint = (await journal.checkpoint())!
  await journal.truncateBefore(checkpoint.seq + 1)
  assert.is(journal.bounds().first, checkpoint.seq + 1)
  await run.io('io.write', { at: 1 })
  const opened = await openMemory({
    store: await copyOf(store),
    head: headAt((await framesOf(store)).at(-1)!),
  })
  assert.is(stateHashText(await recoverWorld(opened.journal)), stateHashText(run.engine.world))
  const { findings, events } = await replay(opened.journal)
  assert.equal(findings, [])
  assert.is(events, journal.bounds().last - checkpoint.seq)
  const lame = await copyOf(store, (table) => table !== tables.part)
  const broken = await openMemory({ store: lame, head: headAt((await framesOf(store)).at(-1)!) })
  await fails('JOURNAL_CORRUPT', () => recoverWorld(broken.journal), checkpoint.seq + 1)
})

test.run()
