/**
 * `blockbox serve` when the disk of its journal is full, or fails to sync: it goes on reading, says so in every place
 * where somebody looks, and ends with an error when it is told to stop. With room it records again, in the same process
 * and through the same connections, or when it is started next; after a sync that failed, when it is asked to.
 */

// limit: 300 s
// needs: program strace
// needs: program unshare
// needs: program mount

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, truncateSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type NbdClient, openClient } from '../../../src/nbd/client/client.ts'
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
  /** The folder of its sockets. */
  readonly home: string
  err(): string
  /** Tells it to stop and resolves with its exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>
  /** Ends it if it still runs. */
  kill(): void
}

let homes = 0

/**
 * Runs `serve` on a journal; `inside` is the command that is run, with that one in it. With `control` its API is in the
 * folder of its sockets, else in the journal, where commands look for it.
 */
async function start(
  journal: string,
  inside: (serve: readonly string[]) => readonly string[],
  control = true,
): Promise<Said> {
  const home = join(folder, `home-${++homes}`)
  mkdirSync(home)
  const at = (name: string) => join(home, name)
  const listen = [
    '--socket',
    at('nbd'),
    '--pid-file',
    at('pid'),
    ...(control ? ['--control', at('control')] : []),
  ]
  const [name, ...args] = inside([process.execPath, program, 'serve', '-j', journal, ...listen])
  const child = spawn(name!, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const exited = once(child, 'exit') as Promise<[number | null]>
  const pid = () => Number(readFileSync(at('pid'), 'utf8'))
  const said = {
    home,
    err: () => err,
    async end(signal: NodeJS.Signals) {
      process.kill(pid(), signal)
      return (await exited)[0]
    },
    kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      if (existsSync(at('pid'))) process.kill(pid(), 'SIGKILL')
      child.kill('SIGKILL')
    },
  }
  const isUp = () => existsSync(at('pid')) && readFileSync(at('pid'), 'utf8').endsWith('\n')
  await until(isUp, 'it listens', 60_000).catch((error: unknown) => {
    said.kill()
    throw new Error(`${String(error)}: ${err}`)
  })
  return said
}

function controlled({ home }: Said, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath: join(home, 'control'), path, agent: false }, (response) => {
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
  const at = { socket: join(serving.home, 'nbd') }
  const disk = await openClient(at, 'vol')
  assert.is(JSON.parse(await controlled(serving, '/state')).state, 'recording')
  assert.match(await controlled(serving, '/metrics'), /^blockbox_engine_failed 0$/m)
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
  const state = JSON.parse(await controlled(serving, '/state'))
  assert.equal([state.state, state.failure.code], ['failed', code])
  assert.match(await controlled(serving, '/metrics'), /^blockbox_engine_failed 1$/m)
  assert.match(JSON.parse(await controlled(serving, '/info')).remarks.join(), /nothing is recorded any more/)
  const past = await openClient(at, `vol@seq:${state.durable_seq - 1}`)
  await past.read(0, piece)
  for (const one of [disk, late, past]) await one.close()
  assert.match(serving.err(), /blockbox: nothing is recorded any more: .*Reads go on/)
  return acked
}

async function failureOf(asked: Promise<unknown>): Promise<string> {
  return asked.then(
    () => 'ok',
    (error: RequestFailed) => error.errno,
  )
}

/** Writes pieces nobody wrote yet until there is no room; notes what was answered. */
async function writeUntilFull(disk: NbdClient, sure: Map<number, number>, room: number): Promise<void> {
  for (let k = 200 * (room - 1) + 1; ; k++) {
    assert.ok(k < 200 * room, 'the disk is never full')
    const met = await failureOf(disk.write(k * piece, bytesOf(k)))
    if (met !== 'ok') return assert.is(met, 'ENOSPC')
    sure.set(k, bytesOf(k)[0]!)
  }
}

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
  const script = `${first} && { "$@"; code=$?; }; mount -o remount,size=64m ${mount} && ${again} >/dev/null || exit 9; exit $code`
  const serving = await start(journal, (serve) => ['unshare', '-rm', 'sh', '-c', script, 'sh', ...serve])
  try {
    await failAndRead(serving, 'ENOSPC', 'JOURNAL_FULL')
    assert.is(await serving.end('SIGTERM'), 1, serving.err())
  } finally {
    serving.kill()
  }
})

test('a full disk, then room: the same connections write again, and all that was answered is there', async () => {
  if (spawnSync('unshare', ['-rm', 'true']).status !== 0) {
    return console.log('not proved here: this user may mount nothing')
  }
  const mount = join(folder, 'again')
  mkdirSync(mount)
  const journal = join(mount, 'run.journal')
  const filler = join(mount, 'filler')
  const asked = (...words: string[]) => `${process.execPath} ${program} ${words.join(' ')} -j ${journal}`
  const first = `mount -t tmpfs -o size=48m none ${mount} && head -c 32M /dev/zero >${filler}`
  const make = asked('volume', 'create', 'vol', '--size', String(size))
  const after = `${asked('verify')} && ${asked('image', 'vol', '-o', join(folder, 'again.raw'))}`
  const script = `${first} && ${make} >/dev/null && { "$@"; code=$?; }; ${after} >&2 || exit 9; exit $code`
  const serving = await start(journal, (serve) => ['unshare', '-rm', 'sh', '-c', script, 'sh', ...serve])
  try {
    const at = { socket: join(serving.home, 'nbd') }
    const inside = `/proc/${readFileSync(join(serving.home, 'pid'), 'utf8').trim()}/root${filler}`
    const begun = JSON.parse(await controlled(serving, '/state')).durable_seq
    const disk = await openClient(at, 'vol')
    const [idle, past] = [await openClient(at, 'vol'), await openClient(at, `vol@seq:${begun}`)]
    const sure = new Map<number, number>()
    for (const room of [1, 2]) {
      await writeUntilFull(disk, sure, room)
      const full = JSON.parse(await controlled(serving, '/state'))
      assert.equal([full.state, full.failure.code, full.awaits_room], ['failed', 'JOURNAL_FULL', true])
      assert.is(full.takeovers, room - 1)
      assert.match(await controlled(serving, '/metrics'), /^blockbox_journal_full 1$/m)
      for (const [k, byte] of sure) assert.is((await idle.read(k * piece, 1))[0], byte)
      truncateSync(inside, (2 - room) * 16 * 2 ** 20)
      const since = performance.now()
      while ((await failureOf(disk.write(0, bytesOf(room)))) !== 'ok') {
        assert.ok(performance.now() - since < 45_000, serving.err())
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      sure.set(0, bytesOf(room)[0]!)
      await disk.flush()
      await idle.write(511 * piece, bytesOf(room))
      sure.set(511, bytesOf(room)[0]!)
      await idle.flush()
      for (const [k, byte] of sure) assert.is((await idle.read(k * piece, 1))[0], byte)
      assert.is((await past.read(0, 1))[0], 0)
      const now = JSON.parse(await controlled(serving, '/state'))
      assert.equal([now.state, now.failure, now.takeovers], ['recording', null, room])
      assert.ok(now.last_takeover.seq < now.durable_seq && now.last_takeover.failed === full.failure.since)
      const metrics = await controlled(serving, '/metrics')
      assert.match(metrics, new RegExp(`^blockbox_takeovers_total ${room}$`, 'm'))
      assert.match(metrics, new RegExp(`^blockbox_takeover_seq ${now.last_takeover.seq}$`, 'm'))
      assert.match(metrics, /^blockbox_engine_failed 0$/m)
    }
    for (const one of [disk, idle, past]) await one.close()
    assert.is(await serving.end('SIGTERM'), 0, serving.err())
    assert.match(serving.err(), /nothing is recorded any more: .*no space left.*when there is room/)
    assert.match(serving.err(), /recorded into again, behind event \d+: it could not be .* from 2.* to 2/)
    const image = readFileSync(join(folder, 'again.raw'))
    for (const [k, byte] of sure) {
      assert.ok(
        image.subarray(k * piece, (k + 1) * piece).every((one) => one === byte),
        `piece ${k}`,
      )
    }
  } finally {
    serving.kill()
  }
})

test('a sync that fails: EIO for good, reads go on, exit code 1, and what was answered is there', async () => {
  const inject = ['-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', '-e', 'trace=fdatasync', '-e']
  const failing = [...inject, 'inject=fdatasync:error=EIO:when=9']
  if (spawnSync('strace', [...failing, 'true']).status !== 0) {
    return console.log('not proved here: this process may trace no other')
  }
  const journal = join(folder, 'synced.journal')
  await json('volume', 'create', 'vol', '--size', String(size), '-j', journal)
  const serving = await start(journal, (serve) => ['strace', ...failing, ...serve])
  let acked = 0
  try {
    acked = await failAndRead(serving, 'EIO', 'JOURNAL_IN_DOUBT')
    assert.is(await serving.end('SIGTERM'), 1, serving.err())
  } finally {
    serving.kill()
  }
  assert.is((await blockbox(['verify', '-j', journal])).code, 0)
  const { mapped_bytes: mapped } = await json('image', 'vol', '-j', journal, '-o', join(folder, 'image'))
  assert.ok(
    [acked * piece, (acked + 1) * piece].includes(mapped as number),
    `${mapped} bytes, ${acked} writes`,
  )
})

test('a sync that failed: the server goes on when it is asked to, and settles what became of the write', async () => {
  const inject = ['-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', '-e', 'trace=fdatasync', '-e']
  const alone = ['env', 'UV_THREADPOOL_SIZE=1']
  const failing = [...inject, 'inject=fdatasync:error=EIO:when=30']
  if (spawnSync('strace', [...failing, 'true']).status !== 0) {
    return console.log('not proved here: this process may trace no other')
  }
  const journal = join(folder, 'asked.journal')
  await json('volume', 'create', 'vol', '--size', String(size), '-j', journal)
  assert.is((await blockbox(['reopen', '-j', journal])).code, 2, 'nobody serves it')
  const serving = await start(journal, (serve) => [...alone, 'strace', ...failing, ...serve], false)
  try {
    const disk = await openClient({ socket: join(serving.home, 'nbd') }, 'vol')
    assert.is((await json('reopen', '-j', journal)).takeovers, 0, 'it has not failed')
    let acked = 0
    while ((await failureOf(disk.write(acked * piece, bytesOf(acked)))) === 'ok') acked++
    assert.ok(acked > 2, `${acked} writes`)
    assert.is(await failureOf(disk.write(0, bytesOf(9))), 'EIO')
    const { state, last_takeover } = await json('reopen', '-j', journal)
    assert.is(state, 'recording')
    assert.ok((last_takeover as { seq: number }).seq > 1)
    for (let k = 0; k < acked; k++) assert.is((await disk.read(k * piece, 1))[0], bytesOf(k)[0])
    const [doubt] = await disk.read(acked * piece, 1)
    assert.ok([0, bytesOf(acked)[0]].includes(doubt), 'whole or not at all')
    await disk.write(0, bytesOf(9))
    await disk.flush()
    await disk.close()
    assert.is(await serving.end('SIGTERM'), 0, serving.err())
  } finally {
    serving.kill()
  }
  assert.is((await blockbox(['verify', '-j', journal])).code, 0)
})

test.run()
