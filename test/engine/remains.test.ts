/**
 * What is left when the journal cannot be written any more: reads of what is durable, through the layers as ever. What
 * was decided after it, and may have been seen, is never shown again, whatever the disk kept of it.
 */

import { suite, type Test } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import type { IoAsk } from '../../src/engine/ask.ts'
import type { KvStore } from '../../src/journal/store.ts'
import { Disk } from '../../src/sim/disk.ts'
import { type Fault, FaultyLevel } from '../../src/sim/faulty-level.ts'
import { stateHashText } from '../../src/volume/snapshot.ts'
import { fails } from '../support/frames.ts'
import { type RunOptions, startRun, turn } from '../support/run.ts'

const test: Test = suite('remains of an engine')

/** A run on a disk whose writes meet `ill.fault` from when it is set. */
async function onIllDisk(options: RunOptions = {}) {
  const ill: { fault: Fault | undefined } = { fault: undefined }
  const isWrite = (kind: string) => kind === 'put' || kind === 'batch'
  const store = new FaultyLevel(new Disk(), { fault: ({ kind }) => (isWrite(kind) ? ill.fault : undefined) })
  const run = await startRun({ ...options, on: { store: store as unknown as KvStore } })
  await run.volume('disk', 16)
  await run.must('session.open', { name: 'host' })
  return { run, ill, engine: run.engine }
}

const readAt = (at: number, volume = 1): IoAsk => ({
  ...{ kind: 'io.read', session: 1, volume, offset: at * 4096, length: 4096 },
})

for (const [fault, code] of [
  ['doubt', 'JOURNAL_IN_DOUBT'],
  ['refused', 'JOURNAL_IN_DOUBT'],
  ['full', 'JOURNAL_FULL'],
] as const) {
  for (const ack of ['durable', 'buffered'] as const) {
    test(`a write that is ${fault} (${ack}): reads give the bytes from before it, changes nothing but errors`, async () => {
      const { run, ill, engine } = await onIllDisk({ ack })
      await run.io('io.write', { at: 1, fill: 5 })
      await run.io('io.flush')
      await run.settled()
      const durable = stateHashText(engine.world)
      const { last } = run.opened.journal.bounds()
      assert.is(engine.remains, undefined)
      ill.fault = fault
      const write = run.io('io.write', { at: 1, fill: 9 })
      const seen = run.io('io.read', { at: 1 })
      await write
      if (ack === 'buffered') assert.is((await seen)?.data?.[0], 9)
      await turn()
      assert.is(await run.io('io.flush'), undefined)
      ill.fault = undefined
      for (const kind of ['io.write', 'io.flush', 'io.zeroes', 'io.discard'] as const) {
        assert.is(await run.io(kind, { at: 2 }), undefined, `${kind} is never answered again`)
      }
      assert.ok(run.errors.every((error) => error instanceof BlockboxError && error.code === code))
      await fails(code, () => engine.submit({ kind: 'mark', volume: 1, detail: { label: 'late' } }))
      const remains = engine.remains!
      assert.is(remains.reason.code, code)
      assert.is(stateHashText(await remains.world()), durable)
      assert.is(remains.known?.seq, last)
      const read = await remains.read(readAt(1))
      assert.equal([read.code, read.seq, new Set(read.data)], ['ok', 0, new Set([5])])
      assert.is(await engine.look((world) => world.seq), last)
      assert.equal(run.opened.journal.bounds().last, last)
      await engine.close()
    })
  }
}

test('a look that waits for a frame sees what remains when the frame fails', async () => {
  const { run, ill, engine } = await onIllDisk()
  await run.io('io.write', { at: 1, fill: 5 })
  ill.fault = 'doubt'
  run.post('io.write', { at: 2, fill: 5 })
  await Promise.resolve()
  const mapped = () => engine.look((world) => world.volumes[0]!.map.mapped)
  const early = mapped()
  assert.is(engine.world.volumes[0]!.map.mapped, 2)
  assert.is(await early, 1)
  assert.is(await mapped(), 1)
})

test('reads are judged by the layers: views, ranges, sessions, and the clone where a copy had to come', async () => {
  const { run, ill, engine } = await onIllDisk({ copier: () => new Promise(() => undefined) })
  const clone = await run.volume('clone', 16)
  const fenced = await run.volume('fenced', 16)
  for (const [volume, fill] of [
    [1, 1],
    [clone, 2],
    [fenced, 3],
  ] as const) {
    await run.io('io.write', { volume, at: 0, count: 16, fill })
  }
  await run.must('pair.create', { name: 'p', source: 1, clone, extent: 4096 })
  await run.must('restore.start', { pair: 'p', protected: true })
  const view = await run.must('preserve.create', { base: fenced, name: 'view' })
  await run.must('session.open', { name: 'other' })
  await engine.submit({ kind: 'session.rebind', session: 1, detail: { from: fenced, to: view } })
  await run.io('io.write', { volume: fenced, at: 1, fill: 7 })
  ill.fault = 'full'
  await run.io('io.write', { at: 0, fill: 99 })
  const remains = engine.remains!
  const byteOf = async (ask: IoAsk) => (await remains.read(ask)).data?.[0]
  assert.is(await byteOf(readAt(5)), 2, 'the source shows the clone: the copy never came')
  assert.is(await byteOf(readAt(1, fenced)), 7, 'a session that was rebound reads its view')
  assert.is(await byteOf({ ...readAt(1, fenced), session: 2 }), 3)
  assert.is((await remains.read(readAt(16))).code, 'E_RANGE')
  assert.is((await remains.read({ ...readAt(1), session: 9 })).code, 'E_NO_SESSION')
  assert.is((await remains.read(readAt(1, 9))).code, 'E_NO_VOLUME')
})

test('an engine that was closed has nothing left', async () => {
  const { engine } = await onIllDisk()
  await engine.close()
  assert.is(engine.remains, undefined)
  await fails('ENGINE_STOPPED', () => engine.look(() => 1))
})

test.run()
