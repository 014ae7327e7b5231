/**
 * How much a restart has to do: it folds the events since the last checkpoint, and never more than the distance of two
 * checkpoints and one frame, wherever the process went and however long the journal is.
 */

import { cpSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { recoverWorld } from '../../src/engine/open-engine.ts'
import { openToRead, openToWrite } from '../../src/engine/open-folder.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { temporaryFolder } from '../support/folder.ts'
import { startRun } from '../support/run.ts'
import { cutAfter, framesOf, openMemory } from '../support/store.ts'

const test = suite('restart')

const checkpointEvery = 100
/** One commit has so many events at most (engine/draft.ts). */
const mostInFrame = 1024

/** The events that a recovery of this journal reads to fold them. */
async function folded(journal: Journal): Promise<number> {
  let events = 0
  async function* read(...range: Parameters<Journal['read']>) {
    for await (const frame of journal.read(...range)) {
      events += frame.count
      yield frame
    }
  }
  const counting = new Proxy(journal, {
    get(target, name) {
      if (name === 'read') return read
      const value = Reflect.get(target, name) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const world = await recoverWorld(counting)
  assert.is(world.seq, journal.bounds().last)
  return events
}

test('the events folded at a restart are bounded by the distance of checkpoints', async () => {
  const run = await startRun({ checkpointEvery })
  await run.volume('disk', 16)
  await run.must('session.open', { name: 'host' })
  for (let k = 0; k < 900; k++) {
    const count = 1 + ((k * 7) % 5)
    const last = Array.from({ length: count }, (_, at) => run.io('io.write', { at: (k + at) % 16 })).at(-1)
    await last
  }
  await run.settled()
  const frames = await framesOf(run.opened.store)
  const longest = Math.max(...frames.map(({ count }) => count))
  assert.ok(longest < mostInFrame)
  const found: number[] = []
  /** Of the checkpoints only the newest few are kept: what a crash finds is what is near the end. */
  const end = frames.at(-1)!.last - 2 * checkpointEvery
  for (const frame of frames.filter(({ last }, k) => last > end && k % 7 === 0)) {
    const { journal } = await openMemory({ ...(await cutAfter(run.opened.store, frame)), readOnly: true })
    const events = await folded(journal)
    assert.ok(events < checkpointEvery + longest, `${events} events are folded at event ${frame.last}`)
    found.push(events)
  }
  assert.ok(Math.max(...found) > checkpointEvery / 2, 'some crash lies far behind a checkpoint')
  assert.ok(frames.at(-1)!.last > 20 * checkpointEvery, 'the journal is many times as long')
  await run.engine.close()
})

test('so they are over LevelDB, which gives the bytes of a checkpoint in its own way', async () => {
  const folder = temporaryFolder()
  try {
    const path = folder.fresh()
    const { engine } = await openToWrite(path, { create: true, checkpointEvery })
    await engine.submit({ kind: 'volume.create', detail: { name: 'disk', size: 2 ** 20, block: 4096 } })
    await engine.submit({ kind: 'session.open', detail: { name: 'host' } })
    const data = new Uint8Array(4096).fill(7)
    for (let k = 0; k < 4 * checkpointEvery; k++) {
      await engine.submit({ kind: 'io.write', session: 1, volume: 1, offset: (k % 256) * 4096, data })
    }
    const crashed = folder.fresh()
    cpSync(path, crashed, { recursive: true })
    await engine.close()
    const { journal } = await openToRead(crashed)
    assert.ok((await folded(journal)) < 2 * checkpointEvery)
    await journal.close()
    const stopped = await openToRead(path)
    assert.is(await folded(stopped.journal), 0)
    await stopped.journal.close()
  } finally {
    folder.remove()
  }
})

test('after a stop that was asked for nothing is folded', async () => {
  const run = await startRun({ checkpointEvery })
  await run.volume('disk', 16)
  await run.must('session.open', { name: 'host' })
  for (let k = 0; k < 40; k++) await run.io('io.write', { at: k % 16 })
  await run.engine.close()
  const { store, head } = run.opened
  const { journal } = await openMemory({ store, head, readOnly: true })
  assert.is(await folded(journal), 0)
})

test.run()
