/**
 * What programs at their sockets see of the five systems: the server is a process, each command is one, the hosts are
 * clients of this one.
 */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type NbdClient, openClient } from '../../../src/nbd/client/client.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { createVolume, type Serving, serveProgram, socketIn } from '../../support/serve-program.ts'

const test = suite('systems')
const folder = temporaryFolder()
test.after(() => folder.remove())

const program = fileURLToPath(new URL('../../../tools/blockbox.js', import.meta.url))
const block = 4096
const at = (blocks: number) => blocks * block
const filled = (fill: number) => new Uint8Array(block).fill(fill)

let journal = ''
let serving: Serving
const clients: NbdClient[] = []

test.before(async () => {
  const path = folder.fresh()
  journal = join(path, 'a.journal')
  for (const name of ['vol', 'vol-clone']) await createVolume(journal, name, '--size', '1M')
  serving = await serveProgram(['-j', journal, '--socket', socketIn(path)])
})

test.after(async () => {
  for (const client of clients) client.destroy()
  await serving.end('SIGTERM')
})

async function host(name: string): Promise<NbdClient> {
  const client = await openClient({ socket: socketIn(join(journal, '..')) }, name, { limitMs: 20_000 })
  clients.push(client)
  return client
}

/** Runs a command as a process of its own; it must be done. */
function done(...args: string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [program, ...args, '-j', journal], {
    encoding: 'utf8',
  })
  assert.is(status, 0, `${args.join(' ')}: ${stderr}`)
}

const first = async (client: NbdClient, offset: number) => (await client.read(offset, block))[0]
/** Asks again until it is so, or a minute has passed. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 60_000; !(await holds()); ) {
    assert.ok(performance.now() < end, 'it came about in time')
    await setTimeout(20)
  }
}

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'ok',
    (error: Error) => error.message,
  )

test('S0: an advisory fence is bytes that are no metadata; the host finds them valid again when it is lowered', async () => {
  const vol = await host('vol')
  await vol.write(0, filled(7))
  done('fence', 'raise', 'guard', '--volume', 'vol', '--ranges', '0+4096', '--advisory')
  assert.is.not(await first(vol, 0), 7)
  done('fence', 'lower', 'guard')
  assert.is(await first(vol, 0), 7)
})

test('S0: an enforced fence refuses what it covers to every host, and nothing else', async () => {
  const hosts = [await host('vol'), await host('vol')]
  await hosts[0]!.write(at(16), filled(8))
  done('fence', 'raise', 'wall', '--volume', 'vol', '--ranges', '0+4096', '--covered', `${at(16)}+4096`)
  for (const vol of hosts) {
    assert.is.not(await first(vol, 0), 7, 'the metadata is overwritten')
    assert.match(await code(vol.read(at(16), block)), /EPERM/)
    for (const offset of [0, at(16)]) assert.match(await code(vol.write(offset, filled(9))), /EPERM/)
    assert.is(await code(vol.write(at(32), filled(9))), 'ok')
  }
  done('fence', 'lower', 'wall')
  for (const vol of hosts) assert.equal([await first(vol, 0), await first(vol, at(16))], [7, 8])
})

test('S1: a write that is held is answered when the backup ends, reads are not held', async () => {
  const vol = await host('vol')
  done('backup', 'start', 'nightly', '--volume', 'vol')
  let answered = false
  const write = vol.write(at(40), filled(5)).then(() => {
    answered = true
  })
  assert.is(await first(vol, at(40)), 0)
  assert.not(answered)
  done('backup', 'stop', 'nightly')
  await write
  assert.is(await first(vol, at(40)), 5)
})

test('S2: a volume and a view of it are two exports: what the view writes is its own, what the volume writes is in both', async () => {
  done('preserve', 'create', 'vol', 'trial')
  const [vol, trial] = [await host('vol'), await host('trial')]
  await trial.write(at(48), filled(1))
  assert.equal([await first(vol, at(48)), await first(trial, at(48))], [0, 1])
  await vol.write(at(49), filled(2))
  assert.equal([await first(vol, at(49)), await first(trial, at(49))], [2, 2])
  await vol.write(at(48), filled(3))
  assert.equal([await first(vol, at(48)), await first(trial, at(48))], [3, 3])
  trial.destroy()
  done('preserve', 'drop', 'trial')
})

test('S3, S4: a restore shows the clone at once, its source is written meanwhile, its clone is not', async () => {
  const [vol, clone] = [await host('vol'), await host('vol-clone')]
  await vol.write(at(200), filled(11))
  done('clone', 'create', 'mirror', '--source', 'vol', '--clone', 'vol-clone')
  done('clone', 'sync', 'mirror')
  done('clone', 'fracture', 'mirror')
  for (let k = 100; k < 256; k++) await vol.write(at(k), filled(12))
  const restore = spawn(process.execPath, [
    program,
    'restore',
    'start',
    'mirror',
    '--rate',
    '1',
    '-j',
    journal,
  ])
  const ended = once(restore, 'exit') as Promise<[number]>
  await until(async () => (await first(vol, at(200))) === 11)
  await vol.write(at(201), filled(13))
  assert.match(await code(clone.write(0, filled(1))), /EPERM/)
  assert.is(await first(clone, at(200)), 11)
  done('restore', 'cancel', 'mirror', '--force')
  const [exit] = await ended
  assert.is(exit, 1, 'who waits for a restore is told that it did not complete')
})

test.run()
