/**
 * The questions of an investigator, asked of the nightly scenario: what they answer is what the events of the journal
 * say when one goes through them by hand.
 */

// limit: 240 s

import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hex, sha256 } from '../../../src/core/digest.ts'
import { openToWrite } from '../../../src/engine/open-folder.ts'
import { command } from '../../../src/run/import-run.ts'
import { blockbox, json, ofRepository, scratch } from './blockbox.ts'

const test = suite('inspect')

const folder = scratch()
const journal = join(folder, 'nightly.journal')

interface Logged {
  readonly seq: number
  readonly kind: string
  readonly session?: number
  readonly volume?: string
  readonly offset?: number
  readonly length?: number
  readonly fate?: string
  readonly op?: string
  readonly about?: number
  readonly flags?: readonly string[]
  readonly code?: string
}
let log: Logged[] = []
let of: (kind: string) => Logged[]

test.before(async () => {
  const scenario = ofRepository('traces', 'nightly.scenario.toml')
  const { code, err } = await blockbox(['run', scenario, '-j', journal])
  assert.is(code, 0, err)
  const { out } = await blockbox(['log', '-j', journal, '--json'])
  log = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  of = (kind) => log.filter((event) => event.kind === kind)
})

const ask = (...args: readonly string[]) => json('inspect', ...args, '-j', journal)

interface RestoreSaid {
  readonly how: string
  readonly extents: Readonly<Record<string, number>>
  readonly waited: { readonly reads: { readonly count: number }; readonly writes: { readonly count: number } }
  readonly clone_hash: { readonly unchanged: boolean }
  readonly proof: Readonly<Record<string, string>>
  readonly hosts: readonly { readonly name: string; readonly writes: number }[]
  readonly copies: readonly object[]
}

test('restore: copies, waits and hosts are those of the log, and the clone is the same', async () => {
  const said = (await ask('restore', 'mirror', '--digest', '--copies')) as unknown as RestoreSaid
  const started = of('restore.started')[0]!
  const ended = of('restore.completed')[0]!
  const within = ({ seq }: Logged) => seq > started.seq && seq < ended.seq
  const copies = of('copy.started').filter((event) => within(event) && event.volume === 'vol')
  const demanded = copies.filter(({ flags = [] }) => flags.includes('demand'))
  const { extents, waited, clone_hash: clone, proof, hosts } = said
  assert.equal(
    [said.how, extents.copied_on_demand, extents.copied_in_background],
    ['completed', demanded.length, copies.length - demanded.length],
  )
  assert.is(said.copies.length, copies.length)
  const queued = log.filter((event) => within(event) && event.fate === 'queued')
  const reads = queued.filter(({ kind }) => kind === 'io.read')
  assert.equal([waited.reads.count, waited.writes.count], [reads.length, queued.length - reads.length])
  assert.is(extents.differing, Number(extents.never_copied_overwritten) + copies.length)
  assert.is(clone.unchanged, true)
  assert.is(proof.clone_before, proof.clone_after)
  assert.is.not(proof.source_before, proof.source_after)
  const writer = hosts.find(({ name }) => name === 'writer')!
  const writes = log.filter(
    (event) =>
      within(event) &&
      event.session === 1 &&
      event.fate === 'passed' &&
      /write|discard|zeroes/.test(event.op ?? event.kind),
  )
  assert.is(writer.writes, writes.length)
  const { out } = await blockbox(['inspect', 'restore', '1', '-j', journal])
  assert.match(out, /^restore 1 of pair mirror: vol from vol-clone, protected, completed$/m)
  assert.match(out, /^clone +unchanged, [0-9a-f]{16} /m)
  assert.match((await blockbox(['inspect', 'restore', '-j', journal])).out, /^1 {2}mirror +vol +vol-clone /m)
})

test('block: its events are those of the log that cover it, its digest that of the image', async () => {
  const file = join(folder, 'vol.img')
  await json('image', 'vol', '-o', file, '-j', journal)
  const image = new Uint8Array(readFileSync(file))
  for (const block of [0, 2048, 4711]) {
    const said = await ask('block', `vol:${block}`, '--limit', '10000')
    const records = said.records as { seq: number; what: string; after: { digest: string } }[]
    const at = block * 512
    const here = log.filter(
      ({ volume, offset = 0, length = 0, fate, kind, code }) =>
        volume === 'vol' &&
        offset <= at &&
        at < offset + length &&
        (fate === 'passed' || (kind === 'copy.report' && code === undefined)),
    )
    const shown = of('restore.started').filter(({ seq }) => records.some((record) => record.seq === seq))
    assert.equal(
      records.map(({ seq }) => seq),
      [...here, ...shown].map(({ seq }) => seq).sort((a, b) => a - b),
    )
    const bytes = image.subarray(at, at + 512)
    const zeros = bytes.every((byte) => byte === 0)
    const digest = hex(sha256(bytes)).slice(0, 16)
    const last = records.at(-1)?.after.digest ?? 'zeros'
    assert.is(last, zeros ? 'zeros' : digest, `block ${block}`)
  }
})

test('block: by byte, up to a point, changes alone; the index may go, and is made again', async () => {
  const byBlock = await ask('block', 'vol:2048')
  assert.equal(await ask('block', 'vol:+1048576'), byBlock)
  assert.equal(await ask('block', 'vol:+1049087'), byBlock)
  const index = join(journal, 'index')
  assert.is(readdirSync(index).length, 1)
  rmSync(index, { recursive: true })
  assert.equal(await ask('block', 'vol:2048'), byBlock)
  writeFileSync(join(index, readdirSync(index)[0]!), 'nonsense')
  assert.equal(await ask('block', 'vol:2048'), byBlock)
  const early = await ask('block', 'vol:2048', '--at', 'backup:nightly', '--changes')
  const { seq } = of('backup.started')[0]!
  for (const record of early.records as { seq: number; what: string }[]) {
    assert.ok(record.seq <= seq && record.what !== 'read')
  }
  const elsewhere = join(folder, 'elsewhere')
  await ask('block', 'vol:1', '--index', elsewhere)
  assert.is(readdirSync(elsewhere).length, 1)
})

test('session: counts and bytes are those of the log', async () => {
  const { sessions } = (await ask('session')) as {
    sessions: { name: string; session: number; operations: object[] }[]
  }
  assert.equal(
    sessions.map(({ name }) => name),
    ['writer', 'reader', 'backup'],
  )
  for (const { session, operations } of sessions) {
    for (const part of operations as {
      op: string
      count: number
      bytes: number
      queued: number
      held: number
    }[]) {
      const all = of(`io.${part.op}`).filter((event) => event.session === session)
      const bytes = all.reduce((sum, { length = 0 }) => sum + length, 0)
      const fated = (fate: string) => all.filter((event) => event.fate === fate).length
      assert.equal(
        [part.count, part.bytes, part.queued, part.held],
        [all.length, bytes, fated('queued'), fated('held')],
      )
    }
  }
  const { out } = await blockbox(['inspect', 'session', 'writer', '-j', journal])
  assert.match(out, /^writes and flushes, until durable +\d+ /m)
})

test('queue: over the run, and at a moment', async () => {
  const { hold, copy } = (await ask('queue')) as Record<
    'hold' | 'copy',
    { waited: { count: number }; longest: object[] }
  >
  assert.is(hold.waited.count, of('hold.released').length)
  assert.is(copy.waited.count, of('cod.released').length)
  const held = log.find(({ fate }) => fate === 'held')!
  const now = (await ask('queue', '--at', `seq:${held.seq}`)) as { waiting: { seq: number; why: string }[] }
  assert.equal(
    now.waiting.map(({ seq }) => seq),
    [held.seq],
  )
  assert.is(now.waiting[0]!.why, 'backup nightly is holding')
  const none = await blockbox(['inspect', 'queue', '--at', 'seq:3', '-j', journal])
  assert.match(none.out, /nothing waits\n$/)
})

test('extent: it follows the bits, and names who waited', async () => {
  const waits = log.find(({ kind, fate }) => kind === 'io.write' && fate === 'queued')!
  const number = Math.floor(waits.offset! / 65_536)
  const said = (await ask('extent', `mirror:${number}`)) as {
    steps: { seq: number; note: string; cod: boolean }[]
  }
  const step = said.steps.find(({ seq }) => seq === waits.seq)!
  assert.is(step.note, 'write waits')
  assert.equal(await ask('extent', `mirror:+${waits.offset}`), said)
})

test('changed: what differs between two images differs here, in whole extents', async () => {
  const said = (await ask(
    ...['changed', 'vol', '--from', 'backup:nightly', '--to', 'mark:before-restore', '--extents', '64K'],
  )) as { ranges: { offset: number; length: number }[]; changed_bytes: number }
  const imageAt = async (point: string) => {
    const file = join(folder, `${point.slice(0, 4)}.img`)
    await json('image', `vol@${point}`, '-o', file, '-j', journal)
    return readFileSync(file)
  }
  const before = await imageAt('backup:nightly')
  const after = await imageAt('mark:before-restore')
  const naive: number[] = []
  for (let at = 0; at < before.length; at += 65_536) {
    if (!before.subarray(at, at + 65_536).equals(after.subarray(at, at + 65_536))) naive.push(at)
  }
  const found = said.ranges.flatMap(({ offset, length }) =>
    Array.from({ length: length / 65_536 }, (_, k) => offset + k * 65_536),
  )
  assert.equal(found, naive)
  let bytes = 0
  for (let at = 0; at < before.length; at += 512) {
    if (!before.subarray(at, at + 512).equals(after.subarray(at, at + 512))) bytes += 512
  }
  assert.is(said.changed_bytes, bytes)
  const same = await ask('changed', 'vol', '--from', 'mark:before-restore', '--to', 'mark:before-restore')
  assert.equal([same.changed_bytes, same.ranges], [0, []])
})

test('timeline: spans by kind, volume and time', async () => {
  const { spans } = (await ask('timeline')) as { spans: { kind: string; outcome: string }[] }
  const outcomes = spans.map(({ kind, outcome }) => `${kind} ${outcome}`)
  for (const one of ['backup stopped', 'sync in sync', 'restore completed', 'recorder stopped', 'run done']) {
    assert.ok(outcomes.includes(one), one)
  }
  const some = ['--kind', 'restore', 'backup', '--from', 'mark:before-restore']
  const chosen = (await ask('timeline', ...some)) as { spans: { kind: string }[] }
  assert.equal(
    chosen.spans.map(({ kind }) => kind),
    ['restore'],
  )
  const { out } = await blockbox(['inspect', 'timeline', '-j', journal])
  assert.match(out, /^restore +mirror +vol, vol-clone +/m)
  assert.match(out, /^mark +before-restore +vol /m)
})

test('nothing from outside reaches a terminal as it is', async () => {
  const path = join(folder, 'evil.journal')
  const { engine } = await openToWrite(path, { create: true })
  const made = await command(engine, {
    kind: 'volume.create',
    detail: { name: 'v', size: 65_536, block: 4096 },
  })
  await command(engine, { kind: 'mark', volume: made.made, detail: { label: '\x1b[31mred\u202e' } })
  await engine.close()
  const { out } = await blockbox(['inspect', 'timeline', '-j', path])
  assert.match(out, /\\x1b\[31mred\\u\{202e\}/)
  assert.not.match(out, '\x1b')
})

test('what is not there is said with what is, and ends with the right code', async () => {
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['block', 'vol'], 2, /write VOL:BLOCK/],
    [['block', 'nowhere:1'], 1, /there is no volume "nowhere"/],
    [['block', 'vol:99999999'], 2, /ends with block 32767/],
    [['restore', '7'], 2, /there are 1 \(mirror\)/],
    [['extent', 'mirror:999'], 2, /pair mirror has no extent 999/],
    [['extent', 'x:1'], 2, /there is no pair "x"/],
    [['restore', '--volume', 'nowhere'], 1, /there is no volume "nowhere"/],
    [['extent', 'mirror:1', '--host', 'nobody'], 2, /no host "nobody" is on record/],
    [['block', 'vol:1', '--kind', 'io.wrote'], 2, /there is no kind of event "io.wrote"/],
    [['session', 'nobody'], 2, /there are writer, reader, backup/],
    [['queue', '--volume', 'nowhere'], 1, /there is no volume "nowhere"/],
    [['changed', 'vol', '--from', 'backup:nightly', '--extents', '1000'], 2, /no power of two/],
  ]
  for (const [args, status, pattern] of cases) {
    const { code, err } = await blockbox(['inspect', ...args, '-j', journal])
    assert.match(err, pattern)
    assert.is(code, status, args.join(' '))
  }
})

test.run()
