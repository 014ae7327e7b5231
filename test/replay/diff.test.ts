/**
 * Diff against what is known of the two runs: any column of any event that is changed is found at exactly its place,
 * whatever the frames; what the rules call no difference is none; states part where only they differ.
 */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { columnWidths, type Event } from '../../src/events/columns.ts'
import { noDetail } from '../../src/events/detail.ts'
import { kinds } from '../../src/events/kind.ts'
import { diffRuns } from '../../src/replay/diff.ts'
import { framesAsParts } from '../../src/replay/journal-run.ts'
import type { DiffSource, RunPart } from '../../src/replay/run-side.ts'
import { act, prepare } from '../support/busy.ts'
import { eventsOf, forgery, placeOf } from '../support/forgery.ts'
import { type Run, startRun } from '../support/run.ts'
import { framesOf, type Opened } from '../support/store.ts'

const test = suite('diff')

async function busy(seed: number, steps: number): Promise<Run> {
  const run = await startRun({ readDigests: 'always' })
  await prepare(run)
  for (let k = 0; k < steps; k++) await act(run, (seed + k * 104_729) % 99_991)
  await run.settled()
  return run
}

const ofJournal = (name: string, { journal }: Opened): DiffSource => ({
  name,
  parts: framesAsParts(journal.batches(1)),
})

/** Events as parts that are cut where `ends` says. */
function ofEvents(name: string, events: readonly Event[], ends: ReadonlySet<number>): DiffSource {
  async function* parts(): AsyncGenerator<RunPart> {
    let part: Event[] = []
    for (const [k, event] of events.entries()) {
      part.push(event)
      if (!ends.has(k) && k < events.length - 1) continue
      yield { events: part, count: part.length, instantNs: BigInt(k) }
      part = []
    }
  }
  return { name, parts: parts() }
}

const run = await busy(3, 150)
const frames = await framesOf(run.opened.store)
const all: readonly Event[] = eventsOf(frames).map((event) => ({
  ...{
    fate: 'none',
    op: 'none',
    flags: 0,
    code: 'ok',
    session: 0,
    request: 0,
    volume: 0,
    offset: 0,
    length: 0,
  },
  ...{ payload: 0, about: 0, tag: 0, digestHigh: 0, digestLow: 0, at: 0, detail: noDetail },
  ...(event as Partial<Event> & Pick<Event, 'seq' | 'kind'>),
})) as readonly Event[]

test('a run is the same as itself, and as the same run again at another time', async () => {
  const again = await busy(3, 150)
  const { difference, events, states, notes } = await diffRuns(
    ofJournal('a', run.opened),
    ofJournal('b', again.opened),
  )
  assert.is(difference, undefined)
  assert.equal([events, states, notes], [all.length, frames.length, []])
})

test('frames are cut anywhere, a changed column is found at its event and named', async () => {
  const columns = [
    'session',
    'request',
    'volume',
    'offset',
    'length',
    'about',
    'tag',
    'flags',
    'digestLow',
  ] as const
  const cuts = fc.uniqueArray(fc.nat({ max: all.length - 1 }), { maxLength: 40 })
  const change = fc.option(fc.tuple(fc.nat({ max: all.length - 1 }), fc.constantFrom(...columns)))
  await fc.assert(
    fc.asyncProperty(cuts, cuts, change, fc.nat({ max: 5 }), async (one, two, changed, context) => {
      const events = [...all]
      if (changed !== null) {
        const [k, column] = changed
        fc.pre(column !== 'digestLow' || all[k]!.op === 'write')
        events[k] = { ...all[k]!, [column]: all[k]![column] + 1 }
      }
      const [a, b] = [ofEvents('a', all, new Set(one)), ofEvents('b', events, new Set(two))]
      const { difference, before } = await diffRuns(a, b, { context })
      if (changed === null) return assert.is(difference, undefined)
      const [k, column] = changed
      assert.equal([difference?.what, difference?.seq], ['event', all[k]!.seq])
      assert.equal(
        difference!.fields.map(({ field }) => field),
        [column === 'digestLow' ? 'digest' : column],
      )
      assert.equal(
        before.map(({ event }) => event.seq),
        all.slice(Math.max(0, k - context), k).map(({ seq }) => seq),
      )
      assert.is(difference!.a.length, Math.min(context + 1, all.length - k))
    }),
    { numRuns: 150 },
  )
})

test('instants, places, the writer and how a run was driven are no difference; --instants makes the first one', async () => {
  const other = all.map((event) => {
    const detail =
      event.kind === 'engine.started'
        ? { writer: 'x', epoch: 1, program: 'y' }
        : 'atUs' in event.detail
          ? { ...event.detail, atUs: 1 }
          : event.detail
    return { ...event, at: event.at + 5, payload: event.payload * 2, detail }
  })
  const sides = () => [ofEvents('a', all, new Set()), ofEvents('b', other, new Set())] as const
  const { difference, notes } = await diffRuns(...sides())
  assert.is(difference, undefined)
  assert.match(notes.join(), /places of payload differ from event \d+ on: states were compared up to there/)
  const timed = await diffRuns(...sides(), { instants: true })
  assert.equal([timed.difference?.seq, timed.difference?.fields.map(({ field }) => field)], [1, ['instant']])
})

test('an exact diff sees what a run anew under logical time gives again', async () => {
  const exact = async (one: readonly Event[], two: readonly Event[], ends = new Set<number>()) => {
    const sides = [ofEvents('a', one, ends), ofEvents('b', two, ends)] as const
    return (await diffRuns(...sides, { exact: true })).difference
  }
  assert.is(await exact(all, all), undefined)
  const at = all.findIndex(({ payload }) => payload > 0)
  const changed = (change: (event: Event) => Partial<Event>) =>
    all.map((event, k) => (k === at ? { ...event, ...change(event) } : event))
  for (const [field, change] of [
    ['place', ({ payload }: Event) => ({ payload: payload + 1 })],
    ['instant', ({ at: ns }: Event) => ({ at: ns + 1 })],
  ] as const) {
    const found = await exact(all, changed(change))
    assert.equal([found?.seq, found?.fields.map((one) => one.field)], [all[at]!.seq, [field]])
  }
  const other = all.map((event) =>
    event.kind === 'engine.started' ? { ...event, detail: { ...event.detail, program: 'y' } } : event,
  )
  assert.is(await exact(all, other), undefined)
  const writer = all.map((event) =>
    event.kind === 'engine.started' ? { ...event, detail: { ...event.detail, writer: 'y' } } : event,
  )
  assert.equal(
    (await exact(all, writer))?.fields.map(({ field }) => field),
    ['detail.writer'],
  )
})

test('an exact diff sees what frames say of themselves, and where they end', async () => {
  const index = Math.floor(frames.length / 2)
  const { last } = frames[index]!
  const said = async (forged: Opened) => {
    const { difference, states } = await diffRuns(ofJournal('a', run.opened), ofJournal('b', forged), {
      exact: true,
    })
    assert.equal([difference?.what, difference?.seq, states], ['frame', last, index])
    return difference!.fields.map(({ field }) => field)
  }
  assert.equal(
    await said(await forgery(run.opened.store, index, ({ stateLow }) => ({ stateLow: stateLow ^ 1 }))),
    ['state'],
  )
  assert.equal(
    await said(await forgery(run.opened.store, index, ({ replied }) => ({ replied: replied + 1 }))),
    ['replied'],
  )
  const parts = (cut: number) => ({
    name: 'x',
    parts: (async function* () {
      const [head, rest] = [all.slice(0, cut), all.slice(cut)]
      for (const events of [head, rest])
        yield { events, count: events.length, instantNs: 0n, frame: { events: events.length } }
    })(),
  })
  const { difference } = await diffRuns(parts(10), parts(12), { exact: true })
  assert.equal(
    [difference?.what, difference?.seq, difference?.fields],
    ['frame', 10, [{ field: 'events', a: '10', b: '12' }]],
  )
})

test('a run that ends first, and one whose beginning was given up', async () => {
  const half = all.slice(0, 40)
  const ended = await diffRuns(ofEvents('a', half, new Set()), ofEvents('b', all, new Set()))
  assert.equal([ended.difference?.what, ended.difference?.seq, ended.difference?.a], ['end', 41, []])
  const late = await diffRuns(ofEvents('a', all.slice(30), new Set()), ofEvents('b', all, new Set()))
  assert.is(late.difference, undefined)
  assert.is(late.events, all.length - 30)
  assert.match(late.notes[0]!, /^a begins with event 31: what b has before it was not compared/)
})

test('states that differ after the same events are found at the end of their frame', async () => {
  for (const index of [3, Math.floor(frames.length / 2), frames.length - 1]) {
    const forged = await forgery(run.opened.store, index, ({ stateLow }) => ({ stateLow: stateLow ^ 1 }))
    const { difference, states } = await diffRuns(ofJournal('a', run.opened), ofJournal('b', forged))
    assert.equal([difference?.what, difference?.seq], ['state', frames[index]!.last])
    assert.is(states, index)
    assert.equal(
      difference!.fields.map(({ field }) => field),
      ['state'],
    )
  }
})

test('every column and detail of a stored outcome is compared', async () => {
  const names = Object.keys(columnWidths) as (keyof typeof columnWidths)[]
  let edited = 0
  for (const { seq, kind } of all.filter((_, k) => k % 3 === 0)) {
    const used: readonly string[] = kinds[kind].columns
    for (const name of names.filter(
      (one) => used.includes(one) && one !== 'payload' && one !== 'fate' && one !== 'op',
    )) {
      const { index, row } = placeOf(frames, seq)
      const forged = await forgery(run.opened.store, index, ({ columns }) => {
        columns[name][row]! += 1
        return { columns }
      })
      const read = kind.endsWith('read') || all[seq - 1]!.op === 'read'
      if (read && name.startsWith('digest')) continue
      const { difference } = await diffRuns(ofJournal('a', run.opened), ofJournal('b', forged))
      assert.is(difference?.seq, seq, `${kind} ${name}`)
      edited++
    }
  }
  assert.ok(edited > 60, String(edited))
})

test.run()
