/** Verify: a whole journal and its payloads, and the head that somebody kept elsewhere: rolled back, rewritten, held. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hex } from '../../src/core/digest.ts'
import { writeCheckpoint } from '../../src/journal/checkpoints.ts'
import { verify } from '../../src/replay/verify.ts'
import { act, prepare } from '../support/busy.ts'
import { eventsOf, forgery, placeOf } from '../support/forgery.ts'
import { type Run, startRun } from '../support/run.ts'
import { cutAfter, framesOf, openMemory } from '../support/store.ts'

const test = suite('verify')

async function recorded(): Promise<Run> {
  const run = await startRun({ checkpointEvery: 20 })
  await prepare(run)
  for (let k = 0; k < 40; k++) await act(run, (k * 104_729) % 99_991)
  await run.settled()
  return run
}

const rulesOf = ({ findings }: { findings: readonly { seq: number; rule: string }[] }) =>
  findings.map(({ seq, rule }) => [seq, rule])

test('a whole journal: counts, and no finding', async () => {
  const { journal, payload, store } = (await recorded()).opened
  const events = eventsOf(await framesOf(store))
  const seen: number[] = []
  const verdict = await verify(journal, payload, { onFrame: (seq) => seen.push(seq) })
  assert.equal(verdict.findings, [])
  assert.is(verdict.events, events.length)
  assert.is(verdict.frames, seen.length)
  assert.is(
    verdict.payloads,
    events.filter(({ kind, payload: place }) => kind === 'io.write' && place).length,
  )
  assert.equal(verdict.head, { seq: events.length, hash: hex(journal.bounds().head) })
})

test('a head kept elsewhere is held by the journal it is of, however it is written', async () => {
  const { journal, payload, store } = (await recorded()).opened
  for (const { last, hash } of await framesOf(store)) {
    for (const text of [hex(hash), hex(hash).toUpperCase()]) {
      assert.equal(rulesOf(await verify(journal, payload, { heads: [{ seq: last, hash: text }] })), [])
    }
  }
  assert.equal(rulesOf(await verify(journal, payload, { heads: [{ seq: 0, hash: '0'.repeat(64) }] })), [])
  const empty = await openMemory()
  const none = { seq: 0, hash: '0'.repeat(64) }
  assert.equal(rulesOf(await verify(empty.journal, empty.payload, { heads: [none] })), [])
  assert.equal(rulesOf(await verify(empty.journal, empty.payload, { heads: [{ ...none, seq: 4 }] })), [
    [1, 'HEAD'],
  ])
})

test('an old copy of the whole journal is found by the head of a newer one', async () => {
  const run = await recorded()
  const frames = await framesOf(run.opened.store)
  const head = { seq: frames.at(-1)!.last, hash: hex(frames.at(-1)!.hash) }
  const old = await openMemory(await cutAfter(run.opened.store, frames.at(-4)!))
  assert.equal(rulesOf(await verify(old.journal, old.payload)), [])
  const verdict = await verify(old.journal, old.payload, { heads: [head] })
  assert.equal(rulesOf(verdict), [[frames.at(-4)!.last + 1, 'HEAD']])
  assert.match(verdict.findings[0]!.detail, /rolled back/)
})

test('a rewritten history is found by the head of the true one, and by nothing else', async () => {
  const run = await recorded()
  const frames = await framesOf(run.opened.store)
  const index = frames.length - 3
  const head = { seq: frames[index]!.last, hash: hex(frames[index]!.hash) }
  const { journal, payload } = await forgery(run.opened.store, 2, () => ({ instantNs: 1n }))
  assert.equal(rulesOf(await verify(journal, payload)), [])
  const verdict = await verify(journal, payload, { heads: [head] })
  assert.equal(rulesOf(verdict), [[head.seq, 'HEAD']])
  assert.match(verdict.findings[0]!.detail, /rewritten/)
  const middle = { seq: head.seq + 1, hash: head.hash }
  assert.is((await verify(run.opened.journal, run.opened.payload, { heads: [middle] })).findings.length, 1)
})

test('of what was given up, the head right before the beginning is held, earlier ones cannot be shown', async () => {
  const run = await recorded()
  const { journal, payload, store } = run.opened
  const frames = await framesOf(store)
  const checkpoint = (await journal.checkpoint())!
  await journal.truncateBefore(checkpoint.seq + 1)
  const k = frames.findIndex(({ last }) => last === checkpoint.seq)
  const headOf = (index: number) => ({ seq: frames[index]!.last, hash: hex(frames[index]!.hash) })
  assert.equal(rulesOf(await verify(journal, payload, { heads: [headOf(k)] })), [])
  const verdict = await verify(journal, payload, { heads: [headOf(k - 1)] })
  assert.equal(rulesOf(verdict), [[checkpoint.seq + 1, 'HEAD']])
  assert.match(verdict.findings[0]!.detail, /begins with event/)
})

test('a checkpoint that lies there byte for byte as it was kept and gives another state is named', async () => {
  const { opened } = await recorded()
  const { journal, payload, store } = opened
  const { last } = journal.bounds()
  const { frameHash, ...checkpoint } = (await journal.checkpoint(last))!
  await writeCheckpoint(store, { ...checkpoint, frameHash, stateLow: checkpoint.stateLow ^ 1 })
  const verdict = await verify(journal, payload)
  assert.equal(rulesOf(verdict), [[checkpoint.seq, 'CHECKPOINT_CORRUPT']])
  assert.match(verdict.findings[0]!.detail, /does not give the state it was made of/)
})

test('a payload digest that was forged in the frame, or a digest too many', async () => {
  const run = await recorded()
  const frames = await framesOf(run.opened.store)
  const write = eventsOf(frames).find(({ kind, payload }) => kind === 'io.write' && payload !== undefined)!
  const { index, row } = placeOf(frames, write.seq)
  const digest = await forgery(run.opened.store, index, ({ digests }) => ({
    digests: digests.map((one, k) => (k === 0 ? one.slice().fill(7, 20) : one)),
  }))
  assert.equal(rulesOf(await verify(digest.journal, digest.payload)), [[write.seq, 'PAYLOAD_CORRUPT']])
  const short = await forgery(run.opened.store, index, ({ columns }) => {
    columns.digestLow[row]! ^= 1
    return { columns }
  })
  assert.equal(rulesOf(await verify(short.journal, short.payload)), [[write.seq, 'JOURNAL_CORRUPT']])
  const more = await forgery(run.opened.store, index, ({ digests }) => ({
    digests: [...digests, digests[0]!],
  }))
  assert.equal(rulesOf(await verify(more.journal, more.payload)), [[frames[index]!.first, 'JOURNAL_CORRUPT']])
})

test.run()
