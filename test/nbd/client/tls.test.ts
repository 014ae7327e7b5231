/** A client that speaks TLS: whom it trusts, what it shows of itself, and what it says when it goes wrong. */

// needs: program openssl

import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openNbdImage } from '../../../src/images/nbd-image.ts'
import { readClientCertificates } from '../../../src/nbd/client/certificates.ts'
import { openExport } from '../../../src/nbd/client/open-export.ts'
import { parseNbdUri } from '../../../src/nbd/client/uri.ts'
import { exportUri } from '../../../src/nbd/server/address.ts'
import { VolumeCatalog } from '../../../src/nbd/server/catalog.ts'
import { readCredentials } from '../../../src/nbd/server/credentials.ts'
import { NbdServer } from '../../../src/nbd/server/server.ts'
import { makeCertificates } from '../../support/certificates.ts'
import { type Served, serve } from '../../support/served.ts'

const test = suite('nbd client over TLS')

const folder = mkdtempSync(join(tmpdir(), 'blockbox-client-tls-'))
let served: Served
/** The same volume on a port. */
let onPort: NbdServer
let port = 0

test.before(async () => {
  makeCertificates(folder)
  const credentials = await readCredentials(folder)
  served = await serve({ credentials })
  onPort = new NbdServer({ catalog: new VolumeCatalog(served), credentials })
  const bound = await onPort.listen({ port: 0, host: '127.0.0.1' })
  port = (bound as { port: number }).port
})
test.after(async () => {
  await onPort.close()
  await served.close()
  rmSync(folder, { recursive: true })
})

const unix = (more: string) => `${exportUri({ socket: served.socket }, 'vol', true)}${more}`
const open = (uri: string) => openExport(parseNbdUri(uri), 3000)

async function refusal(uri: string): Promise<Error & { code?: string }> {
  try {
    const client = await open(uri)
    client.destroy()
  } catch (error) {
    return error as Error & { code?: string }
  }
  throw new Error(`${uri} was let in`)
}

/** A folder with some of the certificates only. */
function part(name: string, ...kept: string[]): string {
  mkdirSync(join(folder, name))
  for (const one of kept) cpSync(join(folder, one), join(folder, name, one))
  return join(folder, name)
}

test('over a unix socket, by name and by address: what is written is read', async () => {
  const here = `tls-certificates=${folder}`
  const uris = [
    unix(`&${here}`),
    `nbds://localhost:${port}/vol?${here}`,
    `nbds://127.0.0.1:${port}/vol?${here}`,
    `nbds://127.0.0.1:${port}/vol?${here}&tls-hostname=localhost`,
  ]
  for (const [k, uri] of uris.entries()) {
    const client = await open(uri)
    await client.write(k * 512, new Uint8Array(512).fill(k + 1))
    assert.ok(
      (await client.read(k * 512, 512)).every((byte) => byte === k + 1),
      uri,
    )
    await client.close()
  }
})

test('an image over TLS: the connection that is lost is made again, encrypted', async () => {
  const image = await openNbdImage(unix(`&tls-certificates=${folder}`))
  assert.is((await image.read(0, 4096)).length, 4096)
  await served.server.close()
  const again = new NbdServer({
    catalog: new VolumeCatalog(served),
    credentials: await readCredentials(folder),
  })
  await again.listen({ socket: served.socket })
  assert.is((await image.read(0, 4096)).length, 4096)
  await image.close()
  await again.close()
})

test('what is wrong is said', async () => {
  const plain = await serve()
  const at = (more: string) => `nbds://127.0.0.1:${port}/vol?${more}`
  const stranger = `tls-certificates=${join(folder, 'stranger')}`
  const known: readonly (readonly [string, string, RegExp])[] = [
    [at(stranger), 'SOCKET', /not trusted as that of 127\.0\.0\.1/],
    [at(`tls-certificates=${folder}&tls-hostname=elsewhere`), 'SOCKET', /not trusted as that of elsewhere/],
    [at(''), 'SOCKET', /not trusted/],
    [at(`tls-certificates=${part('bare', 'ca-cert.pem')}`), 'NBD_CLOSED', /client-cert\.pem/],
    [at(`tls-certificates=${join(folder, 'none')}`), 'USAGE', /ca-cert\.pem is not there/],
    [`nbd://127.0.0.1:${port}/vol`, 'NBD_REFUSED', /wants TLS, write nbds/],
    [
      `${exportUri({ socket: plain.socket }, 'vol', true)}&tls-certificates=${folder}`,
      'NBD_REFUSED',
      /speaks no TLS/,
    ],
  ]
  try {
    for (const [uri, code, message] of known) {
      const error = await refusal(uri)
      assert.is(error.code, code, `${uri}: ${error.message}`)
      assert.match(error.message, message)
    }
  } finally {
    await plain.close()
  }
})

test('a folder that is no whole set is refused', async () => {
  const sets: readonly (readonly [string, RegExp])[] = [
    [part('keyless', 'ca-cert.pem', 'client-cert.pem'), /client-key\.pem is not there/],
    [part('nameless', 'ca-cert.pem', 'client-key.pem'), /client-cert\.pem is not there/],
    [part('empty'), /ca-cert\.pem is not there/],
  ]
  for (const [path, message] of sets) {
    await readClientCertificates(path).then(
      () => assert.unreachable(path),
      (error: Error & { code?: string }) => {
        assert.is(error.code, 'USAGE')
        assert.match(error.message, message)
      },
    )
  }
  const mixed = part('mixed', 'ca-cert.pem', 'client-cert.pem')
  cpSync(join(folder, 'server-key.pem'), join(mixed, 'client-key.pem'))
  await readClientCertificates(mixed).then(
    () => assert.unreachable(),
    (error: Error) => assert.match(error.message, /cannot be used/),
  )
})

test.run()
