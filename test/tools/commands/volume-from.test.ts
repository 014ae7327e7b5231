/** `blockbox volume create --from`, and clones on other servers, as a shell runs them. */

// limit: 120 s

import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openClient } from '../../../src/nbd/client/client.ts'
import { serveProgram } from '../../support/serve-program.ts'
import { withServer } from '../../support/served.ts'
import { blockbox, json, scratch } from './blockbox.ts'

const test = suite('blockbox volume create --from')

const home = scratch()
const size = 2 ** 20
const bytes = randomBytes(size)
const disk = join(home, 'disk.img')
writeFileSync(disk, bytes)
const sum = (content: Uint8Array) => createHash('sha256').update(content).digest('hex')
const digest = async (address: string, journal: string) =>
  (await json('image', address, '--digest', '-j', journal)).sha256

test('hosts use a disk that is there; what they touch is brought in, and the file is not written', async () => {
  const journal = join(home, 'touched')
  const made = await json('volume', 'create', 'd', '--from', disk, '-j', journal)
  assert.equal([made.size, made.from, made.extents, made.extents_left], [size, disk, 16, 16])
  const socket = join(home, 's')
  const serving = await serveProgram(['-j', journal, '--socket', socket])
  const expected = Buffer.from(bytes)
  const host = await openClient({ socket }, 'd')
  await host.write(70_000, new Uint8Array(10).fill(7))
  expected.fill(7, 70_000, 70_010)
  assert.ok(expected.subarray(65_536, 131_072).equals(await host.read(65_536, 65_536)))
  await host.close()
  assert.is(await serving.end('SIGTERM'), 0)
  const { restores } = await json('restore', 'ls', '-j', journal)
  assert.equal(restores, [
    { pair: 'd', protected: true, remaining_extents: 15, background: true, paused: true },
  ])
  assert.is((await json('restore', 'resume', 'd', '-j', journal)).code, 'ok')
  assert.is(await digest('d', journal), sum(expected))
  assert.ok(readFileSync(disk).equals(bytes))
  assert.is((await blockbox(['replay', '-j', journal])).code, 0)
})

test('copied at once, at a rate, and once for a key', async () => {
  const journal = join(home, 'copied')
  const ask = [
    'volume',
    'create',
    'd',
    '--from',
    disk,
    '--copy',
    '--rate',
    '200',
    '--key',
    'k',
    '-j',
    journal,
  ]
  const first = await json(...ask)
  assert.equal([first.code, first.extents_left], ['ok', 0])
  const second = await json(...ask)
  assert.equal([second.code, second.repeats !== undefined], ['ok', true])
  assert.is(await digest('d', journal), sum(bytes))
  const log = (await blockbox(['log', '-j', journal])).out
  assert.is(log.match(/restore\.started/g)?.length, 1)
  assert.match(log, 'engine.stop')
})

test('a restore with a rate waits for its end', async () => {
  const journal = join(home, 'rate')
  await json('volume', 'create', 'v', '--size', '1M', '-j', journal)
  await json('clone', 'create', 'p', '--source', 'v', '--clone-file', disk, '-j', journal)
  await json('restore', 'start', 'p', '--rate', '200', '-j', journal)
  assert.is(await digest('v', journal), sum(bytes))
})

test('from another server, which may go and come back', () =>
  withServer({ size }, async (far) => {
    await (await far.client()).write(0, bytes)
    const uri = `nbd+unix:///vol?socket=${far.socket}`
    const journal = join(home, 'far')
    const whole = await json('volume', 'create', 'd', '--from', uri, '--copy', '-j', journal)
    assert.equal([whole.extents_left, whole.from], [0, uri])
    assert.is(await digest('d', journal), sum(bytes))
    await json('volume', 'create', 'v', '--size', '1M', '-j', journal)
    await json('clone', 'create', 'p', '--source', 'v', '--clone', uri, '-j', journal)
    await json('restore', 'start', 'p', '-j', journal)
    assert.is(await digest('v', journal), sum(bytes))
    assert.match((await blockbox(['clone', 'verify', 'p', '-j', journal])).out, 'is what it was')
    await json('volume', 'create', 'late', '--from', uri, '-j', journal)
    await far.server.close()
    const gone = await blockbox(['restore', 'resume', 'late', '-j', journal])
    assert.is(gone.code, 1)
    assert.match(gone.err, 'the restore gave up after errors')
    const moved = await json('restore', 'resume', 'late', '--clone-file', disk, '-j', journal)
    assert.is(moved.code, 'ok')
    assert.is(await digest('late', journal), sum(bytes))
  }))

test('what is no disk is refused', async () => {
  const journal = join(home, 'none')
  const odd = join(home, 'odd.img')
  writeFileSync(odd, bytes.subarray(0, 5000))
  const empty = join(home, 'empty.img')
  writeFileSync(empty, '')
  const cases = [
    [['--from', odd], 'no whole blocks of 4096'],
    [['--from', empty], 'no whole blocks'],
    [['--from', join(home, 'missing')], 'there is no such file'],
    [['--from', home], 'no plain file but a folder'],
    [['--from', 'nbd+unix:///x'], 'names no socket'],
    [['--from', 'nbd+unix:///x?socket=/no/such'], 'the connection failed'],
    [[], 'how large?'],
    [['--from', disk, '--size', '1M'], 'how large?'],
    [['--from', disk, '--device', 'ssd'], 'begin empty'],
  ] as const
  for (const [args, said] of cases) {
    const { code, err } = await blockbox(['volume', 'create', 'd', ...args, '-j', journal])
    assert.match(err, said)
    assert.is.not(code, 0)
  }
  const { code } = await blockbox(['volume', 'create', 'd', '--from', odd, '--block', '512', '-j', journal])
  assert.is(code, 2, '5000 bytes are no whole blocks of 512')
})

test('a disk that became shorter gives errors by name', async () => {
  const journal = join(home, 'shorter')
  const copy = join(home, 'copy.img')
  writeFileSync(copy, bytes)
  await json('volume', 'create', 'd', '--from', copy, '-j', journal)
  truncateSync(copy, size / 2)
  assert.is((await blockbox(['restore', 'resume', 'd', '-j', journal])).code, 1)
  rmSync(copy)
  writeFileSync(copy, bytes)
  await json('restore', 'resume', 'd', '-j', journal)
  assert.is(await digest('d', journal), sum(bytes))
})

test.run()
