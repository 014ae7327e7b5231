/**
 * The verdict of a replay on content and on itself: a read that returned anything but the last writes is found where it
 * stands, so is payload that is no more, a promise that was given too early, and a replay that does not come out twice.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../src/check/all.ts'
import { frameFlags } from '../../src/journal/frame.ts'
import { tables } from '../../src/journal/keys.ts'
import { holdQueue } from '../../src/layers/hold-queue.ts'
import { replay } from '../../src/replay/replay.ts'
import { act, prepare, restoring } from '../support/busy.ts'
import { eventsOf, forgery, placeOf } from '../support/forgery.ts'
import { type Run, startRun } from '../support/run.ts'
import { copyOf, framesOf, headAt, openMemory } from '../support/store.ts'

const test = suite('content')

async function busy(seed: number, steps = 120): Promise<Run> {
  const run = await startRun({ readDigests: 'always' })
  await prepare(run)
  if (seed % 2 === 1) await restoring(run)
  for (let k = 0; k < steps; k++) await act(run, (seed + k * 104_729) % 99_991)
  await run.settled()
  return run
}

test('what reads returned is what was written last, through backups, restores and copies', async () => {
  let compared = 0
  for (const seed of [1, 2, 3, 4]) {
    const { journal, payload } = (await busy(seed)).opened
    const verdict = await replay(journal, { checks, payload, twice: true })
    assert.equal(verdict.findings, [])
    assert.is(verdict.twice, verdict.frames)
    assert.is(verdict.reads?.unknown, 0)
    compared += verdict.reads!.reads
  }
  assert.ok(compared > 30, `${compared} reads`)
})

test('a read that returned something else is a finding at its place, and only of content', async () => {
  const run = await busy(5)
  const frames = await framesOf(run.opened.store)
  const reads = eventsOf(frames).filter(({ op, fate }) => op === 'read' && fate === 'passed')
  assert.ok(reads.some(({ kind }) => kind === 'io.read') && reads.some(({ kind }) => kind !== 'io.read'))
  for (const { seq } of reads.filter((_, k) => k % 5 === 0)) {
    const { index, row } = placeOf(frames, seq)
    const { journal, payload } = await forgery(run.opened.store, index, ({ columns }) => {
      columns.digestLow[row]! ^= 1
      return { columns }
    })
    const { findings } = await replay(journal, { checks, payload })
    assert.equal(
      findings.map((one) => [one.seq, one.rule]),
      [[seq, 'G-I6']],
    )
    assert.match(findings[0]!.detail, /did not return the last writes before it/)
    assert.equal((await replay(journal, { checks })).findings, [])
  }
})

test('payload that is missing is a finding of the reads that returned it', async () => {
  const run = await startRun({ readDigests: 'always' })
  await run.must('session.open', { name: 'host' })
  await run.volume('v', 16)
  await run.io('io.write', { at: 3, fill: 7 })
  await run.io('io.read', { at: 3 })
  await run.settled()
  const frames = await framesOf(run.opened.store)
  const store = await copyOf(run.opened.store, (table) => table !== tables.payload)
  const { journal, payload } = await openMemory({ store, head: headAt(frames.at(-1)) })
  const { findings } = await replay(journal, { payload })
  assert.ok(findings.length > 0)
  assert.ok(findings.every(({ rule, detail }) => rule === 'PAYLOAD_CORRUPT' && /damaged/.test(detail)))
})

test('a buffered run may answer writes early, flushes and FUA never', async () => {
  const run = await startRun({ ack: 'buffered' })
  await run.must('session.open', { name: 'host' })
  await run.volume('v', 16)
  for (const flags of [0, 1]) await run.io('io.write', { at: 1, flags })
  run.post('io.write', { at: 2 })
  run.post('io.flush')
  await run.settled()
  const frames = await framesOf(run.opened.store)
  const events = eventsOf(frames)
  const plain = events.find(({ kind, flags }) => kind === 'io.write' && !flags)!
  const fua = events.find(({ kind, flags }) => kind === 'io.write' && flags === 1)!
  const flush = events.find(({ kind }) => kind === 'io.flush')!
  const early = async (seq: number) => {
    const { index } = placeOf(frames, seq)
    const { journal } = await forgery(run.opened.store, index, (parts) => {
      assert.ok((parts.flags & frameFlags.buffered) !== 0)
      return { replied: seq }
    })
    return (await replay(journal)).findings.map((one) => [one.seq, one.rule])
  }
  assert.equal(await early(plain.seq), [])
  assert.equal(await early(fua.seq), [[fua.seq, 'G-I3']])
  assert.equal(await early(flush.seq), [[flush.seq, 'G-I3']])
})

test('a replay that comes out otherwise the second time is a finding where it parts', async () => {
  const { journal } = (await busy(8, 40)).opened
  const ends: number[] = []
  const { frames } = await replay(journal, { twice: true, onFrame: ({ last }) => ends.push(last) })
  const honest = holdQueue.hash
  let asked = 0
  const plant = (at: number) => {
    asked = 0
    holdQueue.hash = (state, lanes) => {
      honest(state, lanes)
      if (++asked === at) lanes.add(1, 1)
    }
  }
  try {
    plant(Number.POSITIVE_INFINITY)
    await replay(journal, { twice: true })
    const perFrame = Math.floor(asked / frames)
    let found = 0
    for (let at = perFrame * 3; at < perFrame * 4; at++) {
      plant(at)
      const { findings, twice } = await replay(journal, { twice: true })
      assert.ok(
        findings.length > 0 && findings.every(({ rule }) => rule === 'G-I8'),
        JSON.stringify(findings),
      )
      if (/second time, frame \d+ to \d+ comes out otherwise/.test(findings[0]!.detail)) {
        found++
        assert.ok(twice > 0 && twice < frames)
        assert.ok(ends.includes(findings[0]!.seq))
      }
    }
    assert.ok(found > 0)
  } finally {
    holdQueue.hash = honest
  }
})

test.run()
