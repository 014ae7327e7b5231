/**
 * `blockbox serve` when the disk of its journal is full, or fails to sync: it goes on reading, says so in every place
 * where somebody looks, and ends with an error when it is told to stop. With room, the next start records again; and so
 * does this one, see serve-takeover.test.ts.
 */

// limit: 300 s
// needs: program strace
// needs: program unshare
// needs: program mount

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openClient } from '../../../src/nbd/client/client.ts'
import { mayMount, mayTrace } from '../../support/ability.ts'
import { errnoOf } from '../../support/errno.ts'
import {
  bytesOf,
  controlled,
  folder,
  piece,
  program,
  type Said,
  size,
  start,
} from '../../support/failing-serve.ts'
import { blockbox, json } from './blockbox.ts'

const test = suite('blockbox serve on a failing disk')

/** Writes until it fails; then everything that is promised of a failed server. */
async function failAndRead(serving: Said, errno: string, code: string): Promise<number> {
  const at = { socket: join(serving.home, 'nbd') }
  const disk = await openClient(at, 'vol')
  assert.is(JSON.parse(await controlled(serving, '/state')).state, 'recording')
  assert.match(await controlled(serving, '/metrics'), /^blockbox_engine_failed 0$/m)
  let acked = 0
  for (let met = 'ok'; met === 'ok' && acked < 512; ) {
    met = await errnoOf(disk.write(acked * piece, bytesOf(acked)))
    if (met === 'ok') acked++
    else assert.is(met, errno)
  }
  assert.ok(acked > 2 && acked < 512, `${acked} writes were acknowledged`)
  assert.is(await errnoOf(disk.flush()), errno)
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

test('a full disk: ENOSPC, reads go on, exit code 1; with room the next start records again', async () => {
  if (!mayMount()) return
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

test('a sync that fails: EIO for good, reads go on, exit code 1, and what was answered is there', async () => {
  const inject = ['-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', '-e', 'trace=fdatasync', '-e']
  const failing = [...inject, 'inject=fdatasync:error=EIO:when=9']
  if (!mayTrace(failing)) return
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

test.run()
