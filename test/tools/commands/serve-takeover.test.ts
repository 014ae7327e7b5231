/**
 * `blockbox serve` on a disk that was full and has room again, or whose sync failed once: it records again in the same
 * process, and hosts write again through the connections they have.
 */

// limit: 300 s
// needs: program strace
// needs: program unshare
// needs: program mount

import { mkdirSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type NbdClient, openClient } from '../../../src/nbd/client/client.ts'
import { mayMount, mayTrace } from '../../support/ability.ts'
import { errnoOf } from '../../support/errno.ts'
import { bytesOf, controlled, folder, piece, program, size, start } from '../../support/failing-serve.ts'
import { blockbox, json } from './blockbox.ts'

const test = suite('blockbox serve that records again')

/** Writes pieces nobody wrote yet until there is no room; notes what was answered. */
async function writeUntilFull(disk: NbdClient, sure: Map<number, number>, room: number): Promise<void> {
  for (let k = 200 * (room - 1) + 1; ; k++) {
    assert.ok(k < 200 * room, 'the disk is never full')
    const met = await errnoOf(disk.write(k * piece, bytesOf(k)))
    if (met !== 'ok') return assert.is(met, 'ENOSPC')
    sure.set(k, bytesOf(k)[0]!)
  }
}

test('a full disk, then room: the same connections write again, and all that was answered is there', async () => {
  if (!mayMount()) return
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
      assert.is(JSON.parse(await controlled(serving, '/reopen', 'POST')).error.code, 'JOURNAL_FULL')
      for (const [k, byte] of sure) assert.is((await idle.read(k * piece, 1))[0], byte)
      truncateSync(inside, (2 - room) * 16 * 2 ** 20)
      const since = performance.now()
      while ((await errnoOf(disk.write(0, bytesOf(room)))) !== 'ok') {
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

test('a sync that failed: the server goes on when it is asked to, and settles what became of the write', async () => {
  const inject = ['-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', '-e', 'trace=fdatasync', '-e']
  const alone = ['env', 'UV_THREADPOOL_SIZE=1']
  const failing = [...inject, 'inject=fdatasync:error=EIO:when=30']
  if (!mayTrace(failing)) return
  const journal = join(folder, 'asked.journal')
  await json('volume', 'create', 'vol', '--size', String(size), '-j', journal)
  assert.is((await blockbox(['reopen', '-j', journal])).code, 2, 'nobody serves it')
  const serving = await start(journal, (serve) => [...alone, 'strace', ...failing, ...serve], false)
  try {
    const disk = await openClient({ socket: join(serving.home, 'nbd') }, 'vol')
    assert.is((await json('reopen', '-j', journal)).takeovers, 0, 'it has not failed')
    let acked = 0
    while ((await errnoOf(disk.write(acked * piece, bytesOf(acked)))) === 'ok') acked++
    assert.ok(acked > 2, `${acked} writes`)
    assert.is(await errnoOf(disk.write(0, bytesOf(9))), 'EIO')
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
