/** TLS: both sides known by their certificates, nothing served without, nothing believed that came before. */

// needs: program openssl

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readClientCertificates } from '../../../src/nbd/client/certificates.ts'
import { listExports } from '../../../src/nbd/client/client.ts'
import { option, optionError, optionReply } from '../../../src/nbd/protocol/constant.ts'
import { u32 } from '../../../src/nbd/protocol/field.ts'
import { clientFlags, goMessage, optionMessage } from '../../../src/nbd/protocol/option.ts'
import { readCredentials } from '../../../src/nbd/server/credentials.ts'
import { makeCertificates } from '../../support/certificates.ts'
import { remainder, type Served, serve, until } from '../../support/served.ts'

const test = suite('nbd over TLS')

const folder = mkdtempSync(join(tmpdir(), 'blockbox-tls-'))
let served: Served

test.before(async () => {
  makeCertificates(folder)
  served = await serve({ credentials: await readCredentials(folder), limits: { negotiationMs: 1000 } })
})
test.after(async () => {
  await served.close()
  rmSync(folder, { recursive: true })
})

async function tlsOf(from: string) {
  return { tls: { ...(await readClientCertificates(from)), servername: 'localhost' } }
}

test('a client with a certificate reads and writes, encrypted', async () => {
  const tls = await tlsOf(folder)
  const disk = await served.client('vol', tls)
  await disk.write(5, new Uint8Array(100_000).fill(4))
  assert.ok((await disk.read(5, 100_000)).every((byte) => byte === 4))
  await disk.close()
  assert.equal(
    (await listExports({ socket: served.socket }, tls)).map(({ name }) => name),
    ['vol'],
  )
})

test('without TLS every option but STARTTLS is refused', async () => {
  const socket = await served.raw()
  socket.write(Buffer.concat([clientFlags(), optionMessage(option.list), goMessage('vol', [])]))
  socket.write(optionMessage(option.structuredReply))
  socket.write(optionMessage(option.abort))
  const bytes = await remainder(socket)
  const types: number[] = []
  for (let at = 18; at < bytes.length; at += 20 + u32(bytes, at + 16)) types.push(u32(bytes, at + 12))
  const { tlsRequired } = optionError
  assert.equal(types, [tlsRequired, tlsRequired, tlsRequired, optionReply.ack])
  await served.client().then(
    () => assert.unreachable('a client without TLS was let in'),
    (error: { code?: string }) => assert.is(error.code, 'NBD_REFUSED'),
  )
})

test('a client that the authority does not know is turned away, and knows no better itself', async () => {
  const { tls } = await tlsOf(join(folder, 'stranger'))
  const { ca } = await readCredentials(folder)
  for (const stranger of [tls, { ...tls, ca }, { ca, servername: 'localhost' }]) {
    await served.client('vol', { tls: stranger }).then(
      () => assert.unreachable('a stranger was let in'),
      (error: { code?: string }) =>
        assert.ok(['SOCKET', 'NBD_CLOSED'].includes(error.code ?? ''), String(error)),
    )
  }
  await until(() => served.server.connections === 0, 'the strangers are gone')
})

test('what is put in behind STARTTLS ends the connection', async () => {
  const socket = await served.raw()
  socket.write(
    Buffer.concat([clientFlags(), optionMessage(option.startTls), optionMessage(option.structuredReply)]),
  )
  const bytes = await remainder(socket)
  assert.ok(bytes.length <= 18 + 20, 'nothing is answered but STARTTLS')
})

test('a client that stops in the middle of TLS is given up', async () => {
  const socket = await served.raw()
  socket.write(Buffer.concat([clientFlags(), optionMessage(option.startTls)]))
  const started = performance.now()
  await remainder(socket)
  assert.ok(performance.now() - started < 3000)
  await until(() => served.server.connections === 0, 'it is gone')
})

test('a server without certificates says so', async () => {
  const plain = await serve()
  try {
    const tls = await tlsOf(folder)
    await plain.client('vol', tls).then(
      () => assert.unreachable(),
      (error: { code?: string }) => assert.is(error.code, 'NBD_REFUSED'),
    )
    await readCredentials(join(folder, 'nowhere')).then(
      () => assert.unreachable(),
      (error: { code?: string }) => assert.is(error.code, 'USAGE'),
    )
  } finally {
    await plain.close()
  }
})

test.run()
