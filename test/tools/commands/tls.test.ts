/** Commands that take an NBD URI take one that wants TLS: volumes from it, restores, backups, images behind a fence. */

// needs: program openssl
// limit: 300 s

import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeCertificates } from '../../support/certificates.ts'
import { type Serving, serveProgram } from '../../support/serve-program.ts'
import { blockbox, json, scratch } from './blockbox.ts'

const test = suite('commands over TLS')

const folder = scratch()
const certificates = join(folder, 'pki')
const size = 2 ** 20
const bytes = randomBytes(size)
const [store, near] = [join(folder, 'store.journal'), join(folder, 'near.journal')]
let far: Serving
let uri = ''

test.before(async () => {
  makeCertificates(certificates)
  const disk = join(folder, 'disk.img')
  writeFileSync(disk, bytes)
  await json('volume', 'create', 'vol', '--from', disk, '--copy', '-j', store)
  await json('volume', 'create', 'kept', '--size', '1M', '-j', store)
  far = await serveProgram(['-j', store, '--socket', join(folder, 's'), '--tls-certificates', certificates])
  uri = `${far.uri}&tls-certificates=${certificates}`
})
test.after(async () => {
  await far.end('SIGTERM')
})

test('a volume begins as an export over TLS, and is backed up to another', async () => {
  assert.match(far.uri, /^nbds\+unix:\/\/\/vol\?socket=/)
  await json('volume', 'create', 'd', '--from', uri, '--copy', '-j', near)
  await json('image', 'd', '-o', join(folder, 'd.img'), '-j', near)
  assert.ok(readFileSync(join(folder, 'd.img')).equals(bytes))
  await json('backup', 'run', 'd', '-o', uri.replace('/vol?', '/kept?'), '-j', near)
  await json('volume', 'create', 'back', '--from', uri.replace('/vol?', '/kept?'), '--copy', '-j', near)
  await json('image', 'back', '-o', join(folder, 'back.img'), '-j', near)
  assert.ok(readFileSync(join(folder, 'back.img')).equals(bytes))
})

test('an image comes behind a fence over TLS', async () => {
  await json('volume', 'create', 'fenced', '--size', '1M', '-j', near)
  await json('fence', 'raise', 'guard', '--volume', 'fenced', '--ranges', '0+4096', '-j', near)
  const { fence } = await json('fence', 'restore', 'guard', '--from', uri, '--lower', '-j', near)
  assert.is(fence, null)
  await json('image', 'fenced', '-o', join(folder, 'fenced.img'), '-j', near)
  assert.ok(readFileSync(join(folder, 'fenced.img')).equals(bytes))
})

test('who is not trusted, or trusts nobody, is told what to do', async () => {
  const known = [
    [far.uri, /not trusted.*ca-cert\.pem/],
    [far.uri.replace('nbds', 'nbd'), /wants TLS, write nbds/],
    [`${far.uri}&tls-certificates=${folder}`, /ca-cert\.pem is not there/],
  ] as const
  for (const [wrong, message] of known) {
    const { code, err } = await blockbox(['volume', 'create', 'x', '--from', wrong, '-j', near])
    assert.is.not(code, 0)
    assert.match(err, message)
  }
})

test.run()
