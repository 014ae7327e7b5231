/** Content that an NBD server has, read as a clone outside: whole, at once, and over a connection that breaks. */

import { randomBytes } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { openNbdImage } from '../../src/images/nbd-image.ts'
import { openExternal, recordedName } from '../../src/images/open-external.ts'
import { VolumeCatalog } from '../../src/nbd/server/catalog.ts'
import { NbdServer } from '../../src/nbd/server/server.ts'
import { type Served, withServer } from '../support/served.ts'

const test = suite('content of an NBD server')

const size = 12 * 2 ** 20

const uriOf = ({ socket }: Served, name = 'vol') => `nbd+unix:///${name}?socket=${socket}`

async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    return error instanceof BlockboxError ? error.code : String(error)
  }
  return 'ok'
}

test('reads are many at once, of any length, and whole', () =>
  withServer({ size }, async (served) => {
    const bytes = randomBytes(size)
    await (await served.client()).write(0, bytes)
    const image = await openExternal(uriOf(served))
    assert.is(image.size, size)
    const ranges = Array.from({ length: 40 }, (_, k) => [k * 250_007, 1 + ((k * 79_999) % 200_000)] as const)
    await Promise.all(
      [...ranges, [0, size] as const, [5, 9 * 2 ** 20] as const].map(async ([offset, length]) => {
        assert.ok(
          bytes.subarray(offset, offset + length).equals(await image.read(offset, length)),
          `${offset}`,
        )
      }),
    )
    await image.close()
  }))

test('a moment of the past is an image too', () =>
  withServer({}, async (served) => {
    const host = await served.client()
    await host.write(0, new Uint8Array(4096).fill(1))
    const { last } = served.journal.bounds()
    await host.write(0, new Uint8Array(4096).fill(2))
    const image = await openNbdImage(uriOf(served, `vol@seq:${last}`))
    assert.is((await image.read(4095, 2))[0], 1)
    await image.close()
  }))

/** Another server on the socket of one that went. */
async function again(served: Served, bytes = size): Promise<NbdServer> {
  await served.server.close()
  if (bytes !== size)
    await served.engine.submit({ kind: 'volume.resize', volume: 1, detail: { size: bytes } })
  const server = new NbdServer({ catalog: new VolumeCatalog(served) })
  await server.listen({ socket: served.socket })
  return server
}

test('a connection that was lost is made anew, once, for all who were waiting', () =>
  withServer({ size }, async (served) => {
    const bytes = randomBytes(size)
    await (await served.client()).write(0, bytes)
    const image = await openNbdImage(uriOf(served))
    await image.read(0, 1)
    const other = await again(served)
    try {
      const got = await Promise.all([0, 1, 2, 3].map((k) => image.read(k * 100, 100)))
      assert.ok(bytes.subarray(0, 400).equals(Buffer.concat(got)))
      await image.close()
    } finally {
      await other.close()
    }
  }))

test('a server that is gone is an error of each read, and is asked again by the next', () =>
  withServer({ size }, async (served) => {
    const image = await openNbdImage(uriOf(served))
    await served.server.close()
    assert.is(await failure(image.read(0, 512)), 'SOCKET')
    assert.is(await failure(image.read(0, 512)), 'SOCKET')
    const other = await again(served)
    assert.is((await image.read(0, 512)).length, 512)
    await image.close()
    await other.close()
  }))

test('an image whose server is gone can be closed', () =>
  withServer({ size }, async (served) => {
    const image = await openNbdImage(uriOf(served))
    await served.server.close()
    assert.is(await failure(image.read(0, 512)), 'SOCKET')
    await image.close()
  }))

test('an export that has another size now is not the same image', () =>
  withServer({ size }, async (served) => {
    const image = await openNbdImage(uriOf(served))
    const other = await again(served, size / 2)
    assert.is(await failure(image.read(0, 512)), 'USAGE')
    assert.is(await failure(image.read(size - 100, 200)), 'USAGE')
    await other.close()
  }))

test('no such export, no such server, no such form', () =>
  withServer({}, async (served) => {
    assert.is(await failure(openNbdImage(uriOf(served, 'none'))), 'NBD_REFUSED')
    assert.is(await failure(openNbdImage('nbd+unix:///x?socket=/no/such/socket')), 'SOCKET')
    assert.is(await failure(openNbdImage('nbds://host/x?tls-certificates=/no/such/folder')), 'USAGE')
    assert.match(recordedName('x.img'), /^\/.*\/x\.img$/)
    assert.is(recordedName('nbd://h/x'), 'nbd://h/x')
    assert.match(recordedName('nbd+unix:///x?socket=s'), /^nbd\+unix:\/\/\/x\?socket=\/.*\/s$/)
  }))

test.run()
