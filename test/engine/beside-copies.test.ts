/**
 * Hosts beside a restore from outside: reads of what is there wait for no copy, and the frame of a background copy waits
 * a moment for the write of a host that is at work.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { OpenImage } from '../../src/images/external.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { blockBytes, type Run, turn } from '../support/run.ts'
import { until } from '../support/served.ts'
import { onDisk, stateOf } from '../support/slow-disk.ts'
import { framesOf } from '../support/store.ts'

const test = suite('hosts beside copies')

const blocks = 16
const extent = 2 * blockBytes
const size = blocks * blockBytes

/** A disk elsewhere whose bytes are all 7. */
const openImage: OpenImage = async () => ({
  size,
  read: async (_, length) => new Uint8Array(length).fill(7),
  close: async () => undefined,
})

/** A volume whose restore copies what is let go on. */
async function restoring() {
  const { run, slow } = await onDisk({ openImage })
  await run.must('pair.create', { name: 'p', source: 1, clone: 0, extent, path: '/elsewhere', size })
  await run.must('restore.start', { pair: 'p', protected: true })
  await until(() => run.copies.length > 0, 'copies are on their way')
  return { run, slow }
}

const left = (run: Run) => pairsOf(run.engine.world).byTag.get(1)!.cdm.count

async function kindsOfLast(run: Run): Promise<string[]> {
  const row = (await framesOf(run.opened.store)).at(-1)!.open()
  const kinds: string[] = []
  for (row.index = 0; row.index < row.columns.count; row.index++) kinds.push(row.kind)
  return kinds
}

test('a read waits for the copy of what it reads to be durable, and for that of nothing else', async () => {
  const { run, slow } = await restoring()
  run.endCopy()
  await until(() => left(run) === 7, 'extent 0 is there')
  await run.settled()
  slow.hold()
  run.endCopy()
  await until(() => left(run) === 6, 'extent 1 is there, and not durable')
  await turn()
  assert.is(await stateOf(run.io('io.read', { at: 0 })), 'ok')
  const reading = run.io('io.read', { at: 3 })
  assert.is(await stateOf(reading), 'waits')
  slow.open()
  assert.is((await reading)?.data?.[0], 7)
})

test('beside a host that writes, a copy rides with its next write; alone, it goes by itself', async () => {
  const { run } = await restoring()
  await run.io('io.write', { at: 14, count: 2, fill: 1 })
  run.endCopy()
  for (let k = 0; k < 50 && left(run) > 7; k++) await turn()
  assert.is(left(run), 7, 'the copy is decided')
  const before = run.opened.journal.bounds().last
  assert.is((await run.io('io.write', { at: 12, count: 2 }))?.code, 'ok')
  const kinds = await kindsOfLast(run)
  assert.ok(kinds.includes('copy.report') && kinds.includes('io.write'), kinds.join())
  assert.is((await framesOf(run.opened.store)).at(-1)!.first, before + 1)
  await until(() => run.copies.length > 0, 'copies are on their way')
  for (let k = 0; k < 2; k++) {
    const last = run.opened.journal.bounds().last
    run.endCopy()
    await until(() => run.opened.journal.bounds().last > last, 'it is durable, though no host comes')
    assert.not((await kindsOfLast(run)).includes('io.write'))
    await until(() => run.copies.length > 0, 'the next is on its way')
  }
})

test.run()
