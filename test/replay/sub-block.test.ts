/**
 * The record of changes of parts of blocks: forged or damaged, it is found; what could not be merged is refused on
 * record and decided the same again.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Finding } from '../../src/check/check.ts'
import { key, tables } from '../../src/journal/keys.ts'
import type { PayloadStore } from '../../src/payload/payload.ts'
import { replay } from '../../src/replay/replay.ts'
import { subBlock } from '../../src/replay/sub-block.ts'
import { verify } from '../../src/replay/verify.ts'
import { eventsOf, forgery, placeOf, rewritten } from '../support/forgery.ts'
import { type Run, startRun } from '../support/run.ts'
import { copyOf, entriesOf, framesOf, headAt, type Opened } from '../support/store.ts'

const test = suite('record of sub-block changes')

const bounds = { deadlineMs: 1000, maxEntries: 0, maxBytes: 0 }
const data = (length: number, fill: number) => new Uint8Array(length).fill(fill)
const at = (offset: number) => ({ session: 1, volume: 1, request: offset, offset })

/** Whole blocks, then parts of them: two at once, zeros at once, and a write and zeros that were held. */
async function recorded(): Promise<Run> {
  const run = await startRun()
  await run.volume('disk', 16)
  await run.must('session.open', { name: 'host' })
  await run.io('io.write', { at: 0, count: 6, fill: 1 })
  await run.ask({ kind: 'io.write', ...at(100), data: data(50, 2) })
  await run.ask({ kind: 'io.zeroes', ...at(4000), length: 8500 })
  await run.must('backup.start', { name: 'b', volumes: [1], ...bounds })
  const held = [
    run.ask({ kind: 'io.write', ...at(4090), data: data(700, 3) }),
    run.ask({ kind: 'io.discard', ...at(9000), length: 12_000 }),
  ]
  await run.settled()
  await run.must('backup.stop', { name: 'b' })
  await Promise.all(held)
  return run
}

/** A store in which one byte behind a place reads as another. */
function altered(payload: PayloadStore, place: number, byte: number): PayloadStore {
  return {
    put: (bytes) => payload.put(bytes),
    sync: () => payload.sync(),
    read(from, length) {
      const bytes = payload.read(from, length).slice()
      const k = (place - from) * 512 + byte
      if (k >= 0 && k < length) bytes[k]! ^= 1
      return bytes
    },
  }
}

async function found({ journal }: Opened, payload: PayloadStore): Promise<readonly Finding[]> {
  return (await replay(journal, { checks: [subBlock(payload)] })).findings
}

test('a sound record: what is stored, and that nothing is found', async () => {
  const { opened } = await recorded()
  assert.equal(await found(opened, opened.payload), [])
  const verdict = await verify(opened.journal, opened.payload)
  assert.equal(verdict.findings, [])
  const blocks = 6 + 1 + 2 + 2 + 2
  assert.is(verdict.payloadBytes, blocks * 4096 + 700, 'merged blocks, and the bytes that were held')
})

test('merged blocks that are not what was there with the bytes over it are found', async () => {
  const { opened } = await recorded()
  const rows = eventsOf(await framesOf(opened.store)).filter((event) => event.payload !== undefined)
  const odd = rows.filter(({ fate, offset = 0 }) => fate === 'passed' && offset % 4096 > 0)
  assert.equal(
    odd.map(({ kind }) => kind),
    ['io.write', 'io.zeroes', 'hold.released', 'hold.released'],
  )
  const outside = [0, 0, 0, 0]
  for (const [k, { seq, payload }] of odd.entries()) {
    const findings = await found(opened, altered(opened.payload, payload!, outside[k]!))
    assert.is(findings[0]?.rule, 'sub-block')
    assert.is(findings[0]?.seq, seq)
  }
  const inside = await found(opened, altered(opened.payload, odd[2]!.payload!, 4095))
  assert.equal(
    [inside[0]?.rule, inside[0]?.seq],
    ['sub-block', odd[2]!.seq],
    'a byte of a write that was held',
  )
  const zero = await found(opened, altered(opened.payload, odd[1]!.payload!, 4095))
  assert.equal([zero[0]?.rule, zero[0]?.seq], ['sub-block', odd[1]!.seq], 'a byte that was to be zero')
})

test('a release may name other blocks only where it merges', async () => {
  const run = await recorded()
  await run.must('backup.start', { name: 'c', volumes: [1], ...bounds })
  run.post('io.write', { at: 3 })
  await run.settled()
  await run.must('backup.stop', { name: 'c' })
  const frames = await framesOf(run.opened.store)
  const release = eventsOf(frames).findLast(({ kind }) => kind === 'hold.released')!
  const { index, row } = placeOf(frames, release.seq)
  const forged = await forgery(run.opened.store, index, (parts) => {
    const events = eventsOf([frames[index]!]).map(({ seq: _, ...event }) => event)
    events[row] = { ...events[row]!, payload: release.payload! + 8 }
    return rewritten(parts, events)
  })
  const [finding] = await found(forged, forged.payload)
  assert.equal([finding?.rule, finding?.seq], ['decide', release.seq])
})

test('a damaged payload of a release is found by its digest', async () => {
  const { opened } = await recorded()
  const release = eventsOf(await framesOf(opened.store)).findLast(({ kind }) => kind === 'hold.released')!
  const { journal, payload } = opened
  const { findings } = await verify(journal, altered(payload, release.payload!, 5))
  assert.equal(
    findings.map(({ seq, rule }) => [seq, rule]),
    [[release.seq, 'PAYLOAD_CORRUPT']],
  )
})

test('of a journal whose beginning was given up the payloads are checked all the same', async () => {
  const run = await startRun({ checkpointEvery: 4 })
  await run.volume('disk', 16)
  await run.must('session.open', { name: 'host' })
  for (let k = 0; k < 9; k++) await run.ask({ kind: 'io.write', ...at(100 + k), data: data(4096, 2 + k) })
  const { journal, payload } = run.opened
  await journal.truncateBefore((await journal.checkpoint())!.seq + 1)
  assert.ok(journal.bounds().first > 4)
  const verdict = await verify(journal, payload)
  assert.equal(verdict.findings, [])
  assert.is(verdict.payloadBytes, verdict.payloads * 8192)
  const last = eventsOf(await framesOf(run.opened.store)).findLast((event) => event.payload !== undefined)!
  const { findings } = await verify(journal, altered(payload, last.payload!, 8191))
  assert.equal(
    findings.map(({ seq, rule }) => [seq, rule]),
    [[last.seq, 'PAYLOAD_CORRUPT']],
  )
})

test('what cannot be merged because what is there is damaged is refused, at once or when it is released', async () => {
  const run = await startRun()
  await run.volume('disk', 16)
  await run.must('session.open', { name: 'host' })
  await run.io('io.write', { at: 7, fill: 1 })
  const { store } = run.opened
  const copy = await copyOf(store)
  const [name, chunk] = (await entriesOf(copy)).find(([one]) => one[0] === tables.payload)!
  chunk[100]! ^= 1
  await copy.put(name, chunk, { sync: true })
  assert.ok(await copy.get(key(tables.payload, 1)))
  const again = await startRun({ on: { store: copy, head: headAt((await framesOf(store)).at(-1)) } })
  await again.must('session.open', { name: 'host' })
  const session = again.engine.world.sessionsOpened
  const odd = { session, volume: 1, offset: 7 * 4096 + 10 }
  assert.is((await again.ask({ kind: 'io.write', ...odd, data: data(5, 9) }))?.code, 'E_IO')
  assert.is((await again.ask({ kind: 'io.zeroes', ...odd, length: 9 }))?.code, 'E_IO')
  await again.must('backup.start', { name: 'b', volumes: [1], ...bounds })
  const waits = again.ask({ kind: 'io.write', ...odd, data: data(5, 9) })
  const whole = again.io('io.write', { session, at: 7, fill: 2 })
  await again.settled()
  await again.must('backup.stop', { name: 'b' })
  assert.is((await waits)?.code, 'E_IO')
  assert.is((await whole)?.code, 'ok')
  assert.is(
    (await again.ask({ kind: 'io.write', ...odd, data: data(5, 9) }))?.code,
    'ok',
    'it was overwritten',
  )
  await again.settled()
  assert.equal((await replay(again.opened.journal)).findings, [])
})

test.run()
