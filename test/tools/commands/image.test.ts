/**
 * Content as it was, against what separate tools found: every mark and crash point of the recorded traces, some of
 * them through the program, all of them through the public functions.
 */

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openToRead } from '../../../src/engine/open-folder.ts'
import { imageDigest } from '../../../src/images/export.ts'
import { parsePoint } from '../../../src/replay/point.ts'
import { volumeAt } from '../../../src/replay/volume-at.ts'
import { blockbox, json, ofRepository, scratch } from './blockbox.ts'

const test = suite('image')

interface Expected {
  readonly point: string
  readonly sha256: string
}

const expected = JSON.parse(readFileSync(ofRepository('test', 'traces-expected.json'), 'utf8')) as Record<
  string,
  readonly Expected[]
>
const folder = scratch()
const journal = join(folder, 'traces.journal')
const volumes = {
  'ext4life.dmlog.gz': 'ext4',
  'sqlite_delete.dmlog.gz': 'sqlite',
  'bkrest1.vol.dmlog.gz': 'vol',
}

test.before(async () => {
  for (const [trace, volume] of Object.entries(volumes)) {
    const report = await json('import', ofRepository('traces', trace), '-j', journal, '--volume', volume)
    assert.equal(report.refused, {})
  }
})

test('the expectation covers 42 points of the three traces', () => {
  const points = Object.keys(volumes).map((trace) => expected[trace]!.length)
  assert.equal(points, [4, 33, 5])
})

for (const [trace, volume] of Object.entries(volumes)) {
  test(`${trace}: the content at each point is what other tools found`, async () => {
    const open = await openToRead(journal)
    try {
      for (const { point, sha256 } of expected[trace]!) {
        const at = await volumeAt(open.journal, volume, parsePoint(point))
        assert.is(imageDigest(at.volume, open.payload), sha256, `${volume}@${point}`)
      }
    } finally {
      await open.journal.close()
    }
  })
}

test('the program writes the same content to a sparse file', async () => {
  const chosen: [string, Expected][] = [
    ['ext4', expected['ext4life.dmlog.gz']![0]!],
    ['ext4', expected['ext4life.dmlog.gz']![3]!],
    ...[4, 18, 31].map((k): [string, Expected] => ['sqlite', expected['sqlite_delete.dmlog.gz']![k]!]),
    ['vol', expected['bkrest1.vol.dmlog.gz']![3]!],
  ]
  for (const [volume, { point, sha256 }] of chosen) {
    const file = join(folder, `${volume}-${point.replace(':', '-')}.img`)
    const done = await json('image', `${volume}@${point}`, '-j', journal, '-o', file, '--digest')
    assert.is(done.sha256, sha256)
    assert.is(createHash('sha256').update(readFileSync(file)).digest('hex'), sha256)
    assert.is(statSync(file).size, done.size)
    const room = Number(done.mapped_bytes) + 2 ** 20
    assert.ok(statSync(file).blocks * 512 <= room, 'only what is mapped takes up room')
  }
  assert.equal(
    readdirSync(folder).filter((name) => name.includes('.part-')),
    [],
  )
})

test('without a point it is the newest content, with --at any other, and both print a line', async () => {
  const last = expected['bkrest1.vol.dmlog.gz']!.at(-1)!
  const newest = await blockbox(['image', 'vol', '-j', journal, '--digest'])
  assert.is(newest.code, 0)
  assert.match(newest.out, /^volume vol after event \d+: 16M, \d+ of it mapped\nsha256 [0-9a-f]{64}\n$/)
  assert.match(newest.out, last.sha256)
  const named = await json('image', '--volume', 'vol', '--at', 'source:859', '-j', journal, '--digest')
  assert.is(named.sha256, expected['bkrest1.vol.dmlog.gz']![0]!.sha256)
  const again = await json('image', `vol@seq:${named.seq}`, '-j', journal, '--digest')
  assert.is(again.sha256, named.sha256)
})

test('a file that is there is kept, unless --force says otherwise', async () => {
  const file = join(folder, 'precious')
  writeFileSync(file, 'precious')
  const refused = await blockbox(['image', 'ext4', '-j', journal, '-o', file])
  assert.is(refused.code, 2)
  assert.match(refused.err, 'is there already: name another, or replace it with --force')
  assert.is(readFileSync(file, 'utf8'), 'precious')
  const forced = await blockbox(['image', 'ext4', '-j', journal, '-o', file, '--force'])
  assert.is(forced.code, 0, forced.err)
  assert.is(statSync(file).size, 25_165_824)
})

test.run()
