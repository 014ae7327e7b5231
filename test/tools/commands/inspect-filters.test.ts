/**
 * The filters of the questions of `inspect`, asked of the nightly scenario: what they leave is what one finds by going
 * through the events of the journal by hand.
 */

// limit: 240 s

import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blockbox, json, ofRepository, scratch } from './blockbox.ts'

const test = suite('inspect filters')

const journal = join(scratch(), 'nightly.journal')

interface Logged {
  readonly seq: number
  readonly kind: string
  readonly session?: number
  readonly offset?: number
  readonly fate?: string
  readonly op?: string
}
let log: Logged[] = []
const of = (kind: string) => log.filter((event) => event.kind === kind)

test.before(async () => {
  const scenario = ofRepository('traces', 'nightly.scenario.toml')
  const { code, err } = await blockbox(['run', scenario, '-j', journal])
  assert.is(code, 0, err)
  const { out } = await blockbox(['log', '-j', journal, '--json'])
  log = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
})

const ask = (...args: readonly string[]) => json('inspect', ...args, '-j', journal)

interface TimelineSaid {
  readonly spans: readonly { readonly kind: string; readonly name: string; readonly volumes: string[] }[]
  readonly requests: { readonly reads: number[]; readonly writes: number[]; readonly most_waiting: number[] }
}

test('timeline: what it counts is what the filters leave', async () => {
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0)
  const counted = async (...filter: string[]) => {
    const { requests } = (await ask('timeline', ...filter)) as unknown as TimelineSaid
    return { reads: sum(requests.reads), writes: sum(requests.writes) }
  }
  const byHand = (wanted: (event: Logged) => boolean) => ({
    reads: of('io.read').filter(wanted).length,
    writes: log.filter(({ kind }) => ['io.write', 'io.zeroes', 'io.discard'].includes(kind)).filter(wanted)
      .length,
  })
  const { sessions } = (await ask('session')) as { sessions: { session: number; name: string }[] }
  const backup = sessions.find(({ name }) => name === 'backup')!.session
  const middle = log[Math.floor(log.length / 2)]!.seq
  assert.equal(
    await counted(),
    byHand(() => true),
  )
  assert.equal(await counted('--volume', 'vol-clone'), { reads: 0, writes: 0 })
  assert.equal(
    await counted('--host', 'backup'),
    byHand(({ session }) => session === backup),
  )
  assert.equal(
    await counted('--from', String(middle)),
    byHand(({ seq }) => seq >= middle),
  )
  assert.equal(
    await counted('--to', `seq:${middle}`),
    byHand(({ seq }) => seq <= middle),
  )
  const both = ['--from', String(middle), '--volume', 'vol', '--host', 'reader']
  const reader = sessions.find(({ name }) => name === 'reader')!.session
  assert.equal(
    await counted(...both),
    byHand(({ seq, session }) => seq >= middle && session === reader),
  )
})

test('timeline: the sessions that used a volume are about it', async () => {
  const { spans } = (await ask('timeline', '--volume', 'vol', '--kind', 'session')) as unknown as TimelineSaid
  assert.equal(spans.map(({ name, volumes }) => [name.replace(/ \(\d+\)$/, ''), volumes]).sort(), [
    ['backup', ['vol']],
    ['reader', ['vol']],
    ['writer', ['vol']],
  ])
  const { spans: none } = (await ask(
    'timeline',
    '--volume',
    'vol-clone',
    '--kind',
    'session',
  )) as unknown as TimelineSaid
  assert.equal(none, [])
})

test('every question takes the same filters', async () => {
  interface Session {
    readonly session: number
    readonly name: string
    readonly operations: readonly { readonly op: string; readonly count: number }[]
  }
  interface Steps {
    readonly steps: readonly { readonly seq: number; readonly kind: string; readonly host?: string }[]
  }
  const { sessions } = (await ask('session')) as { sessions: Session[] }
  const writer = sessions.find(({ name }) => name === 'writer')!.session
  const middle = log[Math.floor(log.length / 2)]!.seq
  const late = ['--from', String(middle)]

  const { sessions: wrote } = (await ask('session', '--kind', 'io.write', ...late)) as { sessions: Session[] }
  const writes = of('io.write').filter(({ seq, session }) => seq >= middle && session === writer)
  assert.equal(
    wrote.map(({ name, operations }) => [name, operations.map(({ op, count }) => [op, count])]),
    [['writer', [['write', writes.length]]]],
  )

  const queued = log.filter(({ kind, fate }) => kind === 'io.write' && fate === 'queued')
  const { copy } = (await ask('queue', '--kind', 'io.write')) as unknown as Record<
    'copy',
    { waited: { count: number } }
  >
  assert.is(copy.waited.count, of('cod.released').filter(({ op }) => op === 'write').length)

  const extent = `mirror:${Math.floor(queued[0]!.offset! / 65_536)}`
  const whole = (await ask('extent', extent)) as unknown as Steps
  const part = async (...filter: string[]) =>
    ((await ask('extent', extent, ...filter)) as unknown as Steps).steps
  const wanted = (isOf: (step: Steps['steps'][number]) => boolean) => {
    const steps = whole.steps.filter(isOf)
    assert.ok(steps.length > 0 && steps.length < whole.steps.length)
    return steps
  }
  const turn = whole.steps.at(-2)!.seq
  assert.equal(
    await part('--kind', 'copy'),
    wanted(({ kind }) => kind.startsWith('copy.')),
  )
  assert.equal(
    await part('--host', 'writer'),
    wanted(({ host }) => host === 'writer'),
  )
  assert.equal(
    await part('--from', String(turn)),
    wanted(({ seq }) => seq >= turn),
  )

  interface Block {
    readonly records: readonly { readonly seq: number }[]
  }
  const address = `vol:+${queued[0]!.offset}`
  const records = async (...filter: string[]) =>
    ((await ask('block', address, ...filter)) as unknown as Block).records.map(({ seq }) => seq)
  const all = await records()
  const logged = (seq: number) => log.find((event) => event.seq === seq)!
  const reads = all.filter((seq) => logged(seq).kind === 'io.read')
  assert.ok(reads.length > 0 && reads.length < all.length)
  assert.equal(await records('--kind', 'io.read'), reads)
  assert.equal(
    await records('--host', 'writer'),
    all.filter((seq) => logged(seq).session === writer),
  )
  assert.equal(await records('--to', `seq:${all[1]}`), all.slice(0, 2))
  const quiet = [all[0]! + 1, all[1]! - 1] as const
  assert.ok(quiet[0] < quiet[1])
  const between = ['--from', String(quiet[0]), '--to', String(quiet[1])]
  const { held } = (await ask('block', address, ...between)) as unknown as { held: { digest: string } }
  const { out } = await blockbox(['inspect', 'block', address, ...between, '-j', journal])
  assert.match(held.digest, /^[0-9a-f]{16}$/)
  assert.match(out, `Nothing touched it between events ${quiet[0]} and ${quiet[1]}: it holds`)
  assert.match(out, held.digest)
  const before = await blockbox(['inspect', 'block', address, '--to', String(all[0]! - 1), '-j', journal])
  assert.match(before.out, /Nothing touched it between events 1 and \d+: it holds zeros/)
  for (const question of [['block', address], ['timeline'], ['queue']]) {
    const { code, err } = await blockbox(['inspect', ...question, ...late, '--to', '5', '-j', journal])
    assert.is(code, 2)
    assert.match(err, `--from ${middle} is after --to 5`)
  }

  interface Restored {
    readonly extents: object
    readonly hosts: readonly { readonly name: string }[]
  }
  const full = (await ask('restore', 'mirror')) as unknown as Restored
  const ofWriter = (await ask('restore', 'mirror', '--host', 'writer')) as unknown as Restored
  assert.equal(ofWriter.extents, full.extents, 'copies are told all the same')
  assert.equal(
    ofWriter.hosts,
    full.hosts.filter(({ name }) => name === 'writer'),
  )
  assert.ok(full.hosts.length > 1)
  assert.equal((await ask('restore', '--to', '5')).restores, [])
  assert.is(((await ask('restore', '--volume', 'vol-clone')).restores as unknown[]).length, 1)
})

test.run()
