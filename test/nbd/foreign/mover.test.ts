/**
 * The data mover with nbdkit as the backup store: an image comes behind a fence, nbdkit is killed in the middle, the fence
 * stays up, and the image comes again from the beginning.
 */

// needs: program nbdkit
// limit: 120 s

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../../src/check/all.ts'
import { fencesOf } from '../../../src/layers/fence-state.ts'
import { fencingOf } from '../../../src/layout/ranges.ts'
import { exportImages } from '../../../src/mover/export-images.ts'
import { Network } from '../../../src/mover/network.ts'
import { StorageClient } from '../../../src/mover/storage-client.ts'
import { StorageServer } from '../../../src/mover/storage-server.ts'
import { replay } from '../../../src/replay/replay.ts'
import { farSide } from '../../support/far-side.ts'
import { fenceRun, owner } from '../../support/fence-run.ts'
import { until } from '../../support/served.ts'

const test = suite('the mover and nbdkit')

const home = mkdtempSync(join(tmpdir(), 'blockbox-mover-'))
test.after(() => rmSync(home, { recursive: true, force: true }))

const size = 8 * 2 ** 20
const pieceBytes = 2 ** 18
/** Shorter than the volume, and no whole number of pieces. */
const image = randomBytes(size - pieceBytes / 2)
const disk = join(home, 'image.raw')
writeFileSync(disk, image)
const socket = join(home, 'far.sock')
const uri = `nbd+unix:///?socket=${socket}`
const nbdkit = () =>
  farSide('nbdkit', ['-f', '-r', '-U', socket, '--filter=delay', 'file', disk, 'rdelay=20ms'], socket)

test('killed in the middle, it is done again; the pattern stays, and no byte of it crosses the control network', async () => {
  const device = await fenceRun(new Uint8Array(size).fill(1))
  const { engine } = device.run
  await device.raise(fencingOf(device.reader, { meta: [{ offset: 0, length: 8192 }] }))
  const pattern = device.bytes(0, 8192)
  const [data, control] = [new Network('data'), new Network('control')]
  const server = new StorageServer({ engine, images: exportImages, data, control, pieceBytes })
  const client = new StorageClient((message) => server.handle(message))
  const moved = () => fencesOf(engine.world).byTag.get(1)?.mover?.moved ?? 0
  let far = await nbdkit()
  assert.is((await client.restore('f', owner, uri)).code, 'ok')
  await until(() => moved() >= 3 * pieceBytes, 'some of it is there')
  await far.kill()
  await server.idle()
  await device.settled()
  const stuck = await client.status('f')
  assert.is(stuck.phase, 'stuck')
  assert.ok(stuck.moved! >= 3 * pieceBytes && stuck.moved! < size)
  assert.equal(device.bytes(0, 8192), pattern, 'hosts find no metadata')
  assert.is((await client.restore('f', owner, uri)).code, 'SOCKET', 'nobody is there')
  far = await nbdkit()
  try {
    const before = data.bytes
    assert.is((await client.restore('f', owner, uri)).code, 'ok')
    await server.idle()
    await device.settled()
    assert.is(data.bytes - before, size, 'from the beginning: it may be another image by now')
    assert.ok(control.bytes < 2000, `${control.bytes} bytes over the control network`)
    assert.equal(device.bytes(0, 8192), pattern)
    await device.must('fence.lower')
    const expected = new Uint8Array(size)
    expected.set(image)
    assert.ok(Buffer.from(device.bytes()).equals(expected))
    assert.equal((await replay(device.run.opened.journal, { checks })).findings, [])
  } finally {
    await far.kill()
  }
})

test.run()
