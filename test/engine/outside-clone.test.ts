/** A clone that lives outside, with real bytes: a raw file is copied from, extent by extent, and is never written. */

import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../src/check/all.ts'
import { openRawFile } from '../../src/images/external.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import { cloneUnchanged } from '../../src/replay/clone-unchanged.ts'
import { replay } from '../../src/replay/replay.ts'
import { verify } from '../../src/replay/verify.ts'
import { temporaryFolder } from '../support/folder.ts'
import { blockBytes, type Run, startRun } from '../support/run.ts'

const test = suite('clone outside')

const folder = temporaryFolder()
test.after(() => folder.remove())

const blocks = 14
const extent = 4 * blockBytes

/** A raw file whose block n is filled with 100 + n, but for blocks 4 to 7, which are zeros. */
function rawFile(): { path: string; bytes: Uint8Array } {
  const home = folder.fresh('raw')
  mkdirSync(home)
  const path = join(home, 'clone.raw')
  const bytes = new Uint8Array(blocks * blockBytes)
  for (let n = 0; n < blocks; n++) {
    if (n < 4 || n > 7) bytes.fill(100 + n, n * blockBytes, (n + 1) * blockBytes)
  }
  writeFileSync(path, bytes)
  return { path, bytes }
}

async function prepared(path: string, options = {}): Promise<Run> {
  const run = await startRun(options)
  await run.volume('disk', blocks)
  await run.must('session.open', { name: 'host' })
  await run.io('io.write', { at: 0, count: blocks, fill: 1 })
  const size = blocks * blockBytes
  await run.must('pair.create', { name: 'p', source: 1, clone: 0, extent, path, size })
  return run
}

/** Lets what reads a file go on until `done`. */
async function until(run: Run, done: () => boolean): Promise<void> {
  for (let k = 0; k < 1000 && !done(); k++) {
    await new Promise((resolve) => setTimeout(resolve, 1))
    await run.settled()
  }
  assert.ok(done(), 'it came to its end')
}

const restores = (run: Run) => restoresOf(run.engine.world).byTag.size

test('a restore brings the bytes of the file, and nobody writes the file', async () => {
  const { path, bytes } = rawFile()
  const run = await prepared(path, { copier: () => 'ok' })
  await run.must('restore.start', { pair: 'p', protected: true })
  await until(run, () => restores(run) === 0)
  const answer = await run.io('io.read', { at: 0, count: blocks })
  assert.ok(Buffer.from(answer!.data!).equals(bytes))
  assert.ok(readFileSync(path).equals(bytes))
  assert.is(run.engine.world.volumes[0]!.map.mapped, blocks - 4, 'zeros take no place')
  await run.engine.settled()
  assert.equal((await replay(run.opened.journal, { checks })).findings, [])
  const verdict = await verify(run.opened.journal, run.opened.payload)
  assert.equal([verdict.findings, verdict.payloads], [[], 1 + 3], 'a write, and three extents with bytes')
})

test('a host gets the extent it needs at once, and its own writes stay', async () => {
  const { path, bytes } = rawFile()
  const run = await prepared(path)
  await run.must('restore.start', { pair: 'p', protected: true })
  const asked = run.io('io.write', { at: 13, fill: 9 })
  const reading = run.io('io.read', { at: 12, count: 2 })
  await run.settled()
  while (run.copies.length > 0) run.endCopy()
  const [, read] = await Promise.all([asked, reading])
  await until(run, () => restores(run) === 0)
  const last = 12 * blockBytes
  const expected = new Uint8Array([...bytes.subarray(last, last + blockBytes), ...Array(blockBytes).fill(9)])
  assert.ok(Buffer.from(read!.data!).equals(expected))
  assert.equal(pairsOf(run.engine.world).byTag.get(1)!.cdm.runs(), [3, 1])
})

test('a file that became shorter, or is gone, is a failed copy; it goes on when the file is back', async () => {
  const { path, bytes } = rawFile()
  const run = await prepared(path, { copier: () => 'ok' })
  truncateSync(path, 5 * blockBytes)
  await run.must('restore.start', { pair: 'p', protected: true })
  const restore = () => restoresOf(run.engine.world).byTag.get(1)!
  await until(run, () => !restore().background && restore().gate.copying.count === 0)
  const waited = await run.io('io.read', { at: 12 })
  assert.is(waited?.code, 'E_IO')
  writeFileSync(path, bytes)
  await run.must('restore.resume', { pair: 'p' })
  await until(run, () => restores(run) === 0)
  const answer = await run.io('io.read', { at: 0, count: blocks })
  assert.ok(Buffer.from(answer!.data!).equals(bytes))
})

test('the verify pass reads again what was copied, and finds a clone that changed', async () => {
  const { path, bytes } = rawFile()
  const run = await prepared(path, { copier: () => 'ok' })
  await run.must('restore.start', { pair: 'p', protected: true })
  await until(run, () => restores(run) === 0)
  const look = async () => {
    const image = await openRawFile(path)
    const verdict = await cloneUnchanged(run.opened.journal, 1, image)
    await image.close()
    return verdict
  }
  assert.equal(await look(), { extents: 4, bytes: bytes.length, findings: [] })
  writeFileSync(path, bytes.fill(7, 9 * blockBytes, 9 * blockBytes + 1))
  const { findings } = await look()
  assert.equal(
    findings.map(({ rule }) => rule),
    ['S4-I1'],
  )
  assert.match(findings[0]!.detail, `offset ${8 * blockBytes}`)
  truncateSync(path, 100)
  assert.is((await look()).findings.length, 4)
})

test('an extent that is copied again and is not what it was is a finding of the replay', async () => {
  const { path, bytes } = rawFile()
  const run = await prepared(path, { copier: () => 'ok' })
  const once = async () => {
    await run.must('restore.start', { pair: 'p', protected: true })
    await until(run, () => restores(run) === 0)
    await run.io('io.write', { at: 0, fill: 3 })
  }
  await once()
  await once()
  assert.equal((await replay(run.opened.journal, { checks })).findings, [])
  writeFileSync(path, bytes.fill(7, 0, 1))
  await once()
  const { findings } = await replay(run.opened.journal, { checks })
  assert.equal(
    findings.map(({ rule }) => rule),
    ['S4-I4'],
  )
})

test('what is no file is no image', async () => {
  const home = folder.fresh('dir')
  mkdirSync(home)
  for (const path of [home, join(home, 'none')]) {
    try {
      await openRawFile(path)
      assert.unreachable(path)
    } catch (error) {
      assert.instance(error, Error)
    }
  }
})

test.run()
