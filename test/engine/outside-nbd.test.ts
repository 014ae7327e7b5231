/**
 * A clone that is an export of another server: hosts use the volume while it comes, the far side goes and comes back in
 * the middle, and the job is where it was, by name.
 */

import { randomBytes } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../src/check/all.ts'
import { openNbdImage } from '../../src/images/nbd-image.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import { VolumeCatalog } from '../../src/nbd/server/catalog.ts'
import { NbdServer } from '../../src/nbd/server/server.ts'
import { cloneUnchanged } from '../../src/replay/clone-unchanged.ts'
import { replay } from '../../src/replay/replay.ts'
import { verify } from '../../src/replay/verify.ts'
import { blockBytes, type Run, startRun } from '../support/run.ts'
import { type Served, until, withServer } from '../support/served.ts'

const test = suite('clone on another server')

const blocks = 64
const size = blocks * blockBytes
const extent = 2 * blockBytes

const uriOf = ({ socket }: Served) => `nbd+unix:///vol?socket=${socket}`

/** A volume of old content, and a pair whose clone the far side has. */
async function prepared(far: Served): Promise<{ run: Run; bytes: Buffer }> {
  const bytes = randomBytes(size)
  await (await far.client()).write(0, bytes)
  const run = await startRun()
  await run.volume('disk', blocks)
  await run.must('session.open', { name: 'host' })
  await run.io('io.write', { at: 0, count: blocks, fill: 1 })
  await run.must('pair.create', { name: 'p', source: 1, clone: 0, extent, path: uriOf(far), size })
  return { run, bytes }
}

const restoreOf = (run: Run) => restoresOf(run.engine.world).byTag.get(1)

/** Lets all copies go, those that follow too, until the condition holds. */
async function copied(run: Run, holds: () => boolean, what: string): Promise<void> {
  const timer = setInterval(() => {
    while (run.copies.length > 0) run.endCopy()
  }, 1)
  await until(holds, what).finally(() => clearInterval(timer))
}

async function content(run: Run): Promise<Buffer> {
  return Buffer.from((await run.io('io.read', { at: 0, count: blocks }))!.data!)
}

test('hosts use the volume at once; what they write stays, the rest is the far side', () =>
  withServer({ size }, async (far) => {
    const { run, bytes } = await prepared(far)
    await run.must('restore.start', { pair: 'p', protected: true })
    const wrote = run.io('io.write', { at: 11, fill: 9 })
    const read = run.io('io.read', { at: 60, count: 3 })
    await copied(run, () => restoreOf(run) === undefined, 'the restore ends')
    assert.is((await wrote)?.code, 'ok')
    assert.ok(bytes.subarray(60 * blockBytes, 63 * blockBytes).equals((await read)!.data!))
    bytes.fill(9, 11 * blockBytes, 12 * blockBytes)
    assert.ok((await content(run)).equals(bytes))
    await run.engine.settled()
    assert.equal((await replay(run.opened.journal, { checks })).findings, [])
    assert.equal((await verify(run.opened.journal, run.opened.payload)).findings, [])
    const image = await openNbdImage(uriOf(far))
    assert.equal((await cloneUnchanged(run.opened.journal, 1, image)).findings, [])
    await image.close()
  }))

test('started paused, only what hosts touch is brought; resumed, the rest', () =>
  withServer({ size }, async (far) => {
    const { run, bytes } = await prepared(far)
    await run.must('restore.start', { pair: 'p', protected: true, paused: true })
    await run.settled()
    assert.is(run.copies.length, 0, 'nothing is copied by itself')
    const read = run.io('io.read', { at: 20 })
    await copied(run, () => run.answers.at(-1)?.ask.kind === 'io.read', 'the read is answered')
    assert.ok(bytes.subarray(20 * blockBytes, 21 * blockBytes).equals((await read)!.data!))
    assert.ok(restoreOf(run)!.paused)
    await run.must('restore.resume', { pair: 'p' })
    await copied(run, () => restoreOf(run) === undefined, 'the restore ends')
    assert.ok((await content(run)).equals(bytes))
    assert.equal((await replay(run.opened.journal, { checks })).findings, [])
  }))

test('the far side goes in the middle: the restore fails by name, hosts get errors, and it is resumed', () =>
  withServer({ size }, async (far) => {
    const { run, bytes } = await prepared(far)
    await run.must('restore.start', { pair: 'p', protected: true })
    await copied(run, () => (restoreOf(run)?.prm.length ?? 0) - left(run) >= 8, 'some extents are there')
    await far.server.close()
    await copied(run, () => !restoreOf(run)!.background, 'the restore gives up')
    assert.ok(left(run) > 0)
    const failing = run.io('io.read', { at: blocks - 1 })
    await copied(run, () => run.answers.some(({ code }) => code === 'E_IO'), 'the host gets an error')
    assert.is((await failing)?.code, 'E_IO')
    const there = run.io('io.read', { at: 0 })
    assert.is((await there)?.code, 'ok', 'what was copied is there')
    const server = new NbdServer({ catalog: new VolumeCatalog(far) })
    await server.listen({ socket: far.socket })
    try {
      await run.must('restore.resume', { pair: 'p' })
      await copied(run, () => restoreOf(run) === undefined, 'the restore ends')
    } finally {
      await server.close()
    }
    assert.ok((await content(run)).equals(bytes))
    await run.engine.settled()
    assert.equal((await replay(run.opened.journal, { checks })).findings, [])
  }))

function left(run: Run): number {
  return pairsOf(run.engine.world).byTag.get(1)!.cdm.count
}

test.run()
