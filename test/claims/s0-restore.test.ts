/**
 * The claims of seed S0 about the restore of an image behind a metadata fence: one test for each row. As the
 * claims have it the fence is advisory: hosts are stopped by nothing but the bytes that were overwritten.
 */

// needs: program mke2fs
// needs: program debugfs
// needs: program dumpe2fs
// needs: program e2fsck
// needs: program blkid
// limit: 180 s

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openEngine } from '../../src/engine/open-engine.ts'
import { fencesOf } from '../../src/layers/fence-state.ts'
import { ext4 } from '../../src/layout/ext4.ts'
import { decodePattern } from '../../src/layout/pattern.ts'
import { manualClock } from '../support/clock.ts'
import { FenceRun, owner } from '../support/fence-run.ts'
import {
  backupBytes,
  before,
  block,
  digest,
  disk,
  folder,
  kept,
  kindsOf,
  opens,
  raised,
  seen,
  serve,
  size,
  sound,
  trusted,
} from '../support/fenced-disk.ts'
import { Run } from '../support/run.ts'
import { cutAfter, framesOf, openMemory } from '../support/store.ts'

const test = suite('S0 claims')

test.after(() => folder.remove())

test('S0 claims 8, 19, 30: the operation restores an image from backup storage', async () => {
  const device = await raised()
  const { server, client } = serve(device, 96 * block)
  assert.is((await client.restore('f', owner, 'backup.img')).code, 'ok')
  await server.idle()
  assert.not(await opens(device), 'still fenced')
  await device.must('fence.lower')
  assert.is(digest(device.bytes()), digest(backupBytes))
  const path = (await seen(device))!
  sound(path)
  for (const [name, bytes] of Object.entries(kept)) assert.equal(folder.dump(path, name), bytes)
  await trusted(device)
})

test('S0 claims 9, 20, 31: the metadata of the image is restored, buffered, overwritten, and written last', async () => {
  const device = await disk()
  const fencing = ext4.full(device.reader)
  await device.raise(fencing, { advisory: true, metaFirst: true })
  const { server, client } = serve(device, 512 * block)
  await client.restore('f', owner, 'backup.img')
  await server.idle()
  await device.must('fence.lower')
  assert.is(digest(device.bytes()), digest(backupBytes))
  const kinds = await kindsOf(device)
  const order = [
    kinds.indexOf('fence.saved'),
    kinds.indexOf('fence.meta_restored'),
    kinds.indexOf('fence.meta_buffered'),
    kinds.indexOf('fence.pattern_written'),
    kinds.indexOf('fence.raised'),
    kinds.indexOf('mover.copied'),
    kinds.lastIndexOf('mover.copied'),
    kinds.indexOf('fence.meta_written'),
  ]
  assert.equal(
    order,
    [...order].sort((a, b) => a - b),
  )
  assert.ok(order[0]! > 0 && order[1]! > 0)
  await trusted(device)

  const seenAt = new Set<string>()
  const frames = await framesOf(device.run.opened.store)
  const first = frames.findIndex((frame) => frame.last > order[0]!)
  for (const frame of frames.slice(first)) {
    const opened = await openMemory(await cutAfter(device.run.opened.store, frame))
    const clock = manualClock()
    const engine = await openEngine({ ...opened, clock })
    const crashed = new FenceRun(new Run(engine, clock, opened, []), size, block)
    await crashed.settled()
    const phase = fencesOf(engine.world).byTag.get(1)?.phase ?? 'none'
    const bytes = crashed.bytes()
    const found =
      digest(bytes) === digest(before) ? 'old' : digest(bytes) === digest(backupBytes) ? 'new' : ''
    const hidden = fencing.meta.ranges.every(({ offset }) => decodePattern(bytes, offset) !== undefined)
    seenAt.add(`${phase} ${found || (hidden ? 'hidden' : 'open')}`)
    await engine.close()
  }
  assert.equal([...seenAt].sort(), ['fenced hidden', 'none new', 'none old', 'ready hidden', 'stuck hidden'])
})

test('S0 claims 10, 21, 32: device and backup storage are on one network, and the image is copied over it', async () => {
  const device = await raised()
  const { server, client, data } = serve(device, 256 * block)
  assert.is(data.bytes, 0)
  await client.restore('f', owner, 'backup.img')
  await server.idle()
  assert.is(data.bytes, size, 'every byte of the image, and none twice')
  assert.is(data.messages, size / (256 * block))
  await device.must('fence.lower')
  assert.is(digest(device.bytes()), digest(backupBytes))
})

test('S0 claims 11, 22, 33: the client asks on the second network, the server has the mover copy on the first', async () => {
  const device = await raised()
  const { server, client, data, control } = serve(device)
  assert.is((await client.restore('f', owner, 'backup.img')).code, 'ok')
  await server.idle()
  assert.is((await client.status('f')).phase, 'ready')
  assert.ok(control.bytes < 4096, `${control.bytes} bytes on the control network`)
  assert.ok(data.bytes >= size)
  const rows: { kind: string; payload: number; detail: Record<string, unknown> }[] = []
  for (const frame of await framesOf(device.run.opened.store)) {
    const row = frame.open()
    for (row.index = 0; row.index < frame.count; row.index++) {
      rows.push({ kind: row.kind, payload: row.payload, detail: { ...row.detail } })
    }
  }
  const at = (kind: string) => rows.findIndex((row) => row.kind === kind)
  assert.ok(at('mover.request') < at('mover.requested'))
  assert.ok(at('mover.requested') < at('mover.dispatched'))
  assert.ok(at('mover.dispatched') < at('mover.copied'))
  assert.is(rows[at('mover.request')]!.payload, 0, 'no byte of the image comes with the request')
  const done = rows[at('mover.done')]!.detail
  assert.is(done.dataBytes, size)
  assert.ok(Number(done.controlBytes) > 50 && Number(done.controlBytes) < 4096)
  await trusted(device)
})

test.run()
