/** Branches made by a real engine: what they hold, while hosts go on, after crashes, and when the past cannot be had. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../src/check/all.ts'
import { Prng } from '../../src/core/prng.ts'
import { branchesOf } from '../../src/layers/branch-state.ts'
import { worldAt } from '../../src/replay/at.ts'
import { replay } from '../../src/replay/replay.ts'
import { verify } from '../../src/replay/verify.ts'
import { branchesMade } from '../support/branching.ts'
import { blockBytes, type Run, type RunOptions, startRun } from '../support/run.ts'
import { cutAfter, framesOf } from '../support/store.ts'

const test = suite('branches')

const blocks = 64

/** A volume of 64 blocks and a host; each block is written by one fill or another, some are zeros. */
async function started(options: RunOptions = {}): Promise<Run> {
  const run = await startRun(options)
  await run.volume('disk', blocks)
  await run.must('session.open', { name: 'host' })
  return run
}

async function content(run: Run, volume = 1): Promise<Buffer> {
  const answer = await run.io('io.read', { volume, at: 0, count: blocks })
  assert.is(answer?.code, 'ok')
  return Buffer.from(answer!.data!)
}

function ask(run: Run, name: string, seq: number, size = blocks * blockBytes) {
  return run.ask({ kind: 'volume.branch', detail: { name, from: 1, seq, size } })
}

async function sound(run: Run): Promise<void> {
  await run.engine.settled()
  assert.equal((await replay(run.opened.journal, { checks })).findings, [])
  assert.equal((await verify(run.opened.journal, run.opened.payload)).findings, [])
}

test('a branch holds what its source held, at whatever moment, and not a byte is stored for it', async () => {
  const run = await started()
  const random = new Prng(7)
  const moments: [number, Buffer][] = []
  for (let k = 0; k < 120; k++) {
    const at = random.below(blocks)
    const count = 1 + random.below(Math.min(8, blocks - at))
    await run.io(random.below(4) === 0 ? 'io.zeroes' : 'io.write', { at, count })
    if (k % 12 === 0) moments.push([run.engine.world.seq, await content(run)])
  }
  const before = (await verify(run.opened.journal, run.opened.payload)).payloadBytes
  for (const [seq] of moments) await ask(run, `at${seq}`, seq)
  await branchesMade(run.engine)
  for (const [k, [seq, held]] of moments.entries()) {
    assert.ok((await content(run, k + 2)).equals(held), `event ${seq}`)
  }
  assert.is((await verify(run.opened.journal, run.opened.payload)).payloadBytes, before)
  await sound(run)
})

test('hosts go on meanwhile; the branch and its source go their own ways', async () => {
  const run = await started()
  await run.io('io.write', { at: 0, count: blocks, fill: 1 })
  const { seq } = run.engine.world
  for (let at = 0; at < blocks; at += 2) await run.io('io.write', { at, fill: 2 })
  void ask(run, 'old', seq)
  const during = [run.io('io.write', { at: 1, fill: 3 }), run.io('io.write', { volume: 2, at: 1, fill: 9 })]
  await Promise.all(during)
  assert.equal(
    run.answers.filter(({ code }) => code !== 'ok').map(({ code }) => code),
    ['E_AGAIN'],
  )
  await branchesMade(run.engine)
  assert.is((await run.io('io.write', { volume: 2, at: 5, fill: 4 }))?.code, 'ok')
  const expected = Buffer.alloc(blocks * blockBytes, 1)
  expected.fill(4, 5 * blockBytes, 6 * blockBytes)
  assert.ok((await content(run, 2)).equals(expected))
  assert.is((await content(run))[blockBytes], 3)
  await sound(run)
})

test('a crash between any two frames of its making: it is made to its end, and is the same', async () => {
  const run = await started({ checkpointEvery: 1000 })
  for (let at = 0; at < blocks; at += 2) await run.io('io.write', { at })
  const [{ seq }, held] = [run.engine.world, await content(run)]
  await run.io('io.write', { at: 0, count: blocks, fill: 5 })
  const first = run.engine.world.seq
  await ask(run, 'old', seq)
  await branchesMade(run.engine)
  const frames = await framesOf(run.opened.store)
  let cuts = 0
  for (const frame of frames.filter(({ last }) => last > first)) {
    const again = await startRun({ on: await cutAfter(run.opened.store, frame) })
    await branchesMade(again.engine)
    await again.must('session.open', { name: 'again' })
    const answer = await again.io('io.read', { session: 2, volume: 2, at: 0, count: blocks })
    assert.ok(Buffer.from(answer!.data!).equals(held), `cut after event ${frame.last}`)
    await sound(again)
    await again.engine.close()
    cuts++
  }
  assert.ok(cuts >= 3, `${cuts} cuts`)
  await run.engine.close()
})

test('a map of more runs than one batch is reported whole', async () => {
  const run = await startRun()
  await run.volume('disk', 4000)
  await run.must('session.open', { name: 'host' })
  await Promise.all(Array.from({ length: 1500 }, (_, k) => run.io('io.write', { at: 2 * k })))
  const { seq } = run.engine.world
  await ask(run, 'old', seq, 4000 * blockBytes)
  await branchesMade(run.engine)
  const one = branchesOf(run.engine.world).byVolume.get(2)!
  assert.is(one.runs, 1500)
  assert.ok(run.engine.world.volumes[1]!.map.same(run.engine.world.volumes[0]!.map, 0, 4000))
  await sound(run)
})

test('of a volume that is gone, and of a branch', async () => {
  const run = await started()
  await run.io('io.write', { at: 3, fill: 3 })
  const [{ seq }, held] = [run.engine.world, await content(run)]
  await run.engine.submit({ kind: 'volume.delete', volume: 1 })
  await ask(run, 'back', seq)
  await branchesMade(run.engine)
  const detail = { name: 'twice', from: 2, seq: run.engine.world.seq, size: blocks * blockBytes }
  await run.must('volume.branch', detail)
  await branchesMade(run.engine)
  assert.ok((await content(run, 2)).equals(held))
  assert.ok((await content(run, 3)).equals(held))
  await sound(run)
})

test('a moment that gives no branch ends it, and says why', async () => {
  const run = await started()
  const failed = async (seq: number, size: number) => {
    const id = run.engine.world.volumes.length + 1
    await ask(run, `b${id}`, seq, size)
    await branchesMade(run.engine)
    assert.is(run.engine.world.volumes[id - 1]!.gone, true)
    return (await framesOf(run.opened.store)).flatMap((frame) => {
      const row = frame.open()
      const codes: string[] = []
      for (row.index = 0; row.index < frame.count; row.index++) {
        if (row.kind === 'branch.failed' && row.volume === id) codes.push(row.code)
      }
      return codes
    })
  }
  const { seq } = run.engine.world
  assert.equal(await failed(1, blocks * blockBytes), ['E_NO_VOLUME'])
  assert.equal(await failed(seq, 2 * blocks * blockBytes), ['E_SIZE'])
  await sound(run)
})

test('an engine that was given no way into the past says so', async () => {
  const run = await started({ worldAt: undefined })
  await ask(run, 'old', run.engine.world.seq)
  await branchesMade(run.engine)
  assert.is(run.engine.world.volumes[1]!.gone, true)
})

test('replay finds a branch that is not what its source was', async () => {
  const run = await started()
  await run.io('io.write', { at: 0, fill: 1 })
  const { seq } = run.engine.world
  await run.io('io.write', { at: 0, fill: 2 })
  const later = run.engine.world.seq
  const wrong = await startRun({
    on: run.opened,
    worldAt: (journal: Parameters<typeof worldAt>[0], at: number) =>
      worldAt(journal, at === seq ? later : at),
  })
  await ask(wrong, 'old', seq)
  await branchesMade(wrong.engine)
  await wrong.engine.settled()
  const { findings } = await replay(wrong.opened.journal, { checks })
  assert.equal(
    findings.map(({ rule }) => rule),
    ['B-I3'],
  )
})

test.run()
