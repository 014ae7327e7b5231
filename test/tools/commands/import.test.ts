/** Recording a trace into a journal: what is said, what is refused, what a second import may do. */

import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bit, encodeLog } from '../../trace/dm-log-encode.ts'
import { blockbox, json, ofRepository, scratch } from './blockbox.ts'

const test = suite('import into a journal')

const folder = scratch()
const path = (name: string) => join(folder, name)
const trace = (name: string) => ofRepository('traces', name)

test('a trace becomes a volume, and the report says what became of it', async () => {
  const into = ['-j', path('a.journal'), '--volume', 'disk']
  const { code, out, err } = await blockbox(['import', trace('sqlite_delete.dmlog.gz'), ...into])
  assert.is(code, 0, err)
  assert.is(out, 'recorded 1301 events into volume disk: 16M in blocks of 4K\n')
  assert.is(err, '')
})

test('blocks of 512 bytes are explained', async () => {
  const into = ['-j', path('a.journal'), '--volume']
  const trail = await blockbox(['import', trace('bkrest1.vol.dmlog.gz'), ...into, 'vol'])
  assert.match(trail.out, 'blocks of 512 bytes, since the trace has requests not aligned to 4K')
  writeFileSync(path('one.iolog'), 'fio version 3 iolog\n1 f add\n2 f open\n3 f write 0 4096\n4 f close\n')
  const odd = await blockbox(['import', path('one.iolog'), ...into, 'odd', '--size', '5K'])
  assert.match(odd.out, '5K in blocks of 512 bytes, since the size is no multiple of 4K')
})

test('a volume that exists is refused with advice, and that is on the record', async () => {
  const journal = path('a.journal')
  const again = await blockbox(['import', trace('ext4life.dmlog.gz'), '-j', journal, '--volume', 'disk'])
  assert.is(again.code, 2)
  assert.match(again.err, /volume\.create \S+ was refused: E_ALREADY/)
  assert.match(again.err, 'choose another name')
  const { out } = await blockbox(['log', '-j', journal, '--kind', 'command.refused', '--json'])
  assert.is(JSON.parse(out).code, 'E_ALREADY')
})

test('refused requests are counted, advised on, and are exit code 1', async () => {
  const args = ['-j', path('b.journal'), '--volume', 'small', '--size', '4M', '--ack', 'buffered', '--json']
  const { code, out, err } = await blockbox(['import', trace('fio_randrw.v3.iolog'), ...args])
  assert.is(code, 1)
  const { events, refused, size, block } = JSON.parse(out)
  assert.equal({ events, size, block }, { events: 3617, size: 4 * 2 ** 20, block: 512 })
  assert.equal(Object.keys(refused), ['E_RANGE'])
  assert.match(err, `${refused.E_RANGE} requests were refused: E_RANGE: `)
  const { findings } = await json('replay', '-j', path('b.journal'))
  assert.equal(findings, [])
})

test('content made for a trace that has none depends on the seed alone', async () => {
  const digests: unknown[] = []
  for (const [name, seed] of [
    ['c', '5'],
    ['d', '5'],
    ['e', '6'],
  ] as const) {
    const journal = path(`${name}.journal`)
    const into = ['-j', journal, '--volume', 'v', '--seed', seed]
    await json('import', trace('fio_seqwrite.v3.iolog'), ...into)
    digests.push((await json('image', 'v', '-j', journal, '--digest')).sha256)
  }
  assert.is(digests[0], digests[1])
  assert.is.not(digests[0], digests[2])
})

test('the same bytes come of blocks of any length, also of parts of sectors', async () => {
  const lines = [
    'f add',
    'f open',
    'f write 100 50',
    'f write 4000 9000',
    'f trim 5000 100',
    'f write 12288 512',
  ]
  writeFileSync(path('odd.iolog'), `fio version 2 iolog\n${lines.join('\n')}\n`)
  const digests = new Set<unknown>()
  for (const [name, ...options] of [['auto'], ['k', '--block', '1K'], ['kkkk', '--block', '4K']] as const) {
    const journal = ['-j', path(`${name}.odd`)]
    const size = ['--size', '64K', '--seed', '3']
    const report = await json('import', path('odd.iolog'), ...journal, '--volume', 'v', ...size, ...options)
    assert.equal([report.block, report.refused], [{ auto: 512, k: 1024, kkkk: 4096 }[name], {}])
    digests.add((await json('image', 'v', ...journal, '--digest')).sha256)
    assert.equal((await json('replay', ...journal)).findings, [])
    assert.equal((await json('verify', ...journal)).findings, [])
  }
  assert.is(digests.size, 1)
})

test('what is left out at the end of a trace is said', async () => {
  const flush = { sector: 0, sectors: 0, flags: bit.flush }
  writeFileSync(path('more.dmlog'), encodeLog([flush, flush, flush], 512, 2))
  const { code, err } = await blockbox([
    'import',
    path('more.dmlog'),
    '-j',
    path('f.journal'),
    '--volume',
    'v',
  ])
  assert.is(code, 0)
  assert.match(err, 'more entries follow the 2')
})

test('a trace that cannot be recorded leaves no journal behind', async () => {
  const refused = async (args: readonly string[], code: number, words: string) => {
    const result = await blockbox(['import', ...args, '-j', path('never.journal'), '--volume', 'v'])
    assert.is(result.code, code, result.err)
    assert.match(result.err, words)
  }
  await refused([path('missing')], 2, 'there is no such file')
  await refused([folder], 2, 'it is a directory')
  await refused(['-'], 2, 'name a file, not -')
  await refused([path('one.iolog'), '-f', 'dm-log-writes'], 1, 'name the right format')
  await refused([path('one.iolog'), '-f', 'nonsense'], 2, 'there is no trace format "nonsense"')
  assert.not(existsSync(path('never.journal')))
})

test('options for recording without a volume are a mistake that is named', async () => {
  const sized = await blockbox(['import', path('one.iolog'), '--size', '1M', '--json'])
  assert.is(sized.code, 2)
  assert.match(sized.err, 'name the volume with --volume')
  const both = await blockbox(['import', path('one.iolog'), '--volume', 'v', '--summary'])
  assert.is(both.code, 2)
})

test.run()
