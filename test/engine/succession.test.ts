/**
 * A new engine takes over where one failed: what it knows is what the journal says, nothing that was answered is lost,
 * what failed is never tried again; and it does so by itself for lack of room alone, at a pace.
 */

import { suite, type Test } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import type { News, Succession } from '../../src/engine/succession.ts'
import { stateHashText } from '../../src/volume/snapshot.ts'
import { fails } from '../support/frames.ts'
import { failed, onDisk, reigns, write } from '../support/reigns.ts'

const test: Test = suite('succession of engines')

function heard(succession: Succession): News[] {
  const all: News[] = []
  succession.news$.subscribe((news) => all.push(news))
  return all
}

/** Resolves when a reopening that goes on, if any, is over. */
async function rested(succession: Succession): Promise<void> {
  for (let turns = 0; turns < 1000; turns++) {
    await new Promise((resolve) => setImmediate(resolve))
    if (succession.state !== 'reopening') return
  }
  throw new Error('it is being opened for ever')
}

for (const [fault, applied] of [
  ['full', false],
  ['doubt', true],
  ['refused', false],
] as const) {
  test(`after "${fault}" the new engine is what the journal says; the write in doubt was ${applied ? '' : 'not '}done`, async () => {
    const run = await reigns()
    const { succession, ill } = run
    const before = succession.engine
    await write(before, 1, 5)
    ill.fault = fault
    const error = await failed(write(before, 2, 6))
    assert.is((await failed(write(before, 3, 7))).code, error.code)
    ill.fault = undefined
    const last = succession.journal.bounds().last
    assert.is(succession.state, 'failed')
    await succession.reopen()
    assert.is(succession.state, 'recording')
    const { seq } = succession.lastTakeover!
    assert.is.not(succession.engine, before)
    assert.ok(seq > last)
    const { bytes, world } = await onDisk(run)
    assert.is(stateHashText(succession.engine.world), stateHashText(world))
    assert.equal(bytes.slice(1, 4), [5, applied ? 6 : 0, 0])
    assert.is(succession.engine.world.epoch, 2)
    assert.equal([...succession.engine.world.sessions], [], 'sessions end as at a crash')
    assert.is((await failed(write(before, 4, 8))).code, error.code, 'the old engine stays ended')
    const { made } = await succession.engine.submit({ kind: 'session.open', detail: { name: 'again' } })
    assert.is((await write(succession.engine, 3, 9, made)).code, 'ok')
    assert.is((await onDisk(run)).bytes[3], 9)
    await succession.close()
  })
}

test('the old journal is closed before the new one is opened', async () => {
  const { succession, ill, opened } = await reigns()
  const old = opened[0]!
  ill.fault = 'full'
  await failed(write(succession.engine, 1, 1))
  ill.fault = undefined
  const seen: string[] = []
  const close = old.store.close.bind(old.store)
  old.store.close = async () => {
    await new Promise((resolve) => setImmediate(resolve))
    await close()
    seen.push(`closed with ${opened.length} open`)
  }
  await succession.reopen()
  assert.equal(seen, ['closed with 1 open'])
  await succession.close()
})

test('room is looked for after 1, 2, 4 ... 30 seconds, and only for a full disk', async () => {
  let looks = 0
  let room = false
  const run = await reigns({
    hasRoom: () => {
      looks++
      return room
    },
  })
  const { clock, succession, ill } = run
  const news = heard(succession)
  ill.fault = 'full'
  await failed(write(succession.engine, 1, 1))
  assert.ok(succession.awaitsRoom)
  for (const [at, seconds] of [1, 2, 4, 8, 16, 30, 30, 30].entries()) {
    clock.advance(seconds * 1000 - 1)
    assert.is(looks, at)
    clock.advance(1)
    assert.is(looks, at + 1)
  }
  looks--
  await fails('JOURNAL_FULL', () => succession.reopen())
  assert.is(run.opened.length, 1, 'without room nothing is tried')
  ill.fault = undefined
  room = true
  clock.advance(30_000)
  await rested(succession)
  assert.is(succession.state, 'recording')
  assert.equal(
    news.map(({ what }) => what),
    ['failed', 'recording'],
  )
  assert.is(succession.takeovers, 1)
  assert.is(succession.lastTakeover!.seq, succession.journal.bounds().last)

  const mark = () => succession.engine.submit({ kind: 'mark', detail: { label: 'x' } })
  ill.fault = 'full'
  await failed(mark())
  clock.advance(29_999)
  assert.is(looks, 9, 'full again right after: the pace goes on as it was')
  ill.fault = undefined
  clock.advance(1)
  await rested(succession)
  assert.is(succession.takeovers, 2)
  clock.advance(60_000)
  ill.fault = 'full'
  await failed(mark())
  clock.advance(1000)
  assert.is(looks, 11, 'after a good while it begins with a second')
  await rested(succession)
  await succession.close()
})

test('an error that is no lack of room waits to be asked', async () => {
  const { clock, succession, ill } = await reigns()
  await succession.reopen()
  assert.is(succession.takeovers, 0, 'nothing failed')
  ill.fault = 'doubt'
  await failed(write(succession.engine, 1, 1))
  ill.fault = undefined
  assert.not(succession.awaitsRoom)
  clock.advance(3_600_000)
  assert.is(succession.state, 'failed')
  await succession.reopen()
  assert.is(succession.state, 'recording')
  await succession.close()
  await fails('ENGINE_STOPPED', () => succession.engine.submit({ kind: 'mark', detail: { label: 'late' } }))
})

test('what cannot be opened to be written is read on, and says why; once it can, it goes on', async () => {
  const { succession, ill } = await reigns()
  const news = heard(succession)
  await write(succession.engine, 1, 5)
  ill.fault = 'full'
  await failed(write(succession.engine, 2, 6))
  ill.opening = new BlockboxError('JOURNAL_CORRUPT', 'event 3 is damaged', { seq: 3 })
  assert.is((await failed(succession.reopen())).code, 'JOURNAL_CORRUPT')
  assert.is(succession.state, 'failed')
  assert.not(succession.awaitsRoom, 'damage is not gone when there is room')
  const remains = succession.engine.remains!
  assert.is(remains.reason.message, 'event 3 is damaged')
  const read = { kind: 'io.read', session: 1, volume: 1, offset: 4096, length: 4096 } as const
  assert.is((await remains.read(read)).data?.[0], 5)
  assert.equal(
    news.map(({ what }) => what),
    ['failed', 'refused'],
  )
  ill.opening = undefined
  ill.fault = undefined
  await succession.reopen()
  assert.is(succession.state, 'recording')
  await succession.close()
})

test('full again while it is opened: reads go on, and it is tried again', async () => {
  const { succession, ill, clock } = await reigns()
  await write(succession.engine, 1, 5)
  ill.fault = 'full'
  await failed(write(succession.engine, 2, 6))
  assert.is((await failed(succession.reopen())).code, 'JOURNAL_FULL')
  const read = { kind: 'io.read', session: 1, volume: 1, offset: 4096, length: 4096 } as const
  assert.is((await succession.engine.remains!.read(read)).data?.[0], 5)
  ill.fault = undefined
  clock.advance(30_000)
  await rested(succession)
  assert.is(succession.state, 'recording')
  await succession.close()
})

test('where it cannot even be read, reads fail with the reason', async () => {
  const look = () => Promise.reject(new Error('gone'))
  const { succession, ill } = await reigns({ look })
  ill.fault = 'full'
  await failed(write(succession.engine, 2, 6))
  ill.opening = new BlockboxError('JOURNAL_CORRUPT', 'event 3 is damaged')
  await failed(succession.reopen())
  assert.is((await failed(succession.engine.remains!.world())).message, 'event 3 is damaged')
  await succession.close()
})

test('closed in the middle of a reopening it ends in order, and begins no other', async () => {
  const run = await reigns()
  const { succession, ill, clock } = run
  const told: string[] = []
  succession.add({
    pause: async () => void told.push('pause'),
    goOn: async () => void told.push('goOn'),
  })
  await write(succession.engine, 1, 5)
  ill.fault = 'full'
  await failed(write(succession.engine, 2, 6))
  ill.fault = undefined
  const reopened = succession.reopen()
  assert.is(succession.state, 'reopening')
  await succession.close()
  await reopened
  assert.equal(told, ['pause', 'goOn'])
  assert.is(clock.waiting().count, 0)
  const { journal } = await run.look()
  const kinds: string[] = []
  for await (const frame of journal.read(1)) {
    const row = frame.open()
    for (row.index = 0; row.index < frame.count; row.index++) kinds.push(row.kind)
  }
  assert.is(kinds.at(-1), 'engine.stop')
  await fails('ENGINE_STOPPED', () => succession.reopen())
})

test('only where writes are answered early may an answer be void', async () => {
  for (const ack of ['durable', 'buffered'] as const) {
    const { succession, ill } = await reigns({ ack })
    const { engine } = succession
    ill.fault = 'full'
    await engine.settled().catch(() => undefined)
    const answer = await write(engine, 1, 1).catch(() => undefined)
    assert.is(answer?.code, ack === 'buffered' ? 'ok' : undefined)
    await engine.settled().catch(() => undefined)
    assert.is(engine.remains!.broken, ack === 'buffered')
    await succession.close()
  }
})

test.run()
