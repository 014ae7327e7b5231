/** TLS with nbdkit as the server: with a certificate of this side and without, and nbdinfo against ours by the same URI. */

// needs: program nbdkit
// needs: program nbdinfo
// needs: program openssl
// limit: 120 s

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openNbdImage } from '../../../src/images/nbd-image.ts'
import { exportUri } from '../../../src/nbd/server/address.ts'
import { readCredentials } from '../../../src/nbd/server/credentials.ts'
import { makeCertificates } from '../../support/certificates.ts'
import { farSide } from '../../support/far-side.ts'
import { runs } from '../../support/foreign.ts'
import { withServer } from '../../support/served.ts'

const test = suite('TLS of others')

const home = mkdtempSync(join(tmpdir(), 'blockbox-tls-'))
test.after(() => rmSync(home, { recursive: true, force: true }))
makeCertificates(home)
const bytes = randomBytes(2 ** 20)
const disk = join(home, 'disk.img')
writeFileSync(disk, bytes)

const freePort = () =>
  new Promise<number>((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })

for (const verify of [[], ['--tls-verify-peer']]) {
  test(`nbdkit that wants TLS ${verify.length > 0 ? 'and our certificate' : 'and no certificate'} is read`, async () => {
    const port = await freePort()
    const listen = ['-f', '-r', '-i', '127.0.0.1', '-p', String(port)]
    const secure = ['--tls=require', `--tls-certificates=${home}`, ...verify]
    const far = await farSide('nbdkit', [...listen, ...secure, 'file', disk], { port })
    try {
      const image = await openNbdImage(`nbds://localhost:${port}/?tls-certificates=${home}`)
      assert.ok(bytes.equals(await image.read(0, bytes.length)))
      await image.close()
      await openNbdImage(`nbds://localhost:${port}/?tls-certificates=${join(home, 'stranger')}`).then(
        () => assert.unreachable('nobody signed it'),
        (error: Error) => assert.match(error.message, /not trusted/),
      )
      await openNbdImage(`nbd://localhost:${port}/`).then(
        () => assert.unreachable('it is not secure'),
        (error: Error) => assert.match(error.message, /TLS/),
      )
    } finally {
      await far.kill()
    }
  })
}

test('the URI that we take is one that nbdinfo takes', async () =>
  withServer({ credentials: await readCredentials(home) }, async ({ socket }) => {
    const uri = `${exportUri({ socket }, 'vol', true)}&tls-certificates=${home}`
    assert.match(await runs('nbdinfo', uri), /export="vol"/)
    await (await openNbdImage(uri)).close()
  }))

test.run()
