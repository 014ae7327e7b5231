/**
 * Fences in the engine: the pattern is made and stored when what it overwrites is saved durably, the mountable block
 * comes in a later frame than the rest, a deadline ends the waiting; the record replays, and every frame of it is a
 * place where the process may die.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../src/check/all.ts'
import type { CommandAsk } from '../../src/engine/ask.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import { readContent } from '../../src/images/content.ts'
import { fencesOf } from '../../src/layers/fence-state.ts'
import { decodePattern } from '../../src/layout/pattern.ts'
import { replay } from '../../src/replay/replay.ts'
import { verify } from '../../src/replay/verify.ts'
import { manualClock } from '../support/clock.ts'
import { blockBytes, type Run, type RunOptions, startRun } from '../support/run.ts'
import { cutAfter, framesOf, openMemory } from '../support/store.ts'

const test = suite('fence in the engine')

const meta = [0, blockBytes, 4 * blockBytes, 2 * blockBytes]
const terms = {
  name: 'f',
  meta,
  covered: [],
  full: true,
  advisory: false,
  metaFirst: false,
  last: 0,
  deadlineMs: 0,
}
const raise = { kind: 'fence.raise', session: 1, volume: 1, detail: terms } as const
const verb = (kind: CommandAsk['kind']): CommandAsk => ({ kind, session: 1, detail: { name: 'f' } })

async function disk(options: RunOptions = {}): Promise<Run> {
  const run = await startRun(options)
  await run.volume('disk', 8)
  await run.must('session.open', { name: 'owner' })
  await run.must('session.open', { name: 'other' })
  for (let at = 0; at < 8; at++) await run.io('io.write', { at, fill: at + 1 })
  return run
}

async function asked(run: Run, ask: CommandAsk): Promise<void> {
  const answer = await run.ask(ask)
  assert.is(answer?.code, 'ok', ask.kind)
  await run.settled()
  await run.settled()
}

const fills = (run: Run, payload = run.opened.payload) => {
  const [volume] = run.engine.world.volumes
  const bytes = readContent(run.engine.world, volume!, payload, 0, 8 * blockBytes)
  return [...Array(8).keys()].map((at) =>
    decodePattern(bytes, at * blockBytes) ? 'P' : bytes[at * blockBytes]!,
  )
}

async function recorded(run: Run): Promise<[string, number][]> {
  const rows: [string, number][] = []
  for (const [k, frame] of (await framesOf(run.opened.store)).entries()) {
    const row = frame.open()
    for (row.index = 0; row.index < frame.count; row.index++) rows.push([row.kind, k])
  }
  return rows
}

/** Saved, patterned, operated on, lowered. */
async function life(options: RunOptions = {}): Promise<Run> {
  const run = await disk(options)
  await asked(run, raise)
  await asked(run, verb('fence.operate'))
  await run.io('io.write', { at: 2, fill: 99 })
  await asked(run, {
    ...verb('fence.update'),
    offset: blockBytes * 4,
    data: new Uint8Array(blockBytes).fill(77),
  })
  await asked(run, verb('fence.finish'))
  await asked(run, verb('fence.lower'))
  return run
}

test('the pattern says whose it is and what was saved, and lies over all metadata', async () => {
  const run = await disk()
  await asked(run, raise)
  assert.equal(fills(run), ['P', 2, 3, 4, 'P', 'P', 7, 8])
  const fence = fencesOf(run.engine.world).byTag.get(1)!
  assert.is(fence.phase, 'fenced')
  const read = await run.io('io.read', { session: 2 })
  const found = decodePattern(read!.data!, 512)
  assert.equal([found?.fence, found?.owner], [1, 'owner'])
})

test('saved is durable before the pattern, the rest of the metadata before what makes the device mountable', async () => {
  const run = await life()
  assert.equal(fills(run), [1, 2, 99, 4, 77, 6, 7, 8])
  const rows = await recorded(run)
  const frameOf = (kind: string, nth = 0) => rows.filter(([name]) => name === kind)[nth]![1]
  assert.ok(frameOf('fence.saved') < frameOf('fence.pattern_written'))
  const written = rows.filter(([kind]) => kind === 'fence.meta_written').map(([, frame]) => frame)
  assert.is(written.length, 3)
  assert.ok(written[1]! < written[2]!)
  assert.ok(written[2]! < frameOf('fence.lowered'))
})

test('the record of a fence can be trusted, and decided again', async () => {
  const run = await life()
  const { journal, payload } = run.opened
  const verdict = await replay(journal, { checks })
  assert.equal(verdict.findings, [])
  const { findings, payloads } = await verify(journal, payload)
  assert.equal(findings, [])
  assert.is(payloads, 8 + 1 + 1 + 1)
})

test('a fence that waits longer than its deadline is given up', async () => {
  const run = await disk()
  await run.volume('clone', 8)
  await run.must('pair.create', { name: 'p', source: 1, clone: 2, extent: blockBytes * 2 })
  await run.must('pair.sync', { name: 'p' })
  run.post('io.write', { at: 0, session: 2 })
  await run.settled()
  await asked(run, { ...raise, detail: { ...terms, deadlineMs: 500 } })
  assert.is(fencesOf(run.engine.world).byTag.get(1)?.phase, 'closing')
  run.clock.advance(500)
  await run.settled()
  assert.is(fencesOf(run.engine.world).byTag.size, 0)
  assert.is(run.clock.waiting().count, 0)
})

test('commands carry bytes where their kind does, in whole units', async () => {
  const run = await disk()
  await asked(run, raise)
  const update = { ...verb('fence.update'), offset: 0 }
  const wrong: CommandAsk[] = [
    update,
    { ...update, data: new Uint8Array(0) },
    { ...update, data: new Uint8Array(100) },
    { ...update, data: new Uint8Array(blockBytes), length: 512 },
    { ...update, data: 'bytes' as unknown as Uint8Array },
    { ...verb('fence.lower'), data: new Uint8Array(512) },
    { kind: 'fence.pattern', tag: 1, about: 1, detail: { savedDigest: '' } },
  ]
  for (const ask of wrong) await run.ask(ask)
  assert.is(run.errors.length, wrong.length)
  const half = { ...update, offset: 4 * blockBytes, data: new Uint8Array(blockBytes + 512) }
  assert.is((await run.ask(half))?.code, 'E_ALIGN')
  assert.is((await run.ask({ ...update, data: new Uint8Array(blockBytes) }))?.code, 'ok')
})

test('the process may die after any frame: old metadata, the pattern, or new metadata with all data', async () => {
  const run = await life({ checkpointEvery: 2 })
  const frames = await framesOf(run.opened.store)
  const seen = new Set<string>()
  for (const frame of frames.slice(12)) {
    const opened = await openMemory(await cutAfter(run.opened.store, frame))
    const engine = await openEngine({ ...opened, clock: manualClock() })
    await engine.settled()
    await new Promise((resolve) => setImmediate(resolve))
    await engine.settled()
    const [volume] = engine.world.volumes
    const bytes = readContent(engine.world, volume!, opened.payload, 0, 8 * blockBytes)
    const at = (block: number) =>
      decodePattern(bytes, block * blockBytes) ? 'P' : String(bytes[block * blockBytes])
    const found = [0, 4, 5, 2].map(at).join(' ')
    seen.add(`${fencesOf(engine.world).byTag.get(1)?.phase ?? 'none'}: ${found}`)
    assert.equal((await replay(opened.journal, { checks })).findings, [])
    await engine.close()
  }
  assert.equal([...seen].sort(), [
    'fenced: P P P 3',
    'none: 1 5 6 3',
    'none: 1 77 6 99',
    'ready: P P P 99',
    'stuck: P P P 99',
  ])
})

test.run()
