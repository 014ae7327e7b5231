/** `blockbox backup run` as a shell runs it: bytes equal the image of the moment, in a file and on another server. */

// limit: 120 s

import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { waiting } from '../../../src/layers/in-flight.ts'
import { until, withServer } from '../../support/served.ts'
import { blockbox, json, scratch } from './blockbox.ts'

const test = suite('blockbox backup run')

const home = scratch()
const journal = join(home, 'j')
const size = 8 * 2 ** 20
const bytes = Buffer.alloc(size)
randomBytes(2 ** 20).copy(bytes, 0)
randomBytes(100_000).copy(bytes, 5 * 2 ** 20)

test.before(async () => {
  const disk = join(home, 'disk.img')
  writeFileSync(disk, bytes)
  await json('volume', 'create', 'disk', '--from', disk, '--copy', '-j', journal)
})

test('to a file: sparse, whole, the image of the moment', async () => {
  const output = join(home, 'out.img')
  const done = await json('backup', 'run', 'disk', '-o', output, '--name', 'one', '--digest', '-j', journal)
  assert.equal([done.backup, done.volume, done.size, done.output], ['one', 'disk', size, output])
  assert.ok(Number(done.held_ms) >= 0 && done.held_to_the_end === undefined)
  assert.ok(readFileSync(output).equals(bytes))
  assert.ok(statSync(output).blocks * 512 < size / 2, 'holes are holes')
  const image = await json('image', 'disk@backup:one', '--digest', '-j', journal)
  assert.equal([image.sha256, image.seq], [done.sha256, done.seq])
  assert.equal((await json('backup', 'ls', '-j', journal)).backups, [])
})

test('held to the end, and no longer than the deadline', async () => {
  const output = join(home, 'held.img')
  const done = await json('backup', 'run', 'disk', '-o', output, '--hold', '-j', journal)
  assert.is(done.held_to_the_end, true)
  assert.match(String(done.backup), /^disk-\d{8}T\d{9}Z$/)
  const short = [
    'backup',
    'run',
    'disk',
    '-o',
    output,
    '--force',
    '--hold',
    '--deadline-ms',
    '1',
    '-j',
    journal,
  ]
  const { code, out, err } = await blockbox([...short, '--json'])
  assert.equal([code, JSON.parse(out).held_to_the_end], [1, false])
  assert.match(err, 'the deadline passed')
  assert.ok(readFileSync(output).equals(bytes), 'it is the moment all the same')
})

test('to another server: all of it, zeros too, and nothing beyond', () =>
  withServer({ size: size + 4096 }, async (far) => {
    const host = await far.client()
    await host.write(0, Buffer.alloc(size + 4096, 0xee))
    const uri = `nbd+unix:///vol?socket=${far.socket}`
    const done = await json('backup', 'run', 'disk', '-o', uri, '-j', journal)
    assert.is(done.output, uri)
    assert.ok(bytes.equals(await host.read(0, size)))
    assert.ok(Buffer.alloc(4096, 0xee).equals(await host.read(size, 4096)))
  }))

test('what cannot take it is refused before anything is held', () =>
  withServer({ size: 2 ** 20 }, async (far) => {
    const uri = (name: string) => `nbd+unix:///${name}?socket=${far.socket}`
    const { last } = far.journal.bounds()
    const there = join(home, 'there.img')
    writeFileSync(there, 'x')
    const before = (await json('info', '-j', journal)).backups_begun
    const cases = [
      [uri('vol'), 'name a larger export'],
      [uri(`vol@seq:${last}`), 'cannot be written'],
      [uri('none'), 'no volume'],
      ['nbd+unix:///x?socket=/no/such', 'the connection failed'],
      [there, 'is there already'],
    ] as const
    for (const [output, said] of cases) {
      const { code, err } = await blockbox(['backup', 'run', 'disk', '-o', output, '-j', journal])
      assert.match(err, said)
      assert.is.not(code, 0)
    }
    assert.is((await json('info', '-j', journal)).backups_begun, before)
    assert.is(readFileSync(there, 'utf8'), 'x')
  }))

test('the server goes in the middle: an error, no backup left running', async () => {
  await withServer({ size }, async (far) => {
    const uri = `nbd+unix:///vol?socket=${far.socket}`
    const limits = { deadlineMs: 60_000, maxEntries: 100, maxBytes: size }
    await far.engine.submit({ kind: 'backup.start', detail: { name: 'holds', volumes: [1], ...limits } })
    const running = blockbox(['backup', 'run', 'disk', '-o', uri, '--hold', '-j', journal])
    await until(() => waiting(far.engine.world) > 0, 'the far side holds what is written', 20_000)
    await far.server.close()
    const { code, err } = await running
    assert.is(code, 1)
    assert.match(err, /closed|failed/)
  })
  assert.equal((await json('backup', 'ls', '-j', journal)).backups, [])
  assert.equal(
    readdirSync(home).filter((name) => name.includes('part')),
    [],
  )
  assert.is((await blockbox(['replay', '-j', journal])).code, 0)
})

test('Ctrl-C in the middle: exit code 130, and --resume makes it whole, as it was then', () =>
  withServer({ size }, async (far) => {
    const uri = `nbd+unix:///vol?socket=${far.socket}`
    const limits = { deadlineMs: 60_000, maxEntries: 100, maxBytes: size }
    await far.engine.submit({ kind: 'backup.start', detail: { name: 'holds', volumes: [1], ...limits } })
    let stopping: Promise<void> | undefined
    const run = ['backup', 'run', 'disk', '-o', uri, '-j', journal]
    const { code, err } = await blockbox([...run, '--name', 'cut'], (child) => {
      stopping = until(() => waiting(far.engine.world) > 0, 'the far side holds', 20_000).then(
        () => void child.kill('SIGINT'),
      )
    })
    await stopping
    assert.is(code, 130)
    assert.match(err, /with --resume goes on/)
    await far.engine.submit({ kind: 'backup.stop', detail: { name: 'holds' } })
    const anew = await blockbox(run)
    assert.equal([anew.code, /was cut off: go on with it by resume/.test(anew.err)], [2, true])
    const done = await json(...run, '--resume')
    assert.equal([done.backup, done.resumed, done.verified], ['cut', true, true])
    const host = await far.client()
    assert.ok(bytes.equals(await host.read(0, size)))
    assert.match((await blockbox([...run, '--resume'])).err, 'no copy to')
  }))

test.run()
