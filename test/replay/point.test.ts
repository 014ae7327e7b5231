/** Points that people name, good and bad, and the events they stand for. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { marksOf } from '../../src/replay/marks.ts'
import { type Point, parseAddress, parsePoint, seqOf } from '../../src/replay/point.ts'
import { eventsOf } from '../support/forgery.ts'
import { fails } from '../support/frames.ts'
import { type Run, startRun } from '../support/run.ts'
import { framesOf } from '../support/store.ts'

const test = suite('point')

test('addresses and points are read as written', () => {
  assert.equal(parseAddress('disk'), { volume: 'disk', point: { by: 'last' } })
  assert.equal(parseAddress('disk@seq:12'), { volume: 'disk', point: { by: 'seq', number: 12 } })
  assert.equal(parsePoint('source:0'), { by: 'source', number: 0 })
  assert.equal(parsePoint('mark:before: the flood@3'), { by: 'mark', name: 'before: the flood@3' })
  assert.equal(parsePoint('backup:nightly'), { by: 'backup', name: 'nightly' })
  const at = (text: string) => (parsePoint(`time:${text}`) as { atNs: bigint }).atNs
  assert.is(at('1970-01-01T00:00:00Z'), 0n)
  assert.is(at('1970-01-01T00:00:00.123456789Z'), 123_456_789n)
  assert.is(at('1970-01-01T00:00:01.5Z'), 1_500_000_000n)
  assert.is(at('1970-01-01T01:00:00+01:00'), 0n)
})

test('what is no point is refused with the forms there are', async () => {
  const bad = [
    ...['', 'seq', 'seq:', 'seq:-1', 'seq:1.5', 'seq:1e3', 'seq:99999999999999999', 'seq: 1', 'source:x'],
    ...['mark:', 'backup:', 'time:', 'time:yesterday', 'time:2026-13-01T00:00:00Z', 'time:2026-01-31'],
    ...['time:2026-11-31T00:00:00Z', 'time:2026-02-29T00:00:00Z', 'time:2026-01-31T1 (1:00)Z'],
    ...['time:2026-01-31T12:00:00', 'last', 'day:1', ':', '__proto__:x'],
  ]
  for (const point of bad) {
    const error = await fails('USAGE', () => parsePoint(point))
    assert.match(error.message, /seq:N/)
  }
  await fails('USAGE', () => parseAddress('disk@'))
})

async function recorded(): Promise<Run> {
  const run = await startRun()
  await run.volume('disk', 16)
  await run.volume('other', 16)
  await run.must('session.open', { name: 'host' })
  const mark = (label: string, volume = 0) => run.ask({ kind: 'mark', volume, detail: { label } })
  for (let at = 0; at < 4; at++) {
    await run.settled()
    run.clock.advance(1000)
    await run.io('io.write', { at })
  }
  await mark('there', 2)
  await mark('there', 1)
  await mark('anywhere')
  await run.must('backup.start', { name: 'night', volumes: [1], deadlineMs: 0, maxEntries: 0, maxBytes: 0 })
  run.post('io.write', { at: 5 })
  await run.settled()
  await run.must('backup.stop', { name: 'night' })
  run.clock.jump(-2500)
  await run.io('io.write', { at: 6 })
  run.clock.advance(10_000)
  await run.io('io.write', { at: 7 })
  await run.settled()
  return run
}

test('points of a recorded run', async () => {
  const run = await recorded()
  const { journal } = run.opened
  const { last } = journal.bounds()
  const events = eventsOf(await framesOf(run.opened.store))
  const seq = (point: Point, volume = 1) => seqOf(journal, point, volume)
  const nth = (kind: string, k = 0) => events.filter((event) => event.kind === kind)[k]!.seq
  assert.is(await seq({ by: 'last' }), last)
  assert.is(await seq({ by: 'seq', number: 3 }), 3)
  assert.is(await seq({ by: 'mark', name: 'there' }, 1), nth('mark', 1))
  assert.is(await seq({ by: 'mark', name: 'there' }, 2), nth('mark', 0))
  assert.is(await seq({ by: 'mark', name: 'anywhere' }, 2), nth('mark', 2))
  assert.is(await seq({ by: 'backup', name: 'night' }), nth('backup.started'))
  assert.is(await seq({ by: 'backup', name: 'night' }, 0), nth('backup.started'))
  for (const point of [
    { by: 'mark', name: 'nowhere' },
    { by: 'backup', name: 'day' },
    { by: 'source', number: 100 },
  ] as const) {
    await fails('NO_SUCH_POINT', () => seq(point))
  }
})

test('a time is the last event before the first later one; later times never give earlier events', async () => {
  const run = await recorded()
  const { journal } = run.opened
  const events = eventsOf(await framesOf(run.opened.store))
  const writes = events.filter(({ kind }) => kind === 'io.write').map(({ seq }) => seq)
  const at = (ms: number) => {
    return seqOf(
      journal,
      { by: 'time', atNs: BigInt(Date.parse('2026-01-31T12:00:00Z') + ms) * 1_000_000n },
      1,
    )
  }
  assert.is(await at(-1), 0)
  assert.is(await at(999), writes[0]! - 1)
  assert.is(await at(1000), writes[1]! - 1)
  assert.is(await at(3999), writes[3]! - 1)
  assert.is(await at(1e9), journal.bounds().last)
  let before = 0
  for (let ms = -500; ms < 13_000; ms += 250) {
    const now = await at(ms)
    assert.ok(now >= before, `${ms} ms: event ${now} after ${before}`)
    before = now
  }
})

test('source points count the events of the recorded trace, also those that asked for nothing', async () => {
  const run = await startRun()
  await run.volume('disk', 16)
  await run.must('session.open', { name: 'other' })
  await run.must('run.begin', { scenario: 'import disk', digest: '', seed: 1 })
  await run.must('session.open', { name: 'import' })
  const write = (session: number, request: number) =>
    run.ask({ kind: 'io.write', session, volume: 1, request, offset: 0, data: new Uint8Array(4096) })
  for (const request of [1, 2, 5, 6]) {
    await write(2, request)
    await write(1, request)
  }
  await run.settled()
  const events = eventsOf(await framesOf(run.opened.store)).filter(({ kind }) => kind === 'io.write')
  const of = (request: number) => events.find((one) => one.session === 2 && one.request === request)!.seq
  const source = (number: number) => seqOf(run.opened.journal, { by: 'source', number }, 1)
  assert.is(await source(0), of(1) - 1)
  assert.is(await source(1), of(1))
  assert.is(await source(2), of(2))
  for (const number of [3, 4]) {
    const seq = await source(number)
    assert.ok(seq >= of(2) && seq < of(5), `source:${number} is event ${seq}`)
  }
  assert.is(await source(6), of(6))
  assert.match((await fails('NO_SUCH_POINT', () => source(7))).message, /the last one is 6/)
  await fails('NO_SUCH_POINT', () => seqOf(run.opened.journal, { by: 'source', number: 0 }, 2))
})

test('a label used again names its newest mark; neither a refused mark nor one asked twice is a point', async () => {
  const run = await startRun()
  await run.volume('disk', 16)
  await run.volume('other', 16)
  const mark = async (volume: number, label: string, key: string) =>
    (await run.ask({ kind: 'mark', volume, detail: { label, key } }))!
  const point = (label: string, volume: number) =>
    seqOf(run.opened.journal, { by: 'mark', name: label }, volume)
  await mark(1, 'm', 'a')
  const newest = await mark(1, 'm', 'b')
  assert.is((await mark(1, 'm', 'b')).code, 'ok')
  assert.is((await mark(1, 'never', 'b')).code, 'E_KEY_USED')
  const other = await mark(2, 'theirs', 'c')
  await run.settled()
  assert.is(await point('m', 1), newest.seq)
  assert.is(await point('m', 0), newest.seq)
  assert.is(await point('theirs', 2), other.seq)
  await fails('NO_SUCH_POINT', () => point('never', 1))
  const elsewhere = await fails('NO_SUCH_POINT', () => point('theirs', 1))
  assert.match(elsewhere.message, /mark theirs of volume disk; there is one of other/)
  const listed: string[] = []
  for await (const some of marksOf(run.opened.journal)) listed.push(...some.map(({ label }) => label))
  assert.equal(listed, ['m', 'm', 'theirs'])
})

test('a backup is the newest run that reached its point, was not broken, and covers the volume', async () => {
  const run = await startRun()
  for (const name of ['disk', 'other', 'third']) await run.volume(name, 16)
  const point = (name: string, volume: number) => seqOf(run.opened.journal, { by: 'backup', name }, volume)
  const started = async (name: string) => {
    await run.settled()
    const events = eventsOf(await framesOf(run.opened.store))
    const tag = events.findLast((one) => one.kind === 'backup.flag_set' && one.detail?.name === name)!.tag
    return events.find((one) => one.kind === 'backup.started' && one.tag === tag)!.seq
  }
  const start = (name: string, volumes: readonly number[], deadlineMs = 0) =>
    run.must('backup.start', { name, volumes: [...volumes], deadlineMs, maxEntries: 0, maxBytes: 0 })
  await start('night', [1])
  const first = await started('night')
  await run.must('backup.stop', { name: 'night' })
  await start('night', [1])
  const second = await started('night')
  assert.is(await point('night', 1), second, 'also while it runs')
  await run.must('backup.stop', { name: 'night' })
  assert.is.not(first, second)
  await start('night', [2])
  await run.must('backup.stop', { name: 'night' })
  assert.is(await point('night', 1), second)
  assert.is(await point('night', 2), await started('night'))
  const uncovered = await fails('NO_SUCH_POINT', () => point('night', 3))
  assert.match(uncovered.message, /night did not cover volume third; it covered disk, other/)
  const expire = async (name: string) => {
    await start(name, [1], 1000)
    await run.settled()
    run.clock.advance(2000)
    await run.settled()
  }
  await expire('night')
  assert.is(await point('night', 1), second)
  await expire('late')
  const broken = await fails('NO_SUCH_POINT', () => point('late', 1))
  assert.match(
    broken.message,
    /a backup late that reached .* not broken; it (expired|was aborted) at event \d+/,
  )
})

test('of two hosts that played traces neither is taken, and what came otherwise is no trace', async () => {
  const run = await startRun()
  for (const name of ['disk', 'served']) await run.volume(name, 16)
  const write = (session: number, volume: number) =>
    run.ask({ kind: 'io.write', session, volume, request: 1, offset: 0, data: new Uint8Array(4096) })
  await run.must('run.begin', { scenario: 'night', digest: '', seed: 1 })
  for (const name of ['db', 'batch']) await run.must('session.open', { name })
  await run.must('run.end', { scenario: 'night' })
  await run.must('session.open', { name: 'far-4711' })
  await write(1, 1)
  await write(3, 1)
  await write(3, 2)
  await run.settled()
  const source = (volume: number) => seqOf(run.opened.journal, { by: 'source', number: 1 }, volume)
  assert.ok((await source(1)) > 0)
  assert.match(
    (await fails('NO_SUCH_POINT', () => source(2))).message,
    /none was recorded into volume served/,
  )
  await write(2, 1)
  await run.settled()
  const both = await fails('NO_SUCH_POINT', () => source(1))
  assert.match(both.message, /db \(session 1\), batch \(session 2\) all played one into volume disk/)
})

test.run()
