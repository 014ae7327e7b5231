/** `blockbox serve` as a program: where it listens, what it says, how it stops, what it refuses. */

// limit: 120 s

import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openClient } from '../../../src/nbd/client/client.ts'
import { exportUri } from '../../../src/nbd/server/address.ts'
import { activatedSocket } from '../../../tools/serving.ts'
import { serveProgram } from '../../support/serve-program.ts'
import { blockbox, json, scratch } from './blockbox.ts'

const test = suite('blockbox serve')

const folder = scratch()
const journal = join(folder, 'a.journal')
const socket = join(folder, 's')

test.before(async () => {
  await json('volume', 'create', 'vol', '--size', '1M', '-j', journal)
})

test('SIGTERM in the middle of work: what was answered is kept, exit code 0, the socket file goes', async () => {
  const pidFile = join(folder, 'pid')
  const serving = await serveProgram([
    '-j',
    journal,
    '--socket',
    socket,
    '--ack',
    'buffered',
    '--pid-file',
    pidFile,
  ])
  assert.is(serving.uri, `nbd+unix:///vol?socket=${socket}`)
  assert.is(Number(readFileSync(pidFile, 'utf8')), serving.child.pid)
  assert.is((await blockbox(['serve', '-j', journal, '--socket', `${socket}2`])).code, 11)
  const disk = await openClient({ socket }, 'vol')
  await disk.write(0, new Uint8Array(4096).fill(7))
  assert.is(await serving.end('SIGTERM'), 0)
  assert.ok(!existsSync(socket) && !existsSync(pidFile))
  const again = await serveProgram(['-j', journal, '--socket', socket, '--read-only'])
  const reader = await openClient({ socket }, 'vol')
  assert.ok(reader.readOnly)
  assert.is((await reader.read(0, 1))[0], 7)
  reader.destroy()
  assert.is(await again.end('SIGINT'), 130)
  const { out } = await blockbox(['log', '-j', journal])
  assert.match(out, /engine\.stop[^\n]*\n*$/)
})

test('a socket file that a killed server left is replaced; one in use, or another file, is not', async () => {
  const serving = await serveProgram(['-j', journal, '--socket', socket])
  assert.is(await serving.end('SIGKILL'), 'SIGKILL')
  assert.ok(existsSync(socket))
  const again = await serveProgram(['-j', journal, '--socket', socket])
  assert.is(await again.end('SIGTERM'), 0)
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(socket, resolve))
  const used = await blockbox(['serve', '-j', journal, '--socket', socket])
  assert.is(used.code, 1)
  assert.match(used.err, 'another server listens on')
  await new Promise((resolve) => other.close(resolve))
  const file = join(folder, 'file')
  writeFileSync(file, 'x')
  assert.match((await blockbox(['serve', '-j', journal, '--socket', file])).err, 'is no socket')
  assert.is(readFileSync(file, 'utf8'), 'x')
})

test('--run gets the URI, and its exit code is that of the server', async () => {
  const command = 'test -S "$unixsocket" && echo "$uri" && exit 7'
  const { code, out } = await blockbox(['serve', '-j', journal, '--socket', socket, '--run', command])
  assert.is(code, 7)
  assert.is(out.trim(), `nbd+unix:///vol?socket=${socket}`)
})

test('--json tells the port that was taken, on loopback alone', async () => {
  const command = 'echo "port $port"'
  const { code, out } = await blockbox(['serve', '-j', journal, '--port', '0', '--json', '--run', command])
  assert.is(code, 0)
  const [said, ran] = out.trim().split('\n')
  const { version, port, host, uris } = JSON.parse(said!)
  assert.is(version, 1)
  assert.is(host, '127.0.0.1')
  assert.equal(uris, [`nbd://127.0.0.1:${port}/vol`])
  assert.is(ran, `port ${port}`)
})

test('what would be a mistake is refused before anything is opened', async () => {
  for (const [args, why] of [
    [[], 'where?'],
    [['--socket', socket, '--port', '1'], 'where?'],
    [['--port', '0', '--bind', '0.0.0.0'], '--insecure'],
    [['--port', '0', '--bind', '::'], '--insecure'],
    [['--port', '65536'], '65535'],
    [['--socket', join(folder, 'x'.repeat(120))], 'shorter'],
    [['--socket', socket, '--tls-certificates', folder], 'ca-cert.pem'],
    [['--socket', socket, '--ack', 'never'], 'durable'],
  ] as const) {
    const { code, err } = await blockbox(['serve', '-j', journal, ...args])
    assert.is(code, 2, err)
    assert.match(err, why)
  }
  assert.is((await blockbox(['serve', '-j', join(folder, 'none'), '--socket', socket])).code, 10)
})

test('a socket that was bound for another process is not taken', () => {
  const env = { LISTEN_PID: '1', LISTEN_FDS: '1' }
  assert.is(activatedSocket({ ...env }), undefined)
  assert.is(activatedSocket({ ...env, LISTEN_PID: String(process.pid) }), 3)
  assert.is(activatedSocket({ ...env, LISTEN_PID: String(process.pid), LISTEN_FDS: '0' }), undefined)
})

test('a socket that was bound for this process is served', async () => {
  const bound = createServer()
  await new Promise<void>((resolve) => bound.listen(0, '127.0.0.1', resolve))
  const { port } = bound.address() as AddressInfo
  const program = join(import.meta.dirname, '../../../tools/blockbox.js')
  const start = `LISTEN_PID=$$ LISTEN_FDS=1 exec "${process.execPath}" "${program}" serve -j "${journal}" --print-uri`
  const handle = (bound as unknown as { _handle: { fd: number } })._handle
  const child = spawn('sh', ['-c', start], { stdio: ['ignore', 'pipe', 'inherit', handle.fd] })
  await new Promise((resolve) => child.stdout!.once('data', resolve))
  bound.close()
  const disk = await openClient({ port }, 'vol')
  assert.is(disk.size, 2 ** 20)
  await disk.close()
  child.kill('SIGTERM')
  const code = await new Promise((resolve) => child.once('exit', resolve))
  assert.is(code, 0)
})

test('URIs name exports whatever their names and hosts', () => {
  assert.is(
    exportUri({ socket: '/a b/s' }, 'v@mark:x y', false),
    'nbd+unix:///v%40mark%3Ax%20y?socket=/a%20b/s',
  )
  assert.is(exportUri({ host: '::1', port: 10809 }, 'v', true), 'nbds://[::1]/v')
})

test.run()
