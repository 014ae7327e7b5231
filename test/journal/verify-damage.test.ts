/**
 * Every byte of what a journal stores, changed one at a time: opening or verifying says so, with the first sequence
 * number that cannot be trusted; or the change is of a checkpoint, which is a copy and is passed over.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { recoverWorld } from '../../src/engine/open-engine.ts'
import { key, numberOf, tables } from '../../src/journal/keys.ts'
import { chunkHeaderBytes, chunkOf, offsetOf } from '../../src/payload/chunk.ts'
import { verify } from '../../src/replay/verify.ts'
import { stateHashText } from '../../src/volume/snapshot.ts'
import { fails } from '../support/frames.ts'
import { type Run, startRun } from '../support/run.ts'
import { copyOf, entriesOf, framesOf, headAt, openMemory } from '../support/store.ts'

const test = suite('verify damage')

interface Recorded {
  readonly run: Run
  /** Writes by the range of their payload in the stored chunk. */
  readonly payloads: {
    readonly seq: number
    readonly chunk: number
    readonly from: number
    readonly to: number
  }[]
}

/** A journal of 512-byte blocks, of which two writes share a chunk. */
async function recorded(): Promise<Recorded> {
  const run = await startRun()
  await run.must('volume.create', { name: 'disk', size: 8192, block: 512 })
  await run.must('session.open', { name: 'host' })
  const write = (offset: number, fill: number, length = 512) => {
    const data = new Uint8Array(length).fill(fill)
    return run.ask({ kind: 'io.write', session: 1, volume: 1, offset, data })
  }
  await Promise.all([write(0, 1), write(512, 2), write(1024, 3, 1024)])
  await write(4096, 4)
  await write(0, 5)
  const payloads: Recorded['payloads'][number][] = []
  for (const frame of await framesOf(run.opened.store)) {
    const row = frame.open()
    for (row.index = 0; row.index < frame.count; row.index++) {
      if (row.kind !== 'io.write') continue
      const from = chunkHeaderBytes + offsetOf(row.payload)
      payloads.push({ seq: row.seq, chunk: chunkOf(row.payload), from, to: from + row.length })
    }
  }
  return { run, payloads }
}

/** The first thing that opening or verifying says of a journal; undefined when it says nothing. */
async function firstSaid(
  opening: Parameters<typeof openMemory>[0],
): Promise<{ code: string; seq: number } | undefined> {
  try {
    const { journal, payload } = await openMemory(opening)
    const [first] = (await verify(journal, payload)).findings
    return first === undefined ? undefined : { code: first.rule, seq: first.seq }
  } catch (error) {
    if (!(error instanceof BlockboxError) || error.seq === undefined) throw error
    return { code: error.code, seq: error.seq }
  }
}

test('every byte of every frame', async () => {
  const { run } = await recorded()
  const { store } = run.opened
  const frames = await framesOf(store)
  const head = headAt(frames.at(-1))
  assert.is(await firstSaid({ store, head }), undefined)
  for (const frame of frames) {
    for (let at = 0; at < frame.bytes.length; at++) {
      const changed = frame.bytes.slice()
      changed[at]! ^= 1 << (at % 8)
      await store.put(key(tables.frame, frame.first), changed, { sync: true })
      const said = await firstSaid({ store, head })
      assert.equal(
        said,
        { code: 'JOURNAL_CORRUPT', seq: frame.first },
        `byte ${at} of the frame of ${frame.first}`,
      )
    }
    await store.put(key(tables.frame, frame.first), frame.bytes, { sync: true })
  }
  assert.is(await firstSaid({ store, head }), undefined)
})

test('every byte of every payload: the write it belongs to is named', async () => {
  const { run, payloads } = await recorded()
  const { store } = run.opened
  const head = headAt((await framesOf(store)).at(-1))
  const chunks = (await entriesOf(store)).filter(([at]) => at[0] === tables.payload)
  assert.is(chunks.length, 3)
  for (const [at, bytes] of chunks) {
    const inside = payloads.filter(({ chunk }) => chunk === numberOf(at))
    for (let place = 0; place < bytes.length; place++) {
      const changed = bytes.slice()
      changed[place]! ^= 1 << (place % 8)
      await store.put(at, changed, { sync: true })
      const hit = inside.find(({ from, to }) => place >= from && place < to) ?? inside[0]!
      const said = await firstSaid({ store, head })
      assert.equal(said, { code: 'PAYLOAD_CORRUPT', seq: hit.seq }, `byte ${place} of chunk ${numberOf(at)}`)
    }
    for (const cut of [0, 15, 16, bytes.length - 1]) {
      await store.put(at, bytes.slice(0, cut), { sync: true })
      assert.is((await firstSaid({ store, head }))?.code, 'PAYLOAD_CORRUPT')
    }
    await store.put(at, bytes, { sync: true })
  }
  const { findings, payloads: counted } = await verify(run.opened.journal, run.opened.payload)
  assert.equal([findings, counted], [[], 5])
})

test('a payload that is missing is named by every write it held', async () => {
  const { run, payloads } = await recorded()
  const { store } = run.opened
  const copy = await copyOf(store, (table, number) => table !== tables.payload || number !== 1)
  const { journal, payload } = await openMemory({ store: copy, head: headAt((await framesOf(store)).at(-1)) })
  const { findings } = await verify(journal, payload)
  const lost = payloads.filter(({ chunk }) => chunk === 1).map(({ seq }) => seq)
  assert.equal(
    findings.map(({ seq }) => seq),
    lost,
  )
  assert.is(lost.length, 3)
})

test('every byte of a checkpoint: it is passed over, the state comes from the frames, and verify says so', async () => {
  const { run } = await recorded()
  const expected = stateHashText(run.engine.world)
  await run.engine.close()
  const { store } = run.opened
  await store.open()
  const head = headAt((await framesOf(store)).at(-1))
  const parts = (await entriesOf(store)).filter(
    ([at]) => at[0] === tables.part || at[0] === tables.checkpoint,
  )
  assert.is(parts.length, 3)
  for (const [at, bytes] of parts) {
    const step = Math.max(1, Math.floor(bytes.length / 150))
    for (let place = 0; place < bytes.length; place += step) {
      const changed = bytes.slice()
      changed[place]! ^= 1 << (place % 8)
      await store.put(at, changed, { sync: true })
      const { journal, payload } = await openMemory({ store, head })
      assert.is(await journal.checkpoint(), undefined)
      const [said, ...more] = (await verify(journal, payload)).findings
      assert.equal([said?.rule, said?.seq, more.length], ['CHECKPOINT_CORRUPT', journal.bounds().last, 0])
      const world = await recoverWorld(journal)
      assert.is(world.volumes[0]!.map.mapped, 5, expected)
    }
    await store.put(at, bytes, { sync: true })
  }
})

test('every byte of the record of where the journal begins', async () => {
  const { run } = await recorded()
  await run.engine.close()
  const { store } = run.opened
  await store.open()
  const head = headAt((await framesOf(store)).at(-1))
  const { journal } = await openMemory({ store, head })
  await journal.truncateBefore(journal.bounds().last + 1)
  const base = (await store.get(key(tables.base, 0)))!
  for (let at = 0; at < base.length; at++) {
    const changed = base.slice()
    changed[at]! ^= 1
    await store.put(key(tables.base, 0), changed, { sync: true })
    await fails('JOURNAL_CORRUPT', () => openMemory({ store, head }), 1)
  }
})

test.run()
