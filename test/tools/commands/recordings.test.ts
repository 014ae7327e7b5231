/** Recordings on the command line: out of a journal, looked at as one, redacted, and back. */

// limit: 180 s

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blockbox, json, ofRepository, scratch } from './blockbox.ts'

const test = suite('recordings on the command line')

const folder = scratch()
const at = (name: string) => join(folder, name)
const journal = at('night.journal')
const files = ['night.trace', 'night.trace.jsonl', 'night.trace.jsonl.gz', 'night.trace.gz'].map(at)

test.before(async () => {
  await json(
    'run',
    ofRepository('traces', 'golden', 's4-protected-restore.scenario.toml'),
    '-j',
    journal,
    '--clock',
    'logical',
  ).catch(() => undefined)
  for (const file of files) {
    const { version, file: path, payload, checkable } = await json('export', '-j', journal, '-o', file)
    assert.equal(
      [version, path, payload, checkable],
      [1, file, 'whole', 'order, maps, queues, chain; content'],
    )
  }
})

test('whatever the form, a recording is verified, replayed, listed and imaged as its journal is', async () => {
  const of = async (...source: readonly string[]) => ({
    replayed: await json('replay', ...source),
    verified: await json('verify', ...source),
    image: (await json('image', 'disk@seq:300', ...source, '--digest')).sha256,
    log: (await blockbox(['log', ...source])).out,
  })
  const expected = {
    replayed: await json('replay', '-j', journal),
    verified: await json('verify', '-j', journal),
    image: (await json('image', 'disk@seq:300', '-j', journal, '--digest')).sha256,
    log: (await blockbox(['log', '-j', journal])).out,
  }
  for (const source of [files[0]!, files[2]!]) assert.equal(await of(source), expected, source)
})

test('the same scenario under logical time is the same journal, byte for byte', async () => {
  const again = at('again.journal')
  await json(
    'run',
    ofRepository('traces', 'golden', 's4-protected-restore.scenario.toml'),
    '-j',
    again,
    '--clock',
    'logical',
  ).catch(() => undefined)
  await json('export', '-j', again, '-o', at('again.trace'))
  assert.ok(readFileSync(at('again.trace')).equals(readFileSync(files[0]!)))
})

test('imported, it is the journal again; over one that is there it is refused', async () => {
  const { head, events } = await json('import', files[2]!, '-j', at('back.journal'))
  assert.equal(
    [`${head}`, events],
    [headOf(await json('info', '-j', journal)), (await json('replay', files[0]!)).events],
  )
  assert.is(
    headOf(await json('verify', '-j', at('back.journal'))),
    headOf(await json('verify', '-j', journal)),
  )
  const refused = await blockbox(['import', files[0]!, '-j', at('back.journal')])
  assert.equal([refused.code, /name a new folder/.test(refused.err)], [2, true])
  assert.is((await blockbox(['import', files[0]!, '--detect'])).out, 'blockbox-trace\n')
  assert.is((await blockbox(['import', files[0]!, '-j', at('x.journal'), '--volume', 'v'])).code, 2)
})

function headOf({ head }: Record<string, unknown>): string {
  return typeof head === 'string' ? head.split('@')[0]! : String((head as { hash: string }).hash)
}

test('a part goes out as a part, and says what can be checked of it', async () => {
  const range = await json('export', '-j', journal, '-o', at('part.trace.jsonl'), '--from', 'seq:200')
  assert.match(String(range.checkable), /^from the state before event \d+ on: order, maps, queues, chain/)
  const { code, err, out } = await blockbox(['replay', at('part.trace.jsonl')])
  assert.equal([code, /begins with event \d+, from the state/.test(err), /^sound/.test(out)], [0, true, true])
  const volume = await json('export', 'disk-clone', '-j', journal, '-o', at('some.trace.jsonl'))
  assert.equal(volume.only, { volume: 'disk-clone' })
  const refused = await blockbox(['replay', at('some.trace.jsonl')])
  assert.equal([refused.code, /shows their order/.test(refused.err)], [2, true])
  const { out: lines } = await blockbox(['log', at('some.trace.jsonl')])
  assert.match(lines, /pair\.created .*source=disk .*clone=disk-clone/)
  assert.not.match(lines, /engine\.started/)
  assert.is((await blockbox(['export', '-j', journal, '-o', at('some.trace'), '--session', '1'])).code, 2)
  assert.not.ok(existsSync(at('some.trace')))
})

test('redacted, no payload is left, and it says so', async () => {
  const bare = await json('redact', files[1]!, at('bare.trace'))
  assert.equal([bare.payloads, bare.redacted, bare.payload], [0, 'payload', 'digests'])
  assert.is(headOf(await json('replay', at('bare.trace'))), headOf(await json('replay', files[0]!)))
  const nameless = await json('redact', files[0]!, at('nameless.trace.jsonl'), '--names')
  assert.is(nameless.redacted, 'names')
  assert.not.match(readFileSync(at('nameless.trace.jsonl'), 'utf8'), /"disk|:"writer"|meddler/)
  assert.is((await blockbox(['replay', at('nameless.trace.jsonl')])).code, 0)
  assert.is((await blockbox(['redact', files[0]!, at('bare.trace')])).code, 2)
  assert.is((await blockbox(['redact', files[0]!, at('bare.txt')])).code, 2)
})

test('a damaged recording is a finding with its place and exit code 12; a newer one is told as such', async () => {
  const text = readFileSync(files[1]!, 'utf8')
  const cases: readonly [string, string | Buffer, RegExp][] = [
    [
      'flip.trace.jsonl',
      text.replace('"fate":"queued"', '"fate":"held"'),
      /line \d+: .*not the one that stands here/,
    ],
    ['cut.trace.jsonl', text.slice(0, -400), /cut|get a whole copy/],
    [
      'cut.trace',
      readFileSync(files[0]!).subarray(0, 40_000),
      /byte \d+: the recording ends in the middle of a record/,
    ],
    ['cut.trace.jsonl.gz', gzipSync(text).subarray(0, 5000), /gzip data ends too early/],
  ]
  for (const [k, [name, content, words]] of cases.entries()) {
    writeFileSync(at(name), content)
    const { code, out, err } = await blockbox([k % 2 === 0 ? 'verify' : 'replay', at(name), '--json'])
    assert.is(code, 12, `${name}: ${err}`)
    const { findings } = JSON.parse(out)
    assert.is(findings.length, 1)
    assert.ok(findings[0].seq >= 1)
    assert.match(findings[0].detail, words)
  }
  writeFileSync(at('newer.trace.jsonl'), text.replace('"version":1', '"version":9'))
  const { code, err } = await blockbox(['replay', at('newer.trace.jsonl')])
  assert.equal([code, /version 9.*use a newer blockbox/.test(err)], [1, true])
})

test('what stands in a recording never reaches the terminal raw', async () => {
  const text = readFileSync(files[1]!, 'utf8').replace('"kind":"volume.create"', '"kind":"\\u001b[31mred"')
  writeFileSync(at('red.trace.jsonl'), text)
  for (const args of [['replay'], ['verify'], ['log'], ['test']]) {
    const { out, err } = await blockbox([...args, at('red.trace.jsonl')])
    assert.not.ok((out + err).includes('\u001b'))
    assert.match(out + err, /no kind of event/)
  }
})

test.run()
