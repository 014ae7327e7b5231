/**
 * `blockbox serve` when the disk of its journal is full, or fails to sync: it goes on reading, says so in every place
 * where somebody looks, and ends with an error when it is told to stop. With room, the next start records again.
 */

// limit: 300 s
// needs: program strace
// needs: program unshare
// needs: program mount

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openClient } from '../../../src/nbd/client/client.ts'
import type { RequestFailed } from '../../../src/nbd/protocol/nbd-error.ts'
import { until } from '../../support/served.ts'
import { blockbox, json, scratch } from './blockbox.ts'

const test = suite('blockbox serve on a failing disk')
const program = fileURLToPath(new URL('../../../tools/blockbox.js', import.meta.url))
const folder = scratch()
const size = 256 * 2 ** 20
const piece = 256 * 1024

/** The bytes written as number `k`. */
const bytesOf = (k: number) => new Uint8Array(piece).fill(1 + (k % 250))

interface Said {
  readonly child: ChildProcess
  err(): string
  /** Tells it to stop and resolves with its exit code. */
  end(signal: NodeJS.Signals, pid?: number): Promise<number | null>
}

/** A command that ends up as the server, listening on `nbd` and `control` in the folder. */
function start(command: readonly string[]): Said {
  const [name, ...args] = command
  const child = spawn(name!, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const exited = once(child, 'exit') as Promise<[number | null]>
  return {
    child,
    err: () => err,
    async end(signal, pid = child.pid) {
      process.kill(pid!, signal)
      return (await exited)[0]
    },
  }
}

function controlled(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath: join(folder, 'control'), path, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.once('end', () => resolve(text))
    })
    asking.once('error', reject)
    asking.end()
  })
}

/** Writes until it fails; then everything that is promised of a failed server. */
async function failAndRead(serving: Said, errno: string, code: string): Promise<number> {
  const at = { socket: join(folder, 'nbd') }
  await until(() => existsSync(at.socket) && existsSync(join(folder, 'control')), 'it listens', 20_000)
  const disk = await openClient(at, 'vol')
  assert.is(JSON.parse(await controlled('/state')).state, 'recording')
  assert.match(await controlled('/metrics'), /^blockbox_engine_failed 0$/m)
  let acked = 0
  const failure = async (asked: Promise<unknown>) =>
    asked.then(
      () => 'ok',
      (error: RequestFailed) => error.errno,
    )
  for (let met = 'ok'; met === 'ok' && acked < 512; ) {
    met = await failure(disk.write(acked * piece, bytesOf(acked)))
    if (met === 'ok') acked++
    else assert.is(met, errno)
  }
  assert.ok(acked > 2 && acked < 512, `${acked} writes were acknowledged`)
  assert.is(await failure(disk.flush()), errno)
  const late = await openClient(at, 'vol')
  assert.ok(late.readOnly)
  for (let k = 0; k < acked; k++) {
    for (const reader of [disk, late]) {
      const bytes = await reader.read(k * piece, piece)
      assert.ok(
        bytes.every((byte) => byte === 1 + (k % 250)),
        `piece ${k}`,
      )
    }
  }
  assert.ok(
    (await late.read(acked * piece, piece)).every((byte) => byte === 0),
    'nothing that failed is shown',
  )
  const state = JSON.parse(await controlled('/state'))
  assert.equal([state.state, state.failure.code], ['failed', code])
  assert.match(await controlled('/metrics'), /^blockbox_engine_failed 1$/m)
  assert.match(JSON.parse(await controlled('/info')).remarks.join(), /nothing is recorded any more/)
  const past = await openClient(at, `vol@seq:${state.durable_seq - 1}`)
  await past.read(0, piece)
  for (const one of [disk, late, past]) await one.close()
  assert.match(serving.err(), /blockbox: nothing is recorded any more: .*Reads go on/)
  return acked
}

const listen = (journal: string) => [
  ...[process.execPath, program, 'serve', '-j', journal],
  ...['--socket', join(folder, 'nbd'), '--control', join(folder, 'control')],
]

test('a full disk: ENOSPC, reads go on, exit code 1; with room the next start records again', async () => {
  if (spawnSync('unshare', ['-rm', 'true']).status !== 0) {
    return console.log('not proved here: this user may mount nothing')
  }
  const mount = join(folder, 'mount')
  mkdirSync(mount)
  const journal = join(mount, 'run.journal')
  const make = `${process.execPath} ${program} volume create vol --size ${size} -j ${journal}`
  const again = `${process.execPath} ${program} verify -j ${journal}`
  const first = `mount -t tmpfs -o size=14m none ${mount} && ${make} >/dev/null`
  const script = `${first} && { "$@" & echo $! >${folder}/pid; wait $!; code=$?; }; mount -o remount,size=64m ${mount} && ${again} >/dev/null || exit 9; exit $code`
  const serving = start(['unshare', '-rm', 'sh', '-c', script, 'sh', ...listen(journal)])
  await failAndRead(serving, 'ENOSPC', 'JOURNAL_FULL')
  const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'))
  assert.is(await serving.end('SIGTERM', pid), 1, serving.err())
})

test('a sync that fails: EIO for good, reads go on, exit code 1, and what was answered is there', async () => {
  const inject = ['-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', '-e', 'trace=fdatasync', '-e']
  const failing = [...inject, 'inject=fdatasync:error=EIO:when=9']
  if (spawnSync('strace', [...failing, 'true']).status !== 0) {
    return console.log('not proved here: this process may trace no other')
  }
  const journal = join(folder, 'synced.journal')
  await json('volume', 'create', 'vol', '--size', String(size), '-j', journal)
  const pidFile = join(folder, 'pid2')
  const serving = start(['strace', ...failing, ...listen(journal), '--pid-file', pidFile])
  const acked = await failAndRead(serving, 'EIO', 'JOURNAL_IN_DOUBT')
  assert.is(await serving.end('SIGTERM', Number(readFileSync(pidFile, 'utf8'))), 1, serving.err())
  assert.is((await blockbox(['verify', '-j', journal])).code, 0)
  const { mapped_bytes: mapped } = await json('image', 'vol', '-j', journal, '-o', join(folder, 'image'))
  assert.ok(
    [acked * piece, (acked + 1) * piece].includes(mapped as number),
    `${mapped} bytes, ${acked} writes`,
  )
})

test.run()
