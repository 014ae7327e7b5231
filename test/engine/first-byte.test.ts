/**
 * The start of a restore, whatever the size of the volume: how much memory its maps take and how many copies go before
 * the first byte, not how long it takes. The file outside has no content but its last block.
 */

import { closeSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { laneSum } from '../../src/core/lane-sums.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import { stateHashText } from '../../src/volume/snapshot.ts'
import { manualClock } from '../support/clock.ts'
import { temporaryFolder } from '../support/folder.ts'
import { blockBytes, type Run, startRun } from '../support/run.ts'
import { until } from '../support/served.ts'
import { openMemory } from '../support/store.ts'

const test = suite('first byte')

const folder = temporaryFolder()
test.after(() => folder.remove())

const extent = 2 ** 20
/** From the first of the journal to the answer of the read. */
const events = 16
const sizes = [2 ** 30, 2 ** 36, 2 ** 40, 2 ** 43]

function sparseFile(size: number): string {
  const home = folder.fresh('raw')
  mkdirSync(home)
  const path = join(home, 'clone.raw')
  const file = openSync(path, 'w')
  ftruncateSync(file, size)
  writeSync(file, new Uint8Array(blockBytes).fill(7), 0, blockBytes, size - blockBytes)
  closeSync(file)
  return path
}

/** A volume of so many bytes whose restore has begun, copying nothing by itself. */
async function started(size: number): Promise<Run> {
  const run = await startRun()
  await run.volume('disk', size / blockBytes)
  await run.must('session.open', { name: 'host' })
  await run.must('pair.create', { name: 'p', source: 1, clone: 0, extent, path: sparseFile(size), size })
  await run.must('restore.start', { pair: 'p', protected: true, paused: true })
  return run
}

const mapsOf = (run: Run) => {
  const { prm, gate } = restoresOf(run.engine.world).byTag.get(1)!
  const { cdm, gate: ofPair } = pairsOf(run.engine.world).byTag.get(1)!
  return [cdm, prm, gate.copying, ofPair.copying]
}

for (const size of sizes) {
  test(`${size / 2 ** 30} GiB: no map has a page, and one copy brings what a host reads`, async () => {
    const run = await started(size)
    const maps = mapsOf(run)
    assert.equal(
      maps.map(({ count, pages }) => [count, pages]),
      [
        [size / extent, size / extent < 4096 ? 1 : 0],
        [0, 0],
        [0, 0],
        [0, 0],
      ],
    )
    assert.ok(laneSum(0, size / extent).counted <= 2 ** 20)
    const read = run.io('io.read', { at: size / blockBytes - 1 })
    await until(() => run.copies.length > 0, 'the copy begins')
    assert.equal(
      run.copies.map(({ offset, length }) => [offset, length]),
      [[size - extent, extent]],
    )
    run.endCopy()
    assert.ok((await read)!.data!.every((byte) => byte === 7))
    assert.is(run.engine.world.seq, events, 'events, whatever the size')
    assert.ok(maps.every(({ pages }) => pages <= 1))
  })
}

test('a journal whose maps began full is opened again with as little, and in the same state', async () => {
  const run = await started(2 ** 43)
  const read = run.io('io.read', { at: 5000 })
  await until(() => run.copies.length > 0, 'the copy begins')
  run.endCopy()
  await read
  await run.engine.close()
  const before = mapsOf(run)
  const { store, head } = run.opened
  const again = await openMemory({ store, head })
  const engine = await openEngine({ ...again, clock: manualClock() })
  const { cdm } = pairsOf(engine.world).byTag.get(1)!
  assert.equal([cdm.count, cdm.pages, cdm.runs()], [2 ** 23 - 1, 1, before[0]!.runs()])
  assert.equal([cdm.hashLow, cdm.hashHigh], [before[0]!.hashLow, before[0]!.hashHigh])
  assert.match(stateHashText(engine.world), /^[0-9a-f]{16}$/)
  await engine.close()
})

test.run()
