/** What a journal holds and what happened in it, in words and as JSON: info, log, volume. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openToWrite } from '../../../src/engine/open-folder.ts'
import { command } from '../../../src/run/import-run.ts'
import { bit, encodeLog } from '../../trace/dm-log-encode.ts'
import { blockbox, json, scratch } from './blockbox.ts'

const test = suite('log')

const folder = scratch()
const journal = join(folder, 'a.journal')

/** The events that the arguments choose, as JSON. */
async function events(...args: readonly string[]) {
  const { code, out, err } = await blockbox(['log', '-j', journal, '--json', ...args])
  assert.is(code, 0, err)
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

test.before(async () => {
  const label = 'bell \x07 and \x1b[31mred\u202e'
  const entries = [
    { sector: 0, sectors: 8, flags: bit.fua, data: new Uint8Array(4096).fill(1) },
    { sector: 8, sectors: 8, flags: bit.discard },
    { sector: 0, sectors: 0, flags: bit.mark, label },
    { sector: 16, sectors: 8, flags: bit.meta, data: new Uint8Array(4096).fill(2) },
  ]
  writeFileSync(join(folder, 'a.dmlog'), encodeLog(entries))
  await json('volume', 'create', 'spare', '--size', '64K', '--block', '512', '-j', journal)
  await json('import', join(folder, 'a.dmlog'), '-j', journal, '--volume', 'disk', '--size', '64K')
  const { engine } = await openToWrite(journal)
  const twin = { kind: 'volume.create', detail: { name: 'twin', size: 65_536, block: 4096 } } as const
  await command(engine, twin)
  const ends = { name: 'mirror', source: 2, clone: 3, extent: 4096 }
  await command(engine, { kind: 'pair.create', detail: ends })
  const bounds = { deadlineMs: 60_000, maxEntries: 0, maxBytes: 0 }
  await command(engine, { kind: 'backup.start', detail: { name: 'night', volumes: [2], ...bounds } })
  const { made } = await command(engine, { kind: 'session.open', detail: { name: 'host' } })
  const held = engine.submit({ kind: 'io.write', session: made, volume: 2, data: new Uint8Array(4096) })
  await engine.settled()
  await command(engine, { kind: 'backup.stop', detail: { name: 'night' } })
  await held
  await engine.close()
})

test('info tells what there is', async () => {
  const about = await json('info', '-j', journal)
  const [first, second] = about.volumes as readonly object[]
  assert.equal(first, { name: 'spare', size: 65_536, block: 512, mapped_bytes: 0 })
  assert.equal(second, { name: 'disk', size: 65_536, block: 4096, mapped_bytes: 8192 })
  const mirror = { name: 'mirror', source: 'disk', clone: 'twin', extent: 4096, phase: 'fractured' }
  assert.equal(about.pairs, [{ ...mirror, differing_extents: 2 }])
  assert.equal([about.format, about.format_version, about.first], ['blockbox-journal', 1, 1])
  assert.is(about.events, about.last)
  assert.is((about.checkpoints as number[]).at(-1), about.last)
  assert.match((await blockbox(['info', '-j', journal])).out, `newest after event ${about.last}`)
  assert.match(String(about.id), /^[0-9a-f]{32}$/)
  const { out } = await blockbox(['info', '-j', journal])
  assert.match(out, /^head +[0-9a-f]{64}@\d+$/m)
  assert.match(out, /^volume +size +block +mapped\nspare +64K +512 +0\ndisk +64K +4K +8K\n/m)
  assert.match(out, /^mirror +disk +twin +4K +fractured +2$/m)
})

test('volume ls lists volumes, and the variable names the journal as well', async () => {
  const listed = await json('volume', 'ls', '-j', journal)
  const names = (listed.volumes as { name: string }[]).map(({ name }) => name)
  assert.equal(names, ['spare', 'disk', 'twin'])
  const { out } = await blockbox(['volume', 'ls'], undefined, { BLOCKBOX_JOURNAL: journal })
  assert.match(out, /^volume +size +block +mapped\nspare/)
})

test('an event is an object with names in place of numbers', async () => {
  const [write] = await events('--kind', 'io.write')
  const { seq, instant, ...said } = write
  assert.match(instant, /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
  assert.equal(said, {
    kind: 'io.write',
    session: 1,
    request: 1,
    volume: 'disk',
    offset: 0,
    length: 4096,
    fate: 'passed',
    flags: ['fua'],
    digest: said.digest,
  })
  const [pair] = await events('--kind', 'pair.created')
  assert.equal(pair.detail, { name: 'mirror', source: 'disk', clone: 'twin', extent: 4096 })
  const [released] = await events('--kind', 'hold')
  const [held] = await events('--from', String(released.about), '--to', String(released.about))
  assert.equal([held.fate, released.op, released.fate], ['held', 'write', 'passed'])
})

test('lines are complete, and nothing of a label reaches a terminal as it is', async () => {
  const { out } = await blockbox(['log', '-j', journal])
  const lines = out.trimEnd().split('\n')
  assert.equal(
    lines.map((line) => Number(line.slice(0, 7))),
    lines.map((_, k) => k + 1),
  )
  const mark = lines.find((line) => line.includes(' mark '))!
  assert.match(mark, 's1 disk request=3 label=bell \\x07 and \\x1b[31mred\\u{202e}')
  assert.match(out, /io\.discard +s1 disk 4096\+4096 passed request=2\n/)
})

test('--from, --to, --kind and --volume choose, with the names right from anywhere', async () => {
  const all = await events()
  const picked = await events('--from', '7', '--to', '11')
  assert.equal(picked, all.slice(6, 11))
  const kinds = await events('--kind', 'backup', '--kind', 'mark')
  assert.equal(
    kinds.map(({ kind }) => kind),
    all.map(({ kind }) => kind).filter((kind) => kind === 'mark' || kind.startsWith('backup.')),
  )
  const twin = await events('--volume', 'twin')
  assert.equal(
    twin.map(({ kind }) => kind),
    ['volume.created', 'pair.created'],
  )
  const last = all.at(-1).seq
  assert.equal(await events('--from', String(last)), all.slice(-1))
  assert.equal(await events('--from', String(last + 1)), [])
})

test('a following log prints the backlog and ends with 130 at Ctrl-C', async () => {
  let seen = ''
  const { code, out } = await blockbox(['log', '-f', '-j', journal, '--from', '5'], (child) => {
    child.stdout!.on('data', (text: string) => {
      if (!seen.includes('engine.stop\n')) seen += text
      if (seen.includes('twin')) setTimeout(() => child.kill('SIGINT'), 300)
    })
  })
  assert.is(code, 130)
  assert.match(out, /^ {6}5 {2}/)
})

test('a reader that goes away ends a log quietly', async () => {
  const { code, err } = await blockbox(['log', '-j', journal], (child) => {
    child.stdout!.destroy()
  })
  assert.equal({ code, err }, { code: 0, err: '' })
})

test.run()
