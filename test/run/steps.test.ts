/**
 * Every system and composition as a scenario: run into a journal folder, what it left looked at, and what was recorded
 * decided again without a finding.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../src/check/all.ts'
import { hex, sha256 } from '../../src/core/digest.ts'
import { openToRead } from '../../src/engine/open-folder.ts'
import { readContent } from '../../src/images/content.ts'
import { type Contents, contentsOf } from '../../src/inspect/contents.ts'
import { worldAt } from '../../src/replay/at.ts'
import { replay } from '../../src/replay/replay.ts'
import { stepArgs } from '../../src/run/scenario-step.ts'
import { drive } from '../../tools/drive.ts'
import { content } from '../support/ext4-image.ts'
import { temporaryFolder } from '../support/folder.ts'

const test = suite('steps of a scenario')

const folder = temporaryFolder()
test.after(() => folder.remove())

const block = 4096
const blocks = 32
const head = `name = "steps"\nseed = 3\ncopies = 2\n`
const writes = Array.from({ length: blocks }, (_, k) => `/dev/x write ${((k * 5) % blocks) * block} ${block}`)
const fio = ['fio version 2 iolog', '/dev/x add', '/dev/x open', ...writes, '/dev/x close', ''].join('\n')
const image = content(7, blocks * block)
const home = folder.fresh('home')
mkdirSync(home)
writeFileSync(join(home, 'host.iolog'), fio)
writeFileSync(join(home, 'golden.raw'), image)

const volume = (name: string, more = '') => `[[volume]]\nname = "${name}"\nsize = "128K"\n${more}`
const host = (name: string, on: string, more = '') =>
  `[[host]]\nname = "${name}"\nvolume = "${on}"\ntrace = "host.iolog"\nformat = "fio-iolog"\ndepth = 4\n${more}`
const step = (at: string, does: string, args: Record<string, unknown> = {}) =>
  [
    `[[step]]`,
    `at = "${at}"`,
    `do = "${does}"`,
    ...Object.entries(args).map(([k, v]) => `${k} = ${JSON.stringify(v)}`),
    '',
  ].join('\n')

interface Ended {
  readonly contents: Contents
  readonly kinds: readonly string[]
  readonly states: string
  bytes(name: string): Uint8Array
}

let runs = 0
/** Runs a scenario, decides its record again, and gives back what it left. */
async function ran(...parts: readonly string[]): Promise<Ended> {
  const path = join(home, `${++runs}.scenario.toml`)
  writeFileSync(path, [head, ...parts].join('\n'))
  const place = join(home, `${runs}.journal`)
  await drive(path, place, 'durable')
  const { journal, payload } = await openToRead(place)
  const verdict = await replay(journal, { checks })
  assert.equal(verdict.findings, [])
  const kinds: string[] = []
  for await (const frame of journal.read(1)) {
    const row = frame.open()
    for (row.index = 0; row.index < frame.count; row.index++) kinds.push(row.kind)
  }
  const world = await worldAt(journal, journal.bounds().last)
  const found = (name: string) => world.volumes.findLast((one) => one.name === name)!
  const held = new Map<string, Uint8Array>()
  for (const { name, size } of world.volumes.filter(({ gone }) => gone !== true)) {
    held.set(name, readContent(world, found(name), payload, 0, size))
  }
  await journal.close()
  return { contents: contentsOf(world), kinds, states: verdict.stateHash, bytes: (name) => held.get(name)! }
}

const has = (kinds: readonly string[], ...wanted: readonly string[]) => {
  for (const kind of wanted) assert.ok(kinds.includes(kind), `${kind} is on record`)
}
const same = (a: Uint8Array, b: Uint8Array) => assert.ok(Buffer.from(a).equals(Buffer.from(b)))

const golden = { name: 'golden', source: 'a', clone_file: 'golden.raw', extent: '16K' }

test('a clone outside is restored from, each time with the same events', async () => {
  const digest = hex(sha256(image))
  const parts = [
    volume('a'),
    host('h', 'a'),
    step('h:8', 'pair.create', { ...golden, sha256: digest }),
    step('h:8', 'restore.start', { pair: 'golden' }),
    step('h:end', 'pair.delete', { name: 'golden' }),
  ]
  const one = await ran(...parts)
  has(one.kinds, 'restore.completed', 'pair.deleted')
  same(readFileSync(join(home, 'golden.raw')), image)
  const two = await ran(...parts)
  assert.equal([two.kinds, two.states], [one.kinds, one.states])
  const wrote = new Set(writes.slice(8).map((line) => Number(line.split(' ')[2])))
  for (let at = 0; at < image.length; at += block) {
    const is = Buffer.from(one.bytes('a').subarray(at, at + block)).equals(image.subarray(at, at + block))
    assert.is(is, !wrote.has(at), `block at ${at}`)
  }
})

test('views: made, written by a session that is sent there, dropped and merged', async () => {
  const { kinds, contents, bytes } = await ran(
    volume('a'),
    host('h', 'a'),
    host('other', 'a', 'started = false\n'),
    step('h:8', 'preserve.create', { base: 'a', name: 'keep' }),
    step('h:8', 'preserve.create', { base: 'a', name: 'away' }),
    step('h:8', 'session.rebind', { host: 'h', from: 'a', to: 'keep' }),
    step('h:end', 'preserve.drop', { view: 'away' }),
    step('h:end', 'preserve.create', { base: 'a', name: 'third' }),
    step('h:end', 'preserve.merge', { view: 'keep' }),
  )
  has(kinds, 'session.rebound', 'merge.block', 'merge.finished', 'preserve.dropped')
  assert.equal(
    contents.views.map(({ name }) => name),
    ['third'],
  )
  same(bytes('third'), bytes('a'))
})

test('a backup with a near-zero hold: held writes are sent to a view', async () => {
  const { kinds } = await ran(
    volume('a'),
    host('h', 'a'),
    host('o', 'a', 'started = false\n'),
    step('h:8', 'backup.start', { name: 'b', volumes: ['a'] }),
    step('h:8', 'preserve.create', { base: 'a', name: 'go' }),
    step('h:8', 'session.rebind', { host: 'h', from: 'a', to: 'go' }),
    step('h:end', 'backup.stop', { name: 'b' }),
  )
  has(kinds, 'backup.started', 'session.rebound', 'backup.stopped')
})

test('devices and what is made, resized and deleted on the way', async () => {
  const { contents, kinds } = await ran(
    '[[device]]\nname = "d1"\n[[device]]\nname = "d2"\n',
    volume('a', 'devices = ["d1", "d2"]\nstripe = "16K"\n'),
    volume('b', 'devices = ["d2"]\n'),
    host('h', 'a'),
    volume('y'),
    host('i', 'b'),
    host('z', 'y'),
    step('h:1', 'device.create', { name: 'd3' }),
    step('h:1', 'volume.create', { name: 'c', size: '64K', devices: ['d3'] }),
    step('h:2', 'backup.start', {
      name: 'x',
      devices: ['d1'],
      mode: 'physical',
      ranges: ['b:0+8192'],
      scope: 'blocks',
    }),
    step('z:end', 'backup.stop', { name: 'x' }),
    step('h:end', 'volume.resize', { volume: 'c', size: '32K' }),
    step('h:end', 'volume.delete', { volume: 'b' }),
  )
  has(kinds, 'backup.stopped', 'volume.resized', 'volume.deleted')
  assert.equal(contents.devices, [
    { name: 'd1', volumes: ['a'] },
    { name: 'd2', volumes: ['a'] },
    { name: 'd3', volumes: ['c'] },
  ])
  assert.equal(
    contents.volumes.map(({ name, size }) => [name, size]),
    [
      ['a', 131_072],
      ['y', 131_072],
      ['c', 32_768],
    ],
  )
})

const fence = { name: 'f', host: 'own' }
const owner = host('own', 'a', 'started = false\n')

test('an image is restored behind a fence, its metadata first too', async () => {
  for (const first of [false, true]) {
    const { bytes, kinds, contents } = await ran(
      volume('a'),
      host('h', 'a'),
      owner,
      step('h:end', 'fence.raise', {
        ...fence,
        volume: 'a',
        ranges: ['0+4096', '32768+8192'],
        meta_first: first,
      }),
      step('h:end', 'fence.restore', { ...fence, image: 'golden.raw' }),
      step('h:end', 'fence.lower', fence),
    )
    has(kinds, 'fence.raised', 'mover.done', 'fence.lowered', ...(first ? ['fence.meta_restored'] : []))
    assert.equal(contents.fences, [])
    same(bytes('a'), image)
  }
})

test('a restore from a clone outside behind a fence, cancelled once; hosts are kept out meanwhile', async () => {
  const { bytes, kinds } = await ran(
    volume('a'),
    volume('b'),
    host('h', 'a'),
    host('z', 'b', 'started = false\n'),
    owner,
    step('h:8', 'pair.create', golden),
    step('h:end', 'fence.raise', { ...fence, volume: 'a', ranges: ['0+4096'] }),
    step('h:end', 'restore.start', { pair: 'golden', host: 'own' }),
    step('h:end', 'restore.cancel', { pair: 'golden', host: 'own' }),
    step('h:end', 'host.start', { host: 'z' }),
    step('z:end', 'restore.start', { pair: 'golden', host: 'own' }),
    step('z:end', 'restore.pause', { pair: 'golden' }),
    step('z:end', 'restore.resume', { pair: 'golden' }),
    ...(['mark'] as const).map((does) => step('z:end', does, { label: 'there', volume: 'b' })),
  )
  has(kinds, 'restore.cancelled', 'restore.completed', 'fence.meta_buffered')
  assert.not.ok(Buffer.from(bytes('a')).equals(image), 'the pattern is still over the metadata')
  same(bytes('a').subarray(block), image.subarray(block))
})

test('an owner works behind a partial fence, fails, forces it, and another takes over', async () => {
  const { kinds, contents } = await ran(
    volume('a'),
    host('own', 'a'),
    host('two', 'a', 'started = false\n'),
    step('own:4', 'fence.raise', {
      ...fence,
      volume: 'a',
      ranges: ['0+4096'],
      covered: ['8192+65536'],
      last: 0,
    }),
    step('own:4', 'fence.operate', fence),
    step('own:20', 'fence.update', { ...fence, offset: 0, length: 4096 }),
    step('own:20', 'fence.finish', fence),
    step('own:20', 'fence.lower', fence),
    step('own:21', 'fence.raise', { ...fence, volume: 'a', ranges: ['0+4096'], advisory: true }),
    step('own:21', 'fence.takeover', { name: 'f', host: 'two' }),
    step('own:end', 'fence.abort', { name: 'f', host: 'two' }),
    step('own:end', 'fence.raise', {
      ...fence,
      name: 'g',
      volume: 'a',
      ranges: ['0+4096'],
      deadline_ms: 1000,
    }),
    step('own:end', 'fence.operate', { ...fence, name: 'g' }),
    step('own:end', 'fence.fail', { ...fence, name: 'g' }),
    step('own:end', 'fence.lower', { ...fence, name: 'g' }),
  )
  has(
    kinds,
    'op.finished',
    'fence.meta_updated',
    'fence.taken_over',
    'fence.violation',
    'op.failed',
    'fence.aborted',
  )
  assert.equal(contents.fences, [])
})

test('each step of the table is described where the format is', () => {
  const text = readFileSync(new URL('../../../traces/README.md', import.meta.url), 'utf8')
  for (const [name, args] of Object.entries(stepArgs)) {
    const line = text.split('\n').find((one) => one.startsWith('|') && one.includes(`\`${name}\``))
    assert.ok(line !== undefined, name)
    for (const key of Object.keys(args))
      assert.ok(line!.includes(`\`${key.replace('?', '')}\``), `${name}: ${key}`)
  }
})

test.run()
