/**
 * A journal goes out and comes back: whatever happened in it, both forms give the same frames byte for byte, the same
 * payloads and the same verdicts; and the same journal always gives the same text.
 */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../src/check/all.ts'
import { hex, sha256 } from '../../src/core/digest.ts'
import { syntheticContent } from '../../src/core/prng.ts'
import { imagePieces } from '../../src/images/export.ts'
import { replay } from '../../src/replay/replay.ts'
import { subBlock } from '../../src/replay/sub-block.ts'
import { verify } from '../../src/replay/verify.ts'
import { volumeAt } from '../../src/replay/volume-at.ts'
import { branchesMade } from '../support/branching.ts'
import { fails, gathered } from '../support/frames.ts'
import { busyRun, exported, forms, journalFrom, linesOf, opened } from '../support/recordings.ts'
import { startRun } from '../support/run.ts'
import { framesOf } from '../support/store.ts'

const test = suite('recording round trip')

test('what a busy run recorded comes back from both forms as it was', async () => {
  const numbers = fc.array(fc.nat(100_000), { maxLength: 50 })
  const check = fc.asyncProperty(
    numbers,
    fc.boolean(),
    fc.integer({ min: 1, max: 7000 }),
    async (list, mood, size) => {
      const run = await busyRun(list, mood)
      const { store, journal } = run.opened
      const frames = (await framesOf(store)).map((frame) => hex(sha256(frame.bytes)))
      const before = await verify(journal, run.opened.payload)
      for (const form of forms) {
        const bytes = await exported(run.opened, form)
        assert.is(hex(sha256(await exported(run.opened, form))), hex(sha256(bytes)), `${form} twice`)
        const back = await journalFrom(bytes, size)
        const read = await gathered(back.journal.read(1))
        assert.equal(
          read.map((frame) => hex(sha256(frame.bytes))),
          frames,
          form,
        )
        const { events, payloads, payloadBytes, findings, head } = await verify(back.journal, back.payload)
        assert.equal({ events, payloads, payloadBytes, findings, head }, pick(before), form)
        assert.is((await replay(back.journal, { checks })).findings.length, 0)
        const again = await exported(back, form)
        assert.is(hex(sha256(again)), hex(sha256(bytes)), `${form} of the recording itself`)
      }
    },
  )
  await fc.assert(check, { numRuns: 8 })
})

function pick({ events, payloads, payloadBytes, findings, head }: Awaited<ReturnType<typeof verify>>) {
  return { events, payloads, payloadBytes, findings, head }
}

test('a branch comes back: its reports name what other events brought', async () => {
  const run = await busyRun([5, 800, 44_123, 7, 99], true)
  const { engine, opened: from } = run
  const { id, size } = engine.world.volumes[0]!
  const made = await run.must('volume.branch', { name: 'branch', from: id, seq: engine.world.seq, size })
  await branchesMade(engine)
  await run.settled()
  assert.ok(engine.world.volumes[made - 1]!.map.mapped > 0)
  for (const form of forms) {
    const back = await journalFrom(await exported(from, form))
    assert.equal(
      pick(await verify(back.journal, back.payload)),
      pick(await verify(from.journal, from.payload)),
    )
    const verdict = await replay(back.journal, { checks })
    assert.equal(verdict.findings, [], form)
    assert.is(verdict.stateHash, (await replay(from.journal)).stateHash)
  }
})

test('a range stands on the state before it: it is decided again, its chain and head are those of the journal', async () => {
  const run = await busyRun([5, 800, 44_123, 7, 99, 1234, 77_001, 3], true)
  const { journal } = run.opened
  const last = journal.bounds().last
  const whole = await replay(journal)
  for (const form of forms) {
    for (const from of [1, 2, 9, Math.floor(last / 2), last]) {
      const { header, journal: part } = await journalFrom(await exported(run.opened, form, { from }))
      assert.ok(header.first <= from && from - header.first < 20, `${header.first} for ${from}`)
      const verdict = await replay(part, { checks })
      assert.equal(verdict.findings, [])
      assert.is(verdict.stateHash, whole.stateHash)
      assert.equal(verdict.head, whole.head)
    }
    const { journal: cut } = await journalFrom(await exported(run.opened, form, { from: 9, to: 30 }))
    assert.ok(cut.bounds().last >= 30)
    assert.equal((await replay(cut)).findings, [])
  }
  await fails('NO_SUCH_POINT', () => exported(run.opened, 'lines', { from: last + 1 }))
  await fails('NO_SUCH_POINT', () => exported(run.opened, 'lines', { from: 9, to: 8 }))
})

test('a journal whose beginning was given up goes out from where it begins now', async () => {
  const run = await startRun({ checkpointEvery: 8 })
  await run.volume('disk', 16)
  await run.must('session.open', { name: 'host' })
  for (let k = 0; k < 40; k++) await run.io('io.write', { at: k % 16 })
  const { journal } = run.opened
  await journal.truncateBefore(journal.bounds().last - 8)
  const { first } = journal.bounds()
  assert.ok(first > 20)
  for (const form of forms) {
    const { header, journal: back } = await journalFrom(await exported(run.opened, form))
    assert.is(header.first, first)
    assert.equal(header.volumes, [{ number: 1, name: 'disk', size: 65_536, block: 4096 }])
    const verdict = await replay(back, { checks })
    assert.equal([verdict.findings, verdict.stateHash], [[], (await replay(journal)).stateHash])
  }
})

test('content that the range wrote is there, content from before it is an error and never zeros', async () => {
  const run = await startRun()
  await run.volume('disk', 4)
  await run.must('session.open', { name: 'host' })
  await run.io('io.write', { at: 0, fill: 1 })
  const from = run.opened.journal.bounds().last + 1
  await run.io('io.write', { at: 1, fill: 2 })
  const part = await journalFrom(await exported(run.opened, 'records', { from }))
  const { volume } = await volumeAt(part.journal, 'disk', { by: 'last' })
  const content = part.payload.read(volume.map.get(1), 4096)
  assert.equal([content[0], content[4095]], [2, 2])
  await fails('PAYLOAD_CORRUPT', () => [...imagePieces(volume, part.payload, true)])
})

test('entries of a volume or a session go out alone, and say that nothing can be decided again', async () => {
  const run = await busyRun([], true)
  const bytes = await exported(run.opened, 'lines', { volume: 'other' })
  const { header, items } = await opened(bytes)
  assert.equal(header.only, { volume: 'other' })
  const kinds: string[] = []
  for await (const item of items) if (item.is === 'entry') kinds.push(item.row.kind)
  assert.equal(kinds, ['volume.create', 'pair.create'])
  await fails('USAGE', () => journalFrom(bytes))
  await fails('USAGE', () => exported(run.opened, 'records', { volume: 'other' }))
  await fails('NO_SUCH_VOLUME', () => exported(run.opened, 'lines', { volume: 'none' }))
  const ofSession = await opened(await exported(run.opened, 'lines', { session: 1 }))
  const sessions = new Set<number>()
  for await (const item of ofSession.items) if (item.is === 'entry') sessions.add(item.row.session)
  assert.equal([...sessions].sort(), [0, 1])
})

test('made content goes out as its numbers, and comes back as its bytes', async () => {
  const run = await startRun()
  const digest = '0'.repeat(64)
  await run.must('run.begin', { scenario: 'made', digest, seed: 7 })
  await run.volume('disk', 16)
  await run.must('session.open', { name: 'host' })
  const data = syntheticContent({ seed: 7, volume: 1, offset: 8192, version: 3 }, 8192)
  await run.ask({ kind: 'io.write', session: 1, volume: 1, request: 3, offset: 8192, data: data.slice() })
  const near = data.slice()
  near[9]! ^= 1
  await run.ask({ kind: 'io.write', session: 1, volume: 1, request: 3, offset: 8192, data: near })
  const bytes = await exported(run.opened, 'lines')
  const writes = linesOf(bytes).filter((line) => line.includes('"io.write"'))
  assert.equal(
    writes.map((line) => [line.includes('"synthetic"'), line.includes('"data"')]),
    [
      [true, false],
      [false, true],
    ],
  )
  const { journal, payload } = await journalFrom(bytes)
  assert.equal((await verify(journal, payload)).findings, [])
})

test('changes of parts of blocks come back with the blocks that they left, held ones too', async () => {
  const run = await startRun()
  await run.volume('disk', 4)
  await run.must('session.open', { name: 'host' })
  await run.io('io.write', { at: 0, count: 4 })
  const odd = (kind: 'io.write' | 'io.zeroes', offset: number, length: number) =>
    run.ask({
      ...{ kind, session: 1, volume: 1, offset },
      ...(kind === 'io.write' ? { data: new Uint8Array(length).fill(3) } : { length }),
    })
  await odd('io.write', 100, 50)
  await odd('io.zeroes', 4000, 5000)
  await run.must('backup.start', { name: 'b', volumes: [1], deadlineMs: 0, maxEntries: 0, maxBytes: 0 })
  const held = [odd('io.write', 8190, 4), odd('io.zeroes', 513, 7)]
  await run.must('backup.stop', { name: 'b' })
  await Promise.all(held)
  const before = await verify(run.opened.journal, run.opened.payload)
  assert.ok(before.payloads >= 6)
  for (const form of forms) {
    const { journal, payload } = await journalFrom(await exported(run.opened, form))
    assert.equal(pick(await verify(journal, payload)), pick(before))
    assert.equal((await replay(journal, { checks: [...checks, subBlock(payload)] })).findings, [])
  }
})

test('payloads can be left out, all or the long ones: what is there is verified, what is not is no damage', async () => {
  const run = await startRun()
  await run.volume('disk', 16)
  await run.must('session.open', { name: 'host' })
  await run.io('io.write', { at: 0, count: 1 })
  await run.io('io.write', { at: 2, count: 3 })
  for (const form of forms) {
    const some = await journalFrom(await exported(run.opened, form, { payload: 'some', inlineMax: 4096 }))
    const verdict = await verify(some.journal, some.payload)
    assert.equal([verdict.payloads, verdict.payloadBytes, verdict.findings.length], [1, 4096, 0])
    const none = await journalFrom(await exported(run.opened, form, { payload: 'digests' }))
    assert.equal([none.end.payloads, (await verify(none.journal, none.payload)).findings.length], [0, 0])
    assert.equal(await replay(none.journal).then(({ findings }) => findings), [])
  }
})

test.run()
