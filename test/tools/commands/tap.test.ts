/**
 * `serve --tap` as a program: killed under load (SIGKILL), stopped, left by its far server, asked for what makes no
 * sense. Whatever a host was told is on the record afterwards, and the far disk holds nothing else but what waited.
 */

// limit: 240 s

import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../../src/check/all.ts'
import { openToRead } from '../../../src/engine/open-folder.ts'
import { readContent } from '../../../src/images/content.ts'
import { volumeOf } from '../../../src/layers/layer.ts'
import { isOnRecord } from '../../../src/layers/tap-state.ts'
import { type NbdClient, openClient } from '../../../src/nbd/client/client.ts'
import { NbdServer } from '../../../src/nbd/server/server.ts'
import { replay } from '../../../src/replay/replay.ts'
import { verify } from '../../../src/replay/verify.ts'
import { MemoryDisk } from '../../support/memory-disk.ts'
import { type Serving, serveProgram } from '../../support/serve-program.ts'
import { blockbox } from './blockbox.ts'

const test = suite('serve --tap')

const block = 4096
const size = 256 * block

/** A far disk, and a program that taps it. */
async function withProgram(
  options: readonly string[],
  use: (its: {
    disk: MemoryDisk
    far: NbdServer
    serving: Serving
    journal: string
    client(): Promise<NbdClient>
  }) => Promise<void>,
  content: Uint8Array = new Uint8Array(size),
  meddle: MemoryDisk['meddle'] = () => undefined,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'blockbox-tapped-'))
  const [journal, socket, farSocket] = ['a.journal', 's', 'far'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const disk = new MemoryDisk({ size })
  disk.bytes.set(content)
  disk.meddle = meddle
  const far = new NbdServer({ catalog: disk, drainMs: 0 })
  await far.listen({ socket: farSocket })
  const uri = `nbd+unix:///far?socket=${farSocket}`
  let serving: Serving | undefined
  try {
    serving = await serveProgram(['-j', journal, '--socket', socket, '--tap', uri, ...options])
    await use({ disk, far, serving, journal, client: () => openClient({ socket }, 'disk0') })
  } finally {
    await serving?.end('SIGKILL').catch(() => undefined)
    await far.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

for (const how of [[], ['--log-first']]) {
  test(`killed under load${how.map((one) => `, ${one}`)}: what was answered is on the record, and it is sound`, () =>
    withProgram(['--as', 'disk0', ...how], async ({ disk, serving, journal, client }) => {
      const answered = new Map<number, Uint8Array>()
      const pending = new Map<number, Uint8Array[]>()
      const load = async (host: NbdClient, worker: number) => {
        for (let round = 0; ; round++) {
          const at = worker + 4 * ((round * 29) % 64)
          const bytes = randomBytes(block)
          const sent = pending.get(at) ?? []
          pending.set(at, [...sent, bytes])
          await host.write(at * block, bytes)
          answered.set(at, bytes)
          pending.set(at, [])
        }
      }
      const hosts = await Promise.all([0, 1, 2, 3].map(client))
      const loads = hosts.map((host, worker) => load(host, worker).catch((error: Error) => error))
      for (let k = 0; k < 400 && answered.size < 80; k++) await new Promise((done) => setTimeout(done, 10))
      assert.is(await serving.end('SIGKILL'), 'SIGKILL')
      await Promise.all(loads)
      assert.ok(answered.size >= 80)
      const open = await openToRead(journal)
      const { findings, world } = await replay(open.journal, { checks, payload: open.payload })
      assert.equal(findings, [])
      assert.equal((await verify(open.journal, open.payload)).findings, [])
      const recorded = readContent(world, volumeOf(world, 1)!, open.payload, 0, size)
      await open.journal.close()
      for (const [at, bytes] of answered) {
        const here = Buffer.from(recorded.subarray(at * block, (at + 1) * block))
        const possible = [bytes, ...(pending.get(at) ?? [])]
        assert.ok(
          possible.some((one) => here.equals(one)),
          `block ${at} is on the record`,
        )
        const there = disk.bytes.subarray(at * block, (at + 1) * block)
        assert.ok(
          possible.some((one) => Buffer.from(one).equals(there)),
          `block ${at} of the far disk`,
        )
      }
      const log = await blockbox(['replay', '-j', journal])
      assert.is(log.code, 0, log.err)
      assert.is((await blockbox(['volume', 'ls', '-j', journal])).code, 0)
      for (let at = 0; at < 256; at++) {
        const known = isOnRecord(world, volumeOf(world, 1)!, { offset: at * block, length: block })
        assert.ok(!known || answered.has(at) || (pending.get(at) ?? []).length > 0)
      }
    }))
}

test('stopped by SIGTERM it ends well, and the image is the far disk', () =>
  withProgram(['--as', 'disk0'], async ({ disk, serving, journal, client }) => {
    const host = await client()
    await host.write(0, randomBytes(size))
    await host.close()
    assert.is(await serving.end('SIGTERM'), 0)
    const image = `${journal}.img`
    const { code, err } = await blockbox(['image', 'disk0', '-j', journal, '-o', image])
    assert.is(code, 0, err)
    assert.ok(readFileSync(image).equals(disk.bytes))
  }))

test('with all of the far disk copied first every moment is known; a far disk that cannot be read is told', async () => {
  await withProgram(
    ['--as', 'disk0', '--copy-first'],
    async ({ disk, serving, journal, client }) => {
      const host = await client()
      const before = disk.bytes.slice()
      await host.write(5000, randomBytes(3000))
      await host.close()
      assert.is(await serving.end('SIGTERM'), 0)
      const image = async (at: string) => {
        const { code, err } = await blockbox(['image', at, '-j', journal, '-o', `${journal}.img`, '--force'])
        assert.is(code, 0, err)
        assert.not.match(err, 'not known')
        return readFileSync(`${journal}.img`)
      }
      assert.ok((await image('disk0')).equals(disk.bytes))
      const { out } = await blockbox(['log', '-j', journal, '--json', '--kind', 'tap.attached'])
      assert.ok((await image(`disk0@seq:${JSON.parse(out).seq}`)).equals(before))
      assert.is((await blockbox(['replay', '-j', journal])).code, 0)
    },
    randomBytes(size),
  )
  const refusing: MemoryDisk['meddle'] = ({ kind, offset }) => {
    return kind === 'io.read' && offset >= size / 2 ? { code: 'E_IO' } : undefined
  }
  const failed = await withProgram(
    ['--as', 'disk0', '--copy-first'],
    async () => undefined,
    undefined,
    refusing,
  ).catch((error: Error) => error.message)
  assert.match(failed ?? '', /serve ended with 1: .*extents of .* could not be read/s)
})

test('when the far server goes it says so and ends with code 1', () =>
  withProgram(['--as', 'disk0'], async ({ far, serving, journal, client }) => {
    const host = await client()
    await host.write(0, new Uint8Array(block))
    let said = ''
    serving.child.stderr!.on('data', (text: string) => {
      said += text
    })
    const ended = new Promise((resolve) => serving.child.once('exit', resolve))
    await far.close()
    assert.is(await ended, 1)
    assert.match(said, /the far server of volume disk0 is lost: .*start the tap again under another name/)
    const { code, out } = await blockbox(['log', '-j', journal])
    assert.is(code, 0)
    assert.match(out, /tap.detached\s+disk0 E_TAP_ENDED/)
    const image = await blockbox(['image', 'disk0', '-j', journal, '-o', `${journal}.img`, '--json'])
    assert.is(JSON.parse(image.out).unknown_bytes, size - block)
    assert.match(image.err, /1020K of the far disk are not known/)
  }))

test('what makes no sense is refused before anybody comes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'blockbox-tapped-'))
  const far = new NbdServer({ catalog: new MemoryDisk({ size: 1000 }), drainMs: 0 })
  const socket = join(folder, 'far')
  await far.listen({ socket })
  const uri = `nbd+unix:///far?socket=${socket}`
  const serve = (...args: string[]) =>
    blockbox(['serve', '-j', join(folder, 'a.journal'), '--socket', join(folder, 's'), ...args])
  try {
    const cases: readonly [string[], number, RegExp][] = [
      [['--tap', uri], 2, /1000 bytes, which are no whole blocks of 512/],
      [['--tap', 'http://here'], 2, /no NBD URI/],
      [['--tap', uri, '--as', 'a/b'], 2, /volume a\/b cannot be made/],
      [['--tap', uri, '--connections', '129'], 2, /at most 128 connections/],
      [['--as', 'disk0'], 2, /name the far disk with --tap|for --tap/],
      [['--tap', `nbd+unix:///no?socket=${folder}/nobody`], 1, /nobody/],
    ]
    for (const [args, wanted, words] of cases) {
      const { code, err } = await serve(...args)
      assert.is(code, wanted, `${args.join(' ')}: ${err}`)
      assert.match(err, words)
    }
  } finally {
    await far.close()
    rmSync(folder, { recursive: true, force: true })
  }
})

test('a name that is taken is refused: a tap records into a new volume', () =>
  withProgram(['--as', 'disk0'], async ({ serving, journal }) => {
    assert.is(await serving.end('SIGTERM'), 0)
    const { code, err } = await blockbox([
      ...['serve', '-j', journal, '--socket', `${journal}.s`],
      ...['--tap', `nbd+unix:///far?socket=${join(journal, '..', 'far')}`, '--as', 'disk0'],
    ])
    assert.is(code, 2, err)
    assert.match(err, 'E_ALREADY')
  }))

test.run()
