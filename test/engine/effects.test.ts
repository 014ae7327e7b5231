/**
 * Effects begin from durable frames only and come back as inputs: copies, deadlines by a clock that is moved by hand,
 * and what is owed after a restart.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Copy } from '../../src/engine/effects.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import { systemClock } from '../../src/engine/system-clock.ts'
import { holdQueueOf } from '../../src/layers/hold-queue.ts'
import { inFlightOf } from '../../src/layers/in-flight.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { replay } from '../../src/replay/replay.ts'
import { prepare } from '../support/busy.ts'
import { manualClock } from '../support/clock.ts'
import { type Run, startRun, turn } from '../support/run.ts'
import { copyOf, framesOf, headAt, hooked, memoryStore, openMemory } from '../support/store.ts'

const test = suite('effects')

function hold(run: Run, deadlineMs: number, name = 'b'): Promise<number> {
  return run.must('backup.start', { name, volumes: [1], deadlineMs, maxEntries: 0, maxBytes: 0 })
}

/** What a crash leaves of a run, opened on another clock. */
async function restart(run: Run, clock = manualClock()) {
  const store = await copyOf(run.opened.store)
  const opened = await openMemory({ store, head: headAt((await framesOf(store)).at(-1)) })
  return { ...opened, clock, engine: await openEngine({ ...opened, clock }) }
}

async function kindsOf(opened: Run['opened']): Promise<string[]> {
  const kinds: string[] = []
  for (const frame of await framesOf(opened.store)) {
    const row = frame.open()
    for (row.index = 0; row.index < frame.count; row.index++) kinds.push(row.kind)
  }
  return kinds
}

test('a deadline ends a backup, and what it held goes on', async () => {
  const run = await startRun()
  await prepare(run)
  await hold(run, 1000)
  run.post('io.write', { at: 1 })
  run.clock.advance(999)
  await run.settled()
  assert.is(inFlightOf(run.engine.world).held.size, 1)
  run.clock.advance(1)
  await run.settled()
  assert.is(inFlightOf(run.engine.world).held.size, 0)
  assert.is(run.answers.at(-1)!.code, 'ok')
  assert.is(holdQueueOf(run.engine.world).backups.size, 0)
})

test('under error-writes the deadline fails what is held; who waits is told, and a restart asks no more', async () => {
  const run = await startRun()
  await prepare(run)
  const bounds = { deadlineMs: 1000, maxEntries: 0, maxBytes: 0 }
  await run.must('backup.start', { name: 'b', volumes: [1], ...bounds, policy: 'error-writes' })
  run.post('io.write', { at: 1 })
  run.post('io.write', { at: 2 })
  run.clock.advance(1000)
  await run.settled()
  assert.equal(
    run.answers.slice(-2).map(({ code }) => code),
    ['E_DEADLINE', 'E_DEADLINE'],
  )
  assert.is(holdQueueOf(run.engine.world).backups.size, 1)
  await run.io('io.read')
  const again = await restart(run)
  assert.is(again.clock.waiting().count, 0)
  assert.equal((await replay(again.journal)).findings, [])
})

test('under requeue a held write that outlived a crash takes effect at the stop', async () => {
  const run = await startRun()
  await prepare(run)
  const bounds = { deadlineMs: 0, maxEntries: 0, maxBytes: 0 }
  await run.must('backup.start', { name: 'b', volumes: [1], ...bounds, crash: 'requeue' })
  run.post('io.write', { at: 1 })
  await run.settled()
  const again = await restart(run)
  const place = () => again.engine.world.volumes[0]!.map.get(1)
  assert.equal([inFlightOf(again.engine.world).held.size, place()], [1, 0])
  assert.is((await again.engine.submit({ kind: 'backup.stop', detail: { name: 'b' } })).code, 'ok')
  assert.ok(place() > 0)
  assert.equal((await replay(again.journal)).findings, [])
})

test('a backup that is stopped in time takes its deadline back', async () => {
  const run = await startRun()
  await prepare(run)
  await hold(run, 1000)
  assert.equal(run.clock.waiting(), { count: 1, nextMs: 1000 })
  await run.must('backup.stop', { name: 'b' })
  assert.is(run.clock.waiting().count, 0)
  await hold(run, 5000)
  await run.engine.close()
  assert.is(run.clock.waiting().count, 0)
})

test('after a restart a backup has what is left of its deadline', async () => {
  const run = await startRun()
  await prepare(run)
  await hold(run, 10_000)
  run.clock.advance(4000)
  await run.io('io.read')
  for (const [startIso, nextMs] of [
    ['2026-01-31T12:00:04Z', 6000],
    ['2026-01-31T12:00:09.500Z', 500],
    ['2026-01-31T13:00:00Z', 0],
    ['2026-01-31T11:00:00Z', 10_000],
  ] as const) {
    const again = await restart(run, manualClock(startIso))
    assert.equal(again.clock.waiting(), { count: 1, nextMs }, startIso)
    again.clock.advance(nextMs)
    await again.engine.settled()
    assert.is(holdQueueOf(again.engine.world).backups.size, 0, startIso)
    assert.equal((await replay(again.journal)).findings, [])
  }
})

test('the order is that of the sequence numbers when the clock goes back', async () => {
  const run = await startRun()
  await prepare(run)
  await hold(run, 1000)
  run.clock.jump(-3_600_000)
  run.post('io.write', { at: 1 })
  await run.settled()
  run.clock.advance(1000)
  await run.settled()
  run.clock.jump(10 * 365 * 86_400_000)
  await run.io('io.write', { at: 2 })
  assert.is(run.answers.filter(({ code }) => code !== 'ok').length, 0)
  const instants = (await framesOf(run.opened.store)).map(({ instantNs }) => instantNs)
  assert.ok(instants.some((at, k) => k > 0 && at < instants[k - 1]!))
  assert.equal((await replay(run.opened.journal)).findings, [])
})

test('a copy starts when the frame that says so is durable, and ends in a later one', async () => {
  let open: () => void = () => undefined
  let closed = false
  const store = hooked(memoryStore(), () =>
    closed ? new Promise<void>((resolve) => (open = resolve)) : undefined,
  )
  const run = await startRun({ on: { store } })
  await prepare(run)
  closed = true
  run.post('io.flush')
  const synced = run.ask({ kind: 'pair.sync', detail: { name: 'p' } })
  await turn()
  assert.is(run.copies.length, 0)
  closed = false
  open()
  await synced
  assert.is(run.copies.length, 4)
  run.endCopy()
  await run.settled()
  for (const frame of await framesOf(run.opened.store)) {
    const row = frame.open()
    let input = ''
    for (row.index = 0; row.index < frame.count; row.index++) {
      if (row.kind === 'copy.report') input = `${row.about}`
      if (row.kind === 'copy.started') assert.is.not(`${row.seq}`, input)
      if (row.kind === 'copy.report')
        assert.ok(row.about < frame.first, 'a copy starts and ends in one frame')
    }
  }
})

test('the engine copies by itself, each copy two events in two frames', async () => {
  const run = await startRun({ copier: () => 'ok' })
  await prepare(run)
  await run.must('pair.sync', { name: 'p' })
  await run.settled()
  assert.is(pairsOf(run.engine.world).byTag.get(1)!.phase, 'in-sync')
  const frames = await framesOf(run.opened.store)
  const frameOf = (seq: number) => frames.findIndex(({ last }) => last >= seq)
  let copies = 0
  for (const [k, frame] of frames.entries()) {
    const row = frame.open()
    for (row.index = 0; row.index < frame.count; row.index++) {
      if (row.kind !== 'copy.report') continue
      copies++
      assert.ok(frameOf(row.about) < k)
    }
  }
  assert.is(copies, 4)
})

test('a copier that fails, however it does, is a failed copy', async () => {
  const ways: ((copy: Copy) => never | Promise<never> | 'E_IO')[] = [
    () => 'E_IO',
    () => Promise.reject(new Error('no medium')),
    () => {
      throw new Error('no medium')
    },
  ]
  for (const way of ways) {
    let calls = 0
    const copier = (copy: Copy) => (calls++ < 2 ? way(copy) : 'ok')
    const run = await startRun({ copier })
    await prepare(run)
    await run.must('pair.sync', { name: 'p' })
    await run.settled()
    await run.settled()
    assert.is(pairsOf(run.engine.world).byTag.get(1)!.phase, 'in-sync')
    assert.ok((await kindsOf(run.opened)).filter((kind) => kind === 'copy.report').length >= 6)
  }
})

test('copies that were under way when the process went are started again', async () => {
  const run = await startRun()
  await prepare(run)
  await run.must('pair.sync', { name: 'p' })
  run.endCopy()
  await run.settled()
  assert.is(pairsOf(run.engine.world).byTag.get(1)!.gate.copying.count, 3)
  const again = await restart(run)
  await again.engine.settled()
  assert.is(pairsOf(again.engine.world).byTag.get(1)!.phase, 'in-sync')
  assert.equal((await replay(again.journal)).findings, [])
})

test('the clock of the machine runs forward and calls back, also after waits no timer can hold', async () => {
  const clock = systemClock()
  const awake = setInterval(() => undefined, 1000)
  const before = clock.nowNs()
  await new Promise<void>((resolve) => clock.after(3, resolve))
  assert.ok(clock.nowNs() > before)
  let called = false
  const takeBack = clock.after(2 ** 40, () => {
    called = true
  })
  const soon = clock.after(1, () => {
    called = true
  })
  soon()
  await new Promise((resolve) => setTimeout(resolve, 10))
  assert.is(called, false)
  takeBack()
  clearInterval(awake)
})

test.run()
