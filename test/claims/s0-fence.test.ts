/**
 * The claims of seed S0, the metadata fence: one test for each row of requirements, on real ext4 file systems; the
 * restore of an image, claims 8 to 11 and mirrors, is in s0-restore.test.ts. As the
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
import { hex, sha256Parts } from '../../src/core/digest.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import { fencesOf } from '../../src/layers/fence-state.ts'
import { ext4 } from '../../src/layout/ext4.ts'
import { decodePattern } from '../../src/layout/pattern.ts'
import { manualClock } from '../support/clock.ts'
import { content, isUnmountable, run } from '../support/ext4-image.ts'
import { FenceRun, other } from '../support/fence-run.ts'
import {
  advisory,
  before,
  block,
  copies,
  digest,
  disk,
  files,
  folder,
  kindsOf,
  opens,
  raised,
  seen,
  size,
  sound,
  trusted,
} from '../support/fenced-disk.ts'
import { Run } from '../support/run.ts'
import { cutAfter, framesOf, openMemory } from '../support/store.ts'

const test = suite('S0 claims')

test.after(() => folder.remove())

test('S0 claims 1, 12, 23: needed metadata is overwritten, the operation done, valid metadata written', async () => {
  const device = await disk()
  const fencing = ext4.full(device.reader)
  assert.ok(await opens(device), 'it opens before')
  await device.raise(fencing, advisory)
  assert.not(await opens(device), 'the other host cannot open it now')
  for (const { offset, length } of fencing.meta.ranges) {
    const bytes = device.bytes(offset, length)
    for (let at = 0; at < length; at += 512) assert.is(decodePattern(bytes, at)?.owner, 'owner')
  }
  await device.must('fence.operate')
  const [free] = ext4.partial({ ...device.reader, read: (at, length) => before.subarray(at, at + length) }, [
    '/a',
  ]).covered.ranges
  assert.is(await device.write(free!.offset, content(9, block)), 'ok')
  await device.must('fence.finish')
  assert.not(await opens(device))
  await device.must('fence.lower')
  assert.ok(await opens(device), 'it opens again')
  const kinds = await kindsOf(device)
  const order = [
    'fence.saved',
    'fence.raised',
    'op.started',
    'op.finished',
    'fence.meta_written',
    'fence.lowered',
  ]
  const places = order.map((kind) => kinds.indexOf(kind))
  assert.equal(
    places,
    [...places].sort((a, b) => a - b),
  )
  assert.ok(places[0]! > 0)
  await trusted(device)
})

test('S0 claims 2, 13, 24: valid metadata is written after the operation', async () => {
  const device = await raised()
  await device.must('fence.operate')
  assert.is((await device.ask('fence.lower')).code, 'E_STATE')
  const written = content(8, block)
  const { covered } = ext4.partial(
    { ...device.reader, read: (at, length) => before.subarray(at, at + length) },
    ['/a'],
  )
  for (const { offset } of covered.ranges) assert.is(await device.write(offset, written), 'ok')
  assert.not((await kindsOf(device)).includes('fence.meta_written'))
  await device.must('fence.finish')
  await device.must('fence.lower')
  const kinds = await kindsOf(device)
  assert.ok(kinds.lastIndexOf('io.write') < kinds.indexOf('fence.meta_written'))
  assert.ok(kinds.lastIndexOf('fence.meta_written') < kinds.indexOf('fence.lowered'))
  await trusted(device)
})

test('S0 claims 3, 14, 25: it is the metadata of a file system, in all its copies', async () => {
  const device = await raised()
  const path = (await seen(device))!
  assert.ok(copies.length >= 5)
  assert.ok(isUnmountable(path, block, copies), 'no superblock opens it')
  await device.must('fence.lower')
  const after = (await seen(device))!
  sound(after)
  for (const at of copies.slice(1)) {
    const asked = ['-h', '-o', `superblock=${at}`, '-o', `blocksize=${block}`]
    assert.is(run('dumpe2fs', ...asked, after).code, 0, `superblock ${at} opens it again`)
  }
  for (const [name, bytes] of Object.entries(files)) assert.equal(folder.dump(after, name), bytes)
})

test('S0 claims 4, 15, 26: the metadata is copied before it is overwritten, and written back from the copy', async () => {
  const device = await disk()
  const fencing = ext4.full(device.reader)
  const metadata = (of: FenceRun) =>
    hex(sha256Parts(fencing.meta.ranges.map(({ offset, length }) => of.bytes(offset, length).slice())))
  const original = metadata(device)
  await device.raise(fencing, advisory)
  assert.is.not(metadata(device), original)
  const { offset } = fencing.meta.ranges[0]!
  assert.is(decodePattern(device.bytes(offset, block))?.saved, original, 'the pattern says what was saved')
  const frames = await framesOf(device.run.opened.store)
  await device.must('fence.lower')
  assert.is(metadata(device), original)
  assert.is(digest(device.bytes()), digest(before))

  const opened = await openMemory(await cutAfter(device.run.opened.store, frames.at(-1)!))
  const clock = manualClock()
  const engine = await openEngine({ ...opened, clock })
  const again = new FenceRun(new Run(engine, clock, opened, []), size, block)
  assert.is(fencesOf(engine.world).byTag.get(1)?.phase, 'fenced', 'it outlives the process')
  const session = (await engine.submit({ kind: 'session.open', detail: { name: 'new' } })).made
  await again.must('fence.takeover', { session })
  await again.must('fence.lower', { session })
  assert.is(digest(again.bytes()), digest(before))
})

test('S0 claims 5, 16, 27: the operation modifies the copy, and the modified copy is written', async () => {
  const device = await raised()
  await device.must('fence.operate')
  const superblock = before.slice(block, 2 * block)
  superblock[0x78] = 'N'.charCodeAt(0)
  await device.must('fence.update', { offset: block, data: superblock.slice() })
  assert.ok(decodePattern(device.bytes(block, block)), 'the device shows nothing of it')
  await device.must('fence.finish')
  assert.ok(decodePattern(device.bytes(block, block)))
  await device.must('fence.lower')
  const after = device.bytes()
  assert.equal(after.slice(block, 2 * block), superblock)
  const expected = before.slice()
  expected.set(superblock, block)
  assert.is(digest(after), digest(expected), 'one byte is different')
})

test('S0 claims 6, 17, 28: no data of the device can be reached', async () => {
  const device = await raised()
  assert.ok(isUnmountable((await seen(device))!, block, copies), 'nothing opens it')
  for (const name of Object.keys(files)) assert.is(folder.dump((await seen(device))!, name), undefined)
  const enforced = await raised({ advisory: false })
  const { meta } = ext4.full({ ...enforced.reader, read: (at, length) => before.subarray(at, at + length) })
  for (let at = 0; at < size; at += 64 * block) {
    for (const { inside, offset } of meta.split({ offset: at, length: block })) {
      assert.is((await enforced.read(offset, block)).code, inside ? 'ok' : 'E_FENCED')
    }
  }
})

test('S0 claims 7, 18, 29: only what the operation is about is locked, other data can be reached', async () => {
  for (const options of [advisory, { advisory: false }]) {
    const device = await disk()
    const fencing = ext4.partial(device.reader, ['/a'])
    const beside = ext4.partial(device.reader, ['/dir/b'])
    await device.raise(fencing, options)
    await device.must('fence.operate')
    for (const { offset } of fencing.covered.ranges) {
      assert.is(await device.write(offset, content(7, block)), 'ok')
    }
    const host = new Uint8Array(before)
    for (const { offset, length } of beside.meta.with(beside.covered).ranges) {
      const answer = await device.read(offset, length)
      assert.is(answer.code, 'ok')
      host.set(answer.data!, offset)
    }
    for (const { offset, length } of fencing.meta.ranges) {
      host.set((await device.read(offset, length)).data!, offset)
    }
    const path = folder.file(host, 'host')
    assert.is(run('dumpe2fs', path).code, 0, 'the file system opens')
    assert.equal(folder.dump(path, '/dir/b'), files['/dir/b'], 'the other file is there')
    assert.not(run('debugfs', '-R', 'stat /a', path).output.includes('Size: 50000'), 'this one is not')
    const [place] = beside.covered.ranges
    assert.is(await device.write(place!.offset, content(6, block), other), 'ok', 'and can be written')
    const locked = await device.read(fencing.covered.ranges[0]!.offset, block)
    assert.is(locked.code, options.advisory ? 'ok' : 'E_FENCED')
    const rejected = (await kindsOf(device)).filter((kind) => kind === 'fence.violation').length
    assert.is(rejected, options.advisory ? 1 : 0, 'nothing is said against the other file')
    await device.must('fence.finish')
    await device.must('fence.lower')
    await trusted(device)
  }
})

test.run()
