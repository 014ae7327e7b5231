/** The API at its edges: who may ask, how much, how slowly; and how it begins and ends. */

import { existsSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ControlOptions, serveControl } from '../../src/control/control-server.ts'
import { type ControlledEngine, controlled } from '../support/controlled.ts'
import { remainder, until } from '../support/served.ts'

const test = suite('control over HTTP')

const token = 'a-token-of-the-tests'
const json = { 'content-type': 'application/json' }

async function withApi(options: Partial<ControlOptions>, use: (api: ControlledEngine) => Promise<void>) {
  const api = await controlled(options)
  try {
    await use(api)
  } finally {
    await api.close()
  }
}

/** Sends text on a connection of its own and resolves with all that comes until it is closed. */
async function sent(path: string, text: string): Promise<string> {
  const socket = connect(path)
  socket.on('error', () => undefined)
  socket.write(text)
  return (await remainder(socket)).toString()
}

test('the socket is for its owner alone, and goes when the server ends', () =>
  withApi({}, async (api) => {
    assert.is(statSync(api.socketPath).mode & 0o777, 0o600)
    assert.equal(api.server.address, { path: api.socketPath })
    await api.server.close()
    assert.not(existsSync(api.socketPath))
  }))

test('a socket that a killed server left is replaced; another file, or a server, is not', () =>
  withApi({}, async ({ engine, journal, payload, root, folder, socketPath }) => {
    const serve = (path: string) => serveControl(engine, journal, payload, { folder, path })
    const refused = async (path: string, code: string) => {
      const error = await serve(path).then(
        () => undefined,
        (thrown: { code: string }) => thrown,
      )
      assert.is(error?.code, code)
    }
    await refused(socketPath, 'SOCKET')
    const file = join(root, 'file')
    writeFileSync(file, 'x')
    await refused(file, 'SOCKET')
    await refused(join(root, 'x'.repeat(120)), 'USAGE')
    await refused(join(root, 'none', 's'), 'SOCKET')
  }))

test('over TCP nothing is told without the token', () =>
  withApi({ port: 0, token }, async (api) => {
    assert.ok('port' in api.server.address)
    const { port } = api.server.address as { port: number }
    const asked = (authorization?: string) =>
      api.ask('GET /info', { port, ...(authorization !== undefined && { headers: { authorization } }) })
    for (const wrong of [undefined, token, 'Bearer ', `Bearer ${token}x`, `Basic ${token}`]) {
      const reply = await asked(wrong)
      assert.equal([reply.status, reply.json.error.code], [401, 'UNAUTHORIZED'], wrong)
      assert.is(reply.headers['www-authenticate'], 'Bearer')
    }
    assert.is((await api.ask('GET /nothing', { port })).status, 401, 'nor which routes there are')
    assert.is((await asked(`Bearer ${token}`)).status, 200)
    assert.not(existsSync(api.socketPath))
  }))

test('a port without a proper token is a usage error', async () => {
  for (const wrong of [{ port: 0 }, { port: 0, token: 'short' }, { port: 0, token, path: '/x' }]) {
    const api = await controlled()
    const { engine, journal, payload, folder } = api
    let code = 'none'
    await serveControl(engine, journal, payload, { folder, ...wrong }).catch((error) => {
      code = error.code
    })
    assert.is(code, 'USAGE')
    await api.close()
  }
})

test('a body that is too long is refused before it is read', () =>
  withApi({}, async (api) => {
    const head = 'POST /volumes HTTP/1.1\r\nhost: c\r\ncontent-type: application/json\r\n'
    const said = await sent(api.socketPath, `${head}content-length: ${2 ** 20 + 1}\r\n\r\n`)
    assert.match(said, /^HTTP\/1\.1 413 .*"code":"TOO_LARGE"/s)
    const piece = `40000\r\n${'x'.repeat(0x40000)}\r\n`
    const pieces = await sent(api.socketPath, `${head}transfer-encoding: chunked\r\n\r\n${piece.repeat(5)}`)
    assert.match(pieces, /^HTTP\/1\.1 413 /)
    const most = { name: 'x', size: 4096, pad: 'y'.repeat(2 ** 20 - 40) }
    assert.is((await api.ask('POST /volumes', { body: most })).status, 400, 'as long as it may be: judged')
    assert.is((await api.ask('GET /volumes')).status, 200, 'others are served on')
  }))

test('headers and bodies that do not come are given up', () =>
  withApi({ limits: { headersMs: 100, requestMs: 200 } }, async (api) => {
    const head = 'POST /volumes HTTP/1.1\r\nhost: c\r\ncontent-type: application/json\r\n'
    assert.match(await sent(api.socketPath, head), /^HTTP\/1\.1 408 .*"code":"TOO_SLOW"/s)
    const slow = await sent(api.socketPath, `${head}content-length: 10\r\n\r\n{`)
    assert.match(slow, /^HTTP\/1\.1 408 /)
    assert.match(await sent(api.socketPath, 'NONSENSE\r\n\r\n'), /^HTTP\/1\.1 400 .*"BAD_REQUEST"/s)
    const long = `GET /info HTTP/1.1\r\nhost: c\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`
    assert.match(await sent(api.socketPath, long), /^HTTP\/1\.1 413 /)
    assert.is((await api.ask('GET /volumes')).status, 200)
  }))

test('no more connections than the limit are let in', () =>
  withApi({ limits: { connections: 3 } }, async (api) => {
    const idle = [connect(api.socketPath), connect(api.socketPath), connect(api.socketPath)]
    await Promise.all(idle.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
    const refused = await api.ask('GET /volumes').then(
      () => 'answered',
      () => 'refused',
    )
    assert.is(refused, 'refused')
    for (const socket of idle) socket.destroy()
    await until(() => idle.every((socket) => socket.closed), 'closed')
    let status = 0
    for (let tries = 0; tries < 50 && status === 0; tries++) {
      status = await api.ask('GET /volumes').then(
        (reply) => reply.status,
        () => 0,
      )
    }
    assert.is(status, 200)
  }))

test('a stop ends what waits, and says so', () =>
  withApi({}, async (api) => {
    await api.ask('POST /volumes', { body: { name: 'a', size: 65_536 } })
    const path = join(api.root, 'a.raw')
    writeFileSync(path, new Uint8Array(65_536).fill(1))
    await api.ask('POST /clones', { body: { name: 'p', source: 'a', clone_file: { path }, extent: 4096 } })
    const waits = api.ask('POST /restores', { body: { pair: 'p', rate: 1, wait: true } })
    await until(() => api.journal.bounds().last > 12, 'the restore runs')
    const began = performance.now()
    await api.server.close()
    const { status, json: body } = await waits
    assert.equal([status, body.error.code], [503, 'ENGINE_STOPPED'])
    assert.ok(performance.now() - began < 4000)
  }))

test('requests that come at once are each answered', () =>
  withApi({}, async (api) => {
    const names = Array.from({ length: 40 }, (_, k) => `v${k}`)
    const replies = await Promise.all(
      names.map((name) => api.ask('POST /volumes', { body: { name, size: 4096 }, headers: json })),
    )
    assert.ok(replies.every(({ status }) => status === 200))
    assert.is((await api.ask('GET /volumes')).json.volumes.length, 40)
  }))

test.run()
