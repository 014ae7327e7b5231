/**
 * An image restored behind a fence from another server: one process has the fenced volume and its hosts, another one the
 * image as an export; the command asks the first over its control socket. And what happens when the other one is gone.
 */

// limit: 240 s

import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openClient } from '../../../src/nbd/client/client.ts'
import { serveProgram } from '../../support/serve-program.ts'
import { blockbox, json, scratch } from './blockbox.ts'

const test = suite('fence restore from another server')

const folder = scratch()
const size = 4 * 2 ** 20
const bytes = randomBytes(size)
const [store, near] = [join(folder, 'store.journal'), join(folder, 'near.journal')]
const [storeSocket, nearSocket] = [join(folder, 'store'), join(folder, 'near')]

test.before(async () => {
  writeFileSync(join(folder, 'backup.img'), bytes)
  await json('volume', 'create', 'night', '--from', join(folder, 'backup.img'), '--copy', '-j', store)
  await json('volume', 'create', 'vol', '--size', '4M', '-j', near)
})

const serveStore = () => serveProgram(['-j', store, '--socket', storeSocket])

test('the image comes over the data network, its metadata last; the record says how much went which way', async () => {
  const far = await serveStore()
  const serving = await serveProgram(['-j', near, '--socket', nearSocket])
  try {
    const host = await openClient({ socket: nearSocket }, 'vol')
    await host.write(0, new Uint8Array(size).fill(1))
    await json('fence', 'raise', 'guard', '--volume', 'vol', '--ranges', '0+8192', '-j', near)
    const restored = await json('fence', 'restore', 'guard', '--from', far.uri, '-j', near)
    assert.equal([restored.code, restored.data_bytes], ['ok', size])
    assert.ok(Number(restored.control_bytes) < 4096)
    assert.is((restored.fence as { phase: string }).phase, 'ready')
    await host.read(size / 2, 4096).then(
      () => assert.unreachable('the fence keeps hosts out'),
      (error: { code?: string }) => assert.is(error.code, 'NBD_FAILED'),
    )
    await json('fence', 'lower', 'guard', '-j', near)
    assert.ok(bytes.equals(await host.read(0, size)))
    host.destroy()
    const { out } = await blockbox(['log', '-j', near, '--kind', 'mover', '--json'])
    const events = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const of = (kind: string) => events.filter((event) => event.kind === kind)
    assert.is(of('mover.requested')[0].detail.image, far.uri)
    assert.equal(of('mover.done')[0].detail.data_bytes, size)
    assert.ok(of('mover.done')[0].detail.control_bytes < 4096)
    assert.ok(of('mover.dispatched')[0].seq < of('mover.copied')[0].seq, 'S0-I10')
  } finally {
    await serving.end('SIGTERM')
    await far.end('SIGTERM')
  }
  assert.is((await blockbox(['replay', '-j', near])).code, 0)
  assert.is((await blockbox(['verify', '-j', near])).code, 0)
})

test('a store that is gone leaves the fence stuck, and the volume as it was behind it; it is done again', async () => {
  const uri = `nbd+unix:///night?socket=${storeSocket}`
  await json('fence', 'raise', 'again', '--volume', 'vol', '--ranges', '4096+4096', '-j', near)
  const none = await blockbox(['fence', 'restore', 'again', '--from', uri, '-j', near])
  assert.is(none.code, 2)
  assert.match(none.err, /nbd\+unix:\/\/\/night.*connect/)
  const far = await serveStore()
  try {
    const restored = await json('fence', 'restore', 'again', '--from', uri, '--lower', '-j', near)
    assert.equal([restored.code, restored.fence], ['ok', null])
    const wrong = await blockbox(['fence', 'restore', 'again', '--from', 'http://x/y', '-j', near])
    assert.is.not(wrong.code, 0)
  } finally {
    await far.end('SIGTERM')
  }
})

test.run()
