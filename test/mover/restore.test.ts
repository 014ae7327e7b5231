/**
 * The restore of an image behind a fence, by client, server and mover: over a real control connection, with failures
 * of the store, a mover that is sent again after a crash, and the count of bytes that went which way.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../src/check/all.ts'
import { hex, sha256 } from '../../src/core/digest.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import { readContent } from '../../src/images/content.ts'
import { fencesOf } from '../../src/layers/fence-state.ts'
import { fencingOf } from '../../src/layout/ranges.ts'
import { connectControl, listenControl } from '../../src/mover/control-link.ts'
import { type Image, type ImageStore, imageFolder } from '../../src/mover/image-store.ts'
import { Network } from '../../src/mover/network.ts'
import { StorageClient } from '../../src/mover/storage-client.ts'
import { StorageServer } from '../../src/mover/storage-server.ts'
import { replay } from '../../src/replay/replay.ts'
import { manualClock } from '../support/clock.ts'
import { content } from '../support/ext4-image.ts'
import { type FenceRun, fenceRun, owner } from '../support/fence-run.ts'
import { cutAfter, framesOf, openMemory } from '../support/store.ts'

const test = suite('restore by the mover')
const folder = mkdtempSync(join(tmpdir(), 'blockbox-images-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const size = 64 * 4096
const metaAt = [
  { offset: 0, length: 8192 },
  { offset: 30 * 4096, length: 4096 },
]
const before = content(1, size)
const image = content(2, size).fill(0, 40 * 4096, 50 * 4096)
writeFileSync(join(folder, 'disk.img'), image)
writeFileSync(join(folder, 'short.img'), image.subarray(0, 5000))
writeFileSync(join(folder, 'long.img'), new Uint8Array(size + 1))

function serve(disk: FenceRun, images: ImageStore = imageFolder(folder)) {
  const data = new Network('data')
  const control = new Network('control')
  const server = new StorageServer({ engine: disk.run.engine, images, data, control, pieceBytes: 3 * 4096 })
  const client = new StorageClient((message) => server.handle(message))
  return { data, control, server, client }
}

async function fenced(metaFirst = false): Promise<FenceRun> {
  const disk = await fenceRun(before)
  await disk.raise(fencingOf(disk.reader, { meta: metaAt }), { metaFirst })
  return disk
}

const kindsOf = async (disk: FenceRun) => {
  const kinds: string[] = []
  for (const frame of await framesOf(disk.run.opened.store)) {
    const row = frame.open()
    for (row.index = 0; row.index < frame.count; row.index++) kinds.push(row.kind)
  }
  return kinds
}

for (const metaFirst of [false, true]) {
  test(`the device becomes the image, ${metaFirst ? 'its metadata first' : 'its metadata last'}`, async () => {
    const disk = await fenced(metaFirst)
    const { client, server, data, control } = serve(disk)
    const listening = await listenControl(server)
    const address = listening.address()
    assert.ok(address !== null && typeof address === 'object')
    const link = await connectControl((address as { port: number }).port)
    const remote = new StorageClient(link.channel)
    assert.is((await remote.restore('f', owner, 'disk.img')).code, 'ok')
    await server.idle()
    await disk.settled()
    assert.equal(await remote.status('f'), { code: 'ok', phase: 'ready', total: size })
    link.close()
    await new Promise((resolve) => listening.close(resolve))
    await disk.must('fence.lower')
    assert.is(hex(sha256(disk.bytes())), hex(sha256(image)))
    assert.is(data.bytes, size + (metaFirst ? 3 * 4096 : 0))
    assert.ok(control.bytes < 2000)
    assert.is((await client.status('f')).phase, 'gone')
    const { findings } = await replay(disk.run.opened.journal, { checks })
    assert.equal(findings, [])
    const kinds = await kindsOf(disk)
    assert.ok(kinds.indexOf('mover.requested') < kinds.indexOf('mover.dispatched'))
    assert.ok(kinds.indexOf('mover.dispatched') < kinds.indexOf('mover.copied'))
  })
}

test('an image that is shorter than the device is followed by zeros', async () => {
  const disk = await fenced()
  const { client, server } = serve(disk)
  await client.restore('f', owner, 'short.img')
  await server.idle()
  await disk.must('fence.lower')
  const expected = new Uint8Array(size)
  expected.set(image.subarray(0, 5000))
  assert.is(hex(sha256(disk.bytes())), hex(sha256(expected)))
})

test('what cannot be restored is said over the control network', async () => {
  const disk = await fenced()
  const { client, server, data } = serve(disk)
  assert.is((await client.restore('f', owner, 'nothing.img')).code, 'USAGE')
  assert.is((await client.restore('f', owner, '../disk.img')).code, 'USAGE')
  assert.is((await client.restore('f', 2, 'disk.img')).code, 'E_NOT_OWNER')
  assert.is((await client.restore('g', owner, 'disk.img')).code, 'E_NOT_ACTIVE')
  assert.is((await client.restore('f', owner, 'long.img')).code, 'E_SIZE')
  const reply = await server.handle(new TextEncoder().encode('{"ask":"everything"}\n'))
  assert.match(new TextDecoder().decode(reply), /USAGE/)
  assert.is(data.bytes, 0)
})

test('a peer that sends no line is cut off', async () => {
  const disk = await fenced()
  const listening = await listenControl(serve(disk).server)
  const { port } = listening.address() as { port: number }
  const link = await connectControl(port)
  const rejected = await link.channel(new Uint8Array(10_000).fill(65)).catch((error: Error) => error.message)
  assert.match(String(rejected), /closed/)
  await new Promise((resolve) => listening.close(resolve))
})

/** A store whose image cannot be read from some byte on. */
function failing(from: number): ImageStore {
  const images = imageFolder(folder)
  return {
    async open(name) {
      const opened = await images.open(name)
      const read: Image['read'] = async (offset, length) => {
        if (offset + length > from) throw new Error('medium error')
        return opened.read(offset, length)
      }
      return { ...opened, read }
    },
  }
}

test('a store that fails leaves the fence stuck; sent again, the mover goes on behind what is there', async () => {
  const disk = await fenced()
  const bad = serve(disk, failing(20 * 4096))
  await bad.client.restore('f', owner, 'disk.img')
  await bad.server.idle()
  assert.equal(await bad.client.status('f'), { code: 'ok', phase: 'stuck', moved: 18 * 4096, total: size })
  assert.is((await disk.ask('fence.lower')).code, 'E_DIRTY')
  const good = serve(disk)
  await good.client.restore('f', owner, 'disk.img')
  await good.server.idle()
  assert.is(good.data.bytes, size - 18 * 4096)
  await disk.must('fence.lower')
  assert.is(hex(sha256(disk.bytes())), hex(sha256(image)))
})

test('the mover that the engine leaves in the middle ends', async () => {
  const disk = await fenced(true)
  const { client, server } = serve(disk)
  const asked = client.restore('f', owner, 'disk.img')
  await disk.run.engine.close()
  await asked
  await server.idle()
})

test('the process may die after any frame: after a takeover the restore is done again and gives the image', async () => {
  const disk = await fenced()
  const first = serve(disk)
  await first.client.restore('f', owner, 'disk.img')
  await first.server.idle()
  const frames = await framesOf(disk.run.opened.store)
  const moved: number[] = []
  for (const frame of frames.slice(-24)) {
    const opened = await openMemory(await cutAfter(disk.run.opened.store, frame))
    const engine = await openEngine({ ...opened, clock: manualClock() })
    const fence = fencesOf(engine.world).byTag.get(1)
    if (fence?.phase !== 'stuck') {
      await engine.close()
      continue
    }
    const { made } = await engine.submit({ kind: 'session.open', detail: { name: 'new' } })
    await engine.submit({ kind: 'fence.takeover', session: made, detail: { name: 'f' } })
    const data = new Network('data')
    const server = new StorageServer({
      engine,
      images: imageFolder(folder),
      data,
      control: new Network('control'),
    })
    const client = new StorageClient((message) => server.handle(message))
    assert.is((await client.restore('f', made, 'disk.img')).code, 'ok')
    await server.idle()
    moved.push(data.bytes)
    await engine.submit({ kind: 'fence.lower', session: made, detail: { name: 'f' } })
    for (let k = 0; k < 6; k++) {
      await engine.settled()
      await new Promise((resolve) => setImmediate(resolve))
    }
    const bytes = readContent(engine.world, engine.world.volumes[0]!, opened.payload, 0, size)
    assert.is(hex(sha256(bytes)), hex(sha256(image)))
    assert.equal((await replay(opened.journal, { checks })).findings, [])
    await engine.close()
  }
  assert.ok(moved.length > 10, `${moved.length} places`)
  assert.ok(moved[0]! > moved.at(-1)!, 'the later the crash, the less is moved again')
})

test.run()
