/** What each fault of a simulated folder does to the real segments over it, and to what a power cut leaves of them. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { key, tables } from '../../src/journal/keys.ts'
import { segmentedStore } from '../../src/journal/segmented-store.ts'
import { Segments, type Stretch } from '../../src/journal/segments.ts'
import type { KvStore } from '../../src/journal/store.ts'
import { encodeChunk } from '../../src/payload/chunk.ts'
import { Disk } from '../../src/sim/disk.ts'
import { FaultyFolder } from '../../src/sim/faulty-folder.ts'
import { type Conditions, type Fault, FaultyLevel, type FileKind } from '../../src/sim/faulty-level.ts'
import { allLost, Files } from '../../src/sim/files.ts'
import { brokenPieces } from '../../src/sim/pieces.ts'

const test = suite('faulty folder')
const piece = Uint8Array.of(1, 2, 3, 4, 5, 6)

/** The `nth` operation of a kind meets a fault. */
function once(fault: Fault, kind: FileKind, nth = 1): Conditions {
  let met = 0
  return { fault: (operation) => (operation.kind === kind && ++met === nth ? fault : undefined) }
}

async function appended(files: Files, conditions?: Conditions): Promise<Stretch | string> {
  const segments = new Segments(new FaultyFolder(files, conditions))
  return segments.append([piece], true).then(
    ([stretch]) => stretch!,
    (error: Error) => error.message,
  )
}

const held = (files: Files, { segment, offset, length }: Stretch) => files.read(segment, offset, length)

test('without a fault what was appended is durable', async () => {
  const files = new Files()
  const stretch = (await appended(files)) as Stretch
  assert.is(files.powerLoss(allLost), false)
  assert.equal(held(files, stretch), piece)
})

test('every operation that fails fails the append, and the next process goes on behind it', async () => {
  const steps: readonly [FileKind, number][] = [
    ['file name', 1],
    ['file names', 1],
    ['file name', 2],
    ['file names', 2],
    ['file write', 1],
    ['file sync', 1],
  ]
  for (const fault of ['refused', 'doubt', 'full'] as const) {
    for (const [kind, nth] of steps) {
      for (const survives of [true, false]) {
        const files = new Files()
        const said = await appended(files, once(fault, kind, nth))
        assert.match(String(said), fault === 'full' ? /ENOSPC/ : /EIO/)
        files.powerLoss({ kept: survives ? files.unsynced : 0, nameless: !survives })
        const stretch = (await appended(files)) as Stretch
        files.powerLoss(allLost)
        assert.equal(held(files, stretch), piece, `${kind} ${nth} ${fault}`)
      }
    }
  }
})

test('what a sync failed to make durable a later one does not', async () => {
  const files = new Files()
  const folder = new FaultyFolder(files, once('refused', 'file sync'))
  folder.make()
  folder.syncOwnName()
  const file = folder.create(1)
  folder.syncNames()
  await file.write(piece, 0)
  const said = await file.sync().catch((error: Error) => error.message)
  assert.match(said!, /EIO/)
  await file.sync()
  files.powerLoss(allLost)
  assert.is(files.size(1), 0)
})

test('much that is written waits for its turn, and nothing ends once the process is gone', async () => {
  const files = new Files()
  const turns: (() => void)[] = []
  const folder = new FaultyFolder(files, { turn: () => new Promise((go) => turns.push(go)) })
  const segments = new Segments(folder)
  let ended = false
  void segments.append([new Uint8Array(10_000)], true).then(() => {
    ended = true
  })
  assert.is(turns.length, 1)
  turns.pop()!()
  await new Promise((resolve) => setImmediate(resolve))
  assert.is(turns.length, 1)
  folder.cut()
  turns.pop()!()
  await new Promise((resolve) => setImmediate(resolve))
  assert.is(ended, false)
  assert.is(files.unsynced, 1)
  folder.create(8)
  assert.is(files.has(8), false)
})

test('a read that rots or goes astray brings other bytes, and the file is what it was', async () => {
  for (const fault of ['rot', 'misdirect'] as const) {
    const files = new Files()
    await appended(files)
    const segments = new Segments(new FaultyFolder(files, once(fault, 'file read')))
    const stretch = { segment: 1, offset: 2, length: 3 }
    assert.not.equal([...segments.read(stretch)], [3, 4, 5])
    assert.equal([...segments.read(stretch)], [3, 4, 5])
  }
})

/** A disk with a piece in a segment, stored through conditions, and the store over it. */
async function stored(conditions?: Conditions) {
  const disk = new Disk()
  const level = new FaultyLevel(disk, conditions)
  const store = segmentedStore(level as unknown as KvStore, new FaultyFolder(disk.files, conditions), 1)
  await store.open()
  const at = key(tables.payload, 1)
  const bytes = encodeChunk(new Uint8Array(512).fill(7), 1)
  await store.batch().put(at, bytes).write({ sync: true })
  return { disk, store, at, bytes }
}

test('the disk knows whose piece a lying sync lost, and what it was', async () => {
  for (const [kind, nth] of [
    ['file sync', 1],
    ['file names', 1],
    ['file names', 2],
  ] as const) {
    const { disk, at, bytes } = await stored(once('lie', kind, nth))
    assert.is(disk.isHarmed, false)
    disk.powerLoss(0)
    assert.equal(disk.harmed, [{ key: at, was: bytes }], `${kind} ${nth}`)
    assert.equal(disk.sound(at), bytes)
    assert.is(brokenPieces(disk).length, 1)
    assert.equal(brokenPieces(disk.mended()), [])
  }
})

test('the disk knows whose piece rotted in a segment, and that bytes nobody refers to are nobody’s', async () => {
  const { disk, store, at, bytes } = await stored()
  await new Segments(new FaultyFolder(disk.files)).append([piece], true)
  disk.rotFile(2, 3, 1)
  assert.is(disk.isHarmed, false)
  disk.rotFile(1, 100, 1)
  assert.equal(disk.harmed, [{ key: at, was: bytes }])
  assert.not.equal(await store.get(at), bytes)
  assert.equal(disk.fork().harmed, disk.harmed)
})

test.run()
