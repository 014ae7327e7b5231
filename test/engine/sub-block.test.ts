/**
 * Changes of any bytes, from several sessions, under every layer, against plain arrays of bytes: what reads find, what
 * volumes hold at the end, after each recovery, and decided again. The record itself is sound: replay and verify find
 * nothing, and merged blocks are what their bytes make of what was there.
 */

import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../src/check/all.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import type { Code } from '../../src/events/code.ts'
import { readContent } from '../../src/images/content.ts'
import type { Frame } from '../../src/journal/frame.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { preservesOf } from '../../src/layers/preserve-state.ts'
import { worldAt } from '../../src/replay/at.ts'
import { replay } from '../../src/replay/replay.ts'
import { subBlock } from '../../src/replay/sub-block.ts'
import { verify } from '../../src/replay/verify.ts'
import { ByteOracle, same } from '../support/byte-oracle.ts'
import { manualClock } from '../support/clock.ts'
import { OddRun } from '../support/odd-run.ts'
import { blockBytes, type Run } from '../support/run.ts'
import { cutAfter, framesOf, openMemory } from '../support/store.ts'

const test = suite('sub-block changes')

function oracleOf(odd: OddRun, frames: readonly Frame[]): ByteOracle {
  const got = new Map<number, Uint8Array>()
  for (const { seq, data } of odd.run.answers) if (data !== undefined) got.set(seq, data)
  const oracle = new ByteOracle(blockBytes, odd.sent, got)
  for (const frame of frames) {
    const row = frame.open()
    for (row.index = 0; row.index < frame.count; row.index++) oracle.take(row)
  }
  return oracle
}

/** Every volume of an engine against the oracle, but for a clone that is being made, which nobody can read. */
function compare({ engine, opened }: Pick<Run, 'engine' | 'opened'>, oracle: ByteOracle): void {
  const pairs = [...pairsOf(engine.world).byTag.values()]
  for (const volume of engine.world.volumes) {
    const held = oracle.held.get(volume.id)
    if (held === undefined) continue
    if (pairs.some(({ clone, phase }) => clone === volume.id && phase === 'syncing')) continue
    const found = readContent(engine.world, volume, opened.payload, 0, volume.size)
    same(found, held, `volume ${volume.id}`)
  }
}

async function isSound({ opened }: Run): Promise<void> {
  const { journal, payload } = opened
  const all = [...checks, subBlock(payload)]
  assert.equal((await replay(journal, { checks: all })).findings, [])
  assert.equal((await verify(journal, payload)).findings, [])
}

const layers = { held: 0, queued: 0, protected: 0, both: 0, views: 0, viewsQueued: 0, merged: 0 }

function note(frames: readonly Frame[], views: ReadonlySet<number>): void {
  for (const frame of frames) {
    const row = frame.open()
    for (row.index = 0; row.index < frame.count; row.index++) {
      const odd = row.op !== 'none' && row.op !== 'read' && (row.offset % 4096 > 0 || row.length % 4096 > 0)
      if (odd && row.kind === 'hold.released') layers.held++
      if (odd && row.kind === 'cod.released') layers.queued++
      if (odd && views.has(row.volume) && row.fate === 'passed') layers.views++
      if (odd && views.has(row.volume) && row.fate === 'queued') layers.viewsQueued++
      if (row.kind === 'restore.started') layers[row.detail.protected === true ? 'protected' : 'both']++
      if (row.kind === 'merge.finished') layers.merged++
    }
  }
}

test('the bytes are those of plain arrays, whatever layers are at work', async () => {
  let reads = 0
  let odd = 0
  const numbers = fc.array(fc.nat(2 ** 31 - 1), { minLength: 40, maxLength: 90 })
  await fc.assert(
    fc.asyncProperty(numbers, async (list) => {
      const run = await OddRun.start()
      const views = new Set<number>()
      for (const number of list) {
        await run.act(number)
        for (const view of preservesOf(run.run.engine.world).byView.keys()) views.add(view)
      }
      await run.run.settled()
      const frames = await framesOf(run.run.opened.store)
      const oracle = oracleOf(run, frames)
      compare(run.run, oracle)
      await isSound(run.run)
      note(frames, views)
      reads += oracle.reads
      odd += oracle.odd
    }),
    { numRuns: Number(process.env.BLOCKBOX_RUNS ?? 60), endOnFailure: false },
  )
  assert.ok(reads > 100 && odd > 200, `${reads} reads, ${odd} changes of parts of blocks`)
  for (const [layer, times] of Object.entries(layers)) assert.ok(times > 0, `${layer}: ${times}`)
})

test('after a crash behind any frame the bytes are those of what took effect up to it', async () => {
  const odd = await OddRun.start()
  for (let k = 1; k < 90; k++) await odd.act((k * 1_000_003 * 7919) % (2 ** 31 - 1))
  await odd.run.settled()
  const { store } = odd.run.opened
  const frames = await framesOf(store)
  for (let k = 3; k < frames.length; k += 5) {
    const cut = await openMemory(await cutAfter(store, frames[k]!))
    const copier = () => new Promise<Code>(() => undefined)
    const engine = await openEngine({ ...cut, clock: manualClock(), copier })
    await engine.settled()
    const all = await framesOf(cut.store)
    compare({ engine, opened: cut }, oracleOf(odd, all))
    const verdict = await replay(cut.journal, { checks: [...checks, subBlock(cut.payload)] })
    assert.equal(verdict.findings, [], `cut after frame ${k}`)
  }
})

test('a point in the past has the bytes it had', async () => {
  const odd = await OddRun.start()
  for (let k = 1; k < 60; k++) await odd.act((k * 48_271) % (2 ** 31 - 1))
  await odd.run.settled()
  const { journal, payload, store } = odd.run.opened
  const frames = await framesOf(store)
  for (const k of [Math.floor(frames.length / 3), Math.floor(frames.length / 2)]) {
    const world = await worldAt(journal, frames[k]!.last)
    const volume = world.volumes[0]!
    const oracle = oracleOf(odd, frames.slice(0, k + 1))
    same(readContent(world, volume, payload, 0, volume.size), oracle.held.get(1)!, `frame ${k}`)
  }
})

test.run()
