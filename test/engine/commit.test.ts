/**
 * When an answer is given: after the frame that carries the change, or, with buffered acknowledgement, before it, on
 * record; what one commit gathers; what reads wait for; what happens when the journal fails.
 */

import { suite, type Test } from 'uvu'
import * as assert from 'uvu/assert'
import type { BlockboxError } from '../../src/core/errors.ts'
import { maxInbox } from '../../src/engine/ask.ts'
import { openEngine, recoverWorld } from '../../src/engine/open-engine.ts'
import { flag } from '../../src/events/kind.ts'
import { frameFlags } from '../../src/journal/frame.ts'
import { type HeadStore, memoryHead } from '../../src/journal/head.ts'
import { replay } from '../../src/replay/replay.ts'
import { stateHashText } from '../../src/volume/snapshot.ts'
import { manualClock } from '../support/clock.ts'
import { fails } from '../support/frames.ts'
import { type Run, startRun, turn } from '../support/run.ts'
import { onDisk, stateOf } from '../support/slow-disk.ts'
import { copyOf, framesOf, memoryStore, openMemory } from '../support/store.ts'

const test: Test = suite('commit')

test('a write is answered when its frame is durable, not before', async () => {
  const { run, slow } = await onDisk()
  slow.hold()
  const before = run.opened.journal.bounds().last
  const answers = [run.io('io.write'), run.io('io.zeroes', { at: 2 }), run.io('io.discard', { at: 3 })]
  const flush = run.io('io.flush')
  for (const answer of [...answers, flush]) assert.is(await stateOf(answer), 'waits')
  assert.is(run.opened.journal.bounds().last, before)
  slow.open()
  for (const answer of [...answers, flush]) assert.is(await stateOf(answer), 'ok')
  assert.is(run.opened.journal.bounds().last, before + 4)
})

test('what comes in one turn is one frame; what comes during a commit is the next', async () => {
  const { run, slow } = await onDisk()
  const frames = (await framesOf(run.opened.store)).length
  slow.hold()
  for (let at = 0; at < 10; at++) run.post('io.write', { at })
  await turn()
  for (let at = 0; at < 5; at++) run.post('io.write', { at })
  await turn()
  for (let at = 5; at < 8; at++) run.post('io.write', { at })
  slow.open()
  await run.settled()
  const later = (await framesOf(run.opened.store)).slice(frames)
  assert.equal(
    later.map(({ count }) => count),
    [10, 8],
  )
})

test('a frame is sealed when it is long and more is waiting', async () => {
  const { run } = await onDisk()
  for (let k = 0; k < 2500; k++) run.post('io.write', { at: k % 16 })
  await run.settled()
  const counts = (await framesOf(run.opened.store)).slice(-3).map(({ count }) => count)
  assert.equal(counts, [1024, 1024, 452])
  assert.is(run.answers.filter(({ code }) => code === 'ok').length, 2500)
})

test('a read answers at once, causes no commit, and rides in the next frame', async () => {
  const { run, slow } = await onDisk()
  await run.io('io.write', { at: 1, fill: 7 })
  const last = run.opened.journal.bounds().last
  slow.hold()
  const read = (await run.io('io.read', { at: 1 }))!
  assert.is(read.seq, last + 1)
  assert.equal([read.data!.length, read.data![0], read.data![4095]], [4096, 7, 7])
  assert.is((await run.io('io.flush'))?.code, 'ok')
  assert.is((await run.io('io.read', { at: 16 }))?.code, 'E_RANGE')
  assert.is(run.opened.journal.bounds().last, last)
  slow.open()
  await run.io('io.write', { at: 2 })
  const frame = (await framesOf(run.opened.store)).at(-1)!
  assert.equal([frame.first, frame.count], [last + 1, 4])
  for (let k = 0; k < 1024; k++) run.post('io.read', { at: 1 })
  await turn()
  assert.is((await framesOf(run.opened.store)).at(-1)!.count, 1024)
  run.post('io.read', { at: 1 })
  await run.settled()
  assert.is((await framesOf(run.opened.store)).at(-1)!.count, 1)
})

test('a read waits for the frame whose bytes it returns', async () => {
  const { run, slow } = await onDisk()
  slow.hold()
  const [write, read] = [run.io('io.write', { at: 1, fill: 9 }), run.io('io.read', { at: 1 })]
  assert.equal([await stateOf(write), await stateOf(read)], ['waits', 'waits'])
  slow.open()
  assert.is((await read)!.data![0], 9)
  await write
})

test('buffered: a write is answered when it is accepted; flush and FUA wait; the frames say so', async () => {
  const { run, slow } = await onDisk({ ack: 'buffered' })
  slow.hold()
  const early = run.io('io.write', { at: 1, fill: 3 })
  const read = run.io('io.read', { at: 1 })
  const forced = run.io('io.write', { at: 2, flags: flag.fua })
  const flush = run.io('io.flush')
  assert.equal([await stateOf(early), await stateOf(forced), await stateOf(flush)], ['ok', 'waits', 'waits'])
  assert.is((await read)!.data![0], 3)
  slow.open()
  assert.equal([await stateOf(forced), await stateOf(flush)], ['ok', 'ok'])
  const frames = await framesOf(run.opened.store)
  assert.equal(frames.map(({ flags, epoch }) => epoch === 0 || flags & frameFlags.buffered).at(-1), 1)
  await run.engine.close()
})

test('a durable run says in its frames that it is one, and when each frame became durable', async () => {
  const clock = manualClock()
  const { run } = await onDisk({ clock })
  await run.io('io.write')
  const durable = clock.nowNs()
  clock.advance(50)
  await run.io('io.write')
  const frames = await framesOf(run.opened.store)
  const [before, frame] = [frames.at(-2)!, frames.at(-1)!]
  assert.equal([frame.flags, frame.durableNs, frame.replied], [0, durable, before.last])
  assert.is(frame.instantNs, durable + 50_000_000n)
  await run.engine.close()
  assert.is((await framesOf(await reopened(run))).at(-1)!.flags, frameFlags.closing)
})

/** The store of a run that closed its journal, open again. */
async function reopened(run: Run) {
  await run.opened.store.open()
  return run.opened.store
}

test('a failed append ends the engine: who waits is told, nothing acknowledged is lost, opening again settles', async () => {
  for (const [error, code] of [
    [new Error('I/O error: fdatasync'), 'JOURNAL_IN_DOUBT'],
    [Object.assign(new Error('write failed'), { code: 'ENOSPC' }), 'JOURNAL_FULL'],
  ] as const) {
    const { run, slow } = await onDisk()
    await run.io('io.write', { at: 1, fill: 5 })
    const acked = stateHashText(run.engine.world)
    slow.fail(error)
    const ends: string[] = []
    run.engine.frames$.subscribe({ error: (end: { code: string }) => ends.push(end.code) })
    for (const at of [0, 1, 2]) run.post('io.write', { at })
    await turn()
    run.post('io.write', { at: 3 })
    await turn()
    assert.equal(
      run.errors.map((end) => (end as BlockboxError).code),
      Array(4).fill(code),
    )
    await fails(code, () => run.engine.submit({ kind: 'io.read', session: 1, volume: 1, length: 512 }))
    await fails(code, () => run.engine.settled().then(() => run.engine.submit(writeAt(1))))
    assert.equal(ends, [code])
    await fails('JOURNAL_IN_DOUBT', () => run.opened.journal.openWriter('x', 0n))
    slow.repair()
    await run.engine.close()
    await run.engine.close()
    const opened = await openMemory({ store: run.opened.store, head: run.opened.head })
    assert.is(stateHashText(await recoverWorld(opened.journal)), acked)
    assert.match(opened.journal.remarks.join(), /were being written at the end and did not get there/)
    const engine = await openEngine({ ...opened, clock: manualClock() })
    const { made } = await engine.submit({ kind: 'session.open', detail: { name: 'host' } })
    const read = await engine.submit({ kind: 'io.read', session: made, volume: 1, offset: 4096, length: 1 })
    assert.is(read.data![0], 5)
    await engine.settled()
    assert.equal((await replay(opened.journal)).findings, [])
  }
})

function writeAt(at: number) {
  return { kind: 'io.write', session: 1, volume: 1, offset: at * 4096, data: new Uint8Array(4096) } as const
}

test('an append that failed and did happen is kept when the journal is opened again', async () => {
  const head = memoryHead()
  const store = memoryStore()
  let broken = false
  let writes = 0
  const torn: HeadStore = {
    ...head,
    write(slot, bytes) {
      if (broken && writes++ % 2 === 1) throw new Error('the head could not be written')
      head.write(slot, bytes)
    },
  }
  const run = await startRun({ on: { store, head: torn } })
  await run.volume('disk', 16)
  await run.must('session.open', { name: 'host' })
  broken = true
  await fails('JOURNAL_IN_DOUBT', () => run.engine.submit(writeAt(4)))
  const opened = await openMemory({ store: await copyOf(store), head })
  assert.match(opened.journal.remarks.join(), /found beyond the head and kept/)
  const world = await recoverWorld(opened.journal)
  assert.is(world.volumes[0]!.map.mapped, 1)
})

test('too many asks at once are turned away, and nothing is recorded of them', async () => {
  const { run, slow } = await onDisk()
  slow.hold()
  run.post('io.write')
  await turn()
  const before = run.engine.world.seq
  const many = Array.from({ length: maxInbox + 3 }, () =>
    run.engine.submit({ kind: 'io.flush', session: 1, volume: 1 }),
  )
  const [last] = await Promise.all(many.slice(-1))
  assert.equal(last, { code: 'E_QUEUE_FULL', seq: 0, made: 0 })
  slow.open()
  const codes = (await Promise.all(many)).map(({ code }) => code)
  assert.is(codes.filter((code) => code === 'E_QUEUE_FULL').length, 3)
  await run.settled()
  assert.is(run.engine.world.seq, before + maxInbox)
})

test('closing answers what was asked, turns away what comes after, and ends with a closing frame', async () => {
  const { run, slow } = await onDisk()
  slow.hold()
  const asked = run.io('io.write', { at: 4 })
  const closing = run.engine.close()
  await fails('ENGINE_STOPPED', () => run.engine.submit(writeAt(5)))
  slow.open()
  await closing
  assert.is((await asked)?.code, 'ok')
  await fails('ENGINE_STOPPED', () => run.engine.submit(writeAt(5)))
  const frames = await framesOf(await reopened(run))
  assert.equal(frames.map(({ flags }) => flags & frameFlags.closing).slice(-2), [0, 2])
  const opened = await openMemory({ store: run.opened.store, head: run.opened.head })
  assert.is((await opened.journal.checkpoint())?.seq, opened.journal.bounds().last)
  assert.is((await recoverWorld(opened.journal)).sessions.size, 0)
})

test.run()
