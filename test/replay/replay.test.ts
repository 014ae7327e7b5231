/**
 * Replay: a recorded run is clean; one outcome edited by somebody who makes chain and hashes right again is found at
 * exactly its place; a wrong state hash where it stands. Whatever is planted, replay answers and does not fall over.
 */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../src/check/all.ts'
import { BlockboxError } from '../../src/core/errors.ts'
import { recoverWorld } from '../../src/engine/open-engine.ts'
import { columnWidths } from '../../src/events/columns.ts'
import { kinds } from '../../src/events/kind.ts'
import { frameFlags } from '../../src/journal/frame.ts'
import { replay } from '../../src/replay/replay.ts'
import { act, prepare, restoring } from '../support/busy.ts'
import { eventsOf, forgery, placeOf, rewritten } from '../support/forgery.ts'
import { type Run, startRun } from '../support/run.ts'
import { copyOf, framesOf, headAt, openMemory } from '../support/store.ts'

const test = suite('replay')

const names = Object.keys(columnWidths) as (keyof typeof columnWidths)[]

/** A run in which much happens; the same each time. */
async function busy(seed: number, steps = 90): Promise<Run> {
  const run = await startRun({ readDigests: 'always' })
  await prepare(run)
  if (seed % 2 === 1) await restoring(run)
  for (let k = 0; k < steps; k++) await act(run, (seed + k * 104_729) % 99_991)
  await run.settled()
  return run
}

test('recorded runs are clean, decided again or only folded, with every check', async () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const run = await busy(seed)
    const lines: number[] = []
    const verdict = await replay(run.opened.journal, { checks, onFrame: ({ last }) => lines.push(last) })
    assert.equal(verdict.findings, [])
    assert.is(verdict.events, run.opened.journal.bounds().last)
    assert.is(verdict.stateHash, run.states.get(verdict.events))
    assert.equal(verdict.head.seq, verdict.events)
    assert.is(lines.length, verdict.frames)
    assert.equal((await replay(run.opened.journal, { decide: false, checks })).findings, [])
  }
})

test('an edited outcome is a finding at exactly its place', async () => {
  const run = await busy(7, 200)
  const frames = await framesOf(run.opened.store)
  const events = eventsOf(frames)
  const edited = new Set<string>()
  for (const event of events) {
    if (kinds[event.kind].number < 128) continue
    const used: readonly string[] = kinds[event.kind].columns
    const columns = names.filter((name) => used.includes(name))
    const column = columns[event.seq % Math.max(1, columns.length)]
    if (column === undefined) continue
    edited.add(`${event.kind} ${column}`)
    const { index, row } = placeOf(frames, event.seq)
    const opened = await forgery(run.opened.store, index, ({ columns }) => {
      const value = columns[column][row]!
      columns[column][row] = column === 'fate' || column === 'op' ? (value === 1 ? 4 : 1) : value + 1
      return { columns }
    })
    const { findings } = await replay(opened.journal)
    assert.is(findings[0]?.seq, event.seq, `${event.kind} ${column}: ${JSON.stringify(findings)}`)
    assert.ok(['decide', 'JOURNAL_CORRUPT'].includes(findings[0]!.rule), JSON.stringify(findings))
    assert.is(findings.length, 1)
  }
  assert.ok(edited.size > 25, [...edited].join())
})

test('an edited detail is a finding at exactly its place', async () => {
  const run = await busy(8)
  const frames = await framesOf(run.opened.store)
  let edited = 0
  for (const event of eventsOf(frames)) {
    if (kinds[event.kind].number < 128 || event.detail === undefined) continue
    const { index, row } = placeOf(frames, event.seq)
    const opened = await forgery(run.opened.store, index, ({ details }) => {
      const detail = Object.entries(details.get(row)!).map(([name, value]) => {
        if (typeof value === 'number') return [name, value + 1]
        return [name, typeof value === 'string' ? `${value}1` : value]
      })
      return { details: new Map(details).set(row, Object.fromEntries(detail)) }
    })
    const { findings } = await replay(opened.journal)
    assert.equal([findings[0]?.seq, findings[0]?.rule], [event.seq, 'decide'])
    edited++
  }
  assert.ok(edited > 10)
})

test('an outcome that is left out, put in, or told twice', async () => {
  const run = await busy(9)
  const frames = await framesOf(run.opened.store)
  const events = eventsOf(frames)
  for (const outcome of events.filter(({ kind }) => kinds[kind].number >= 128).slice(-25)) {
    const { index, row } = placeOf(frames, outcome.seq)
    const own = eventsOf([frames[index]!])
    for (const [what, list] of [
      ['left out', own.filter((_, k) => k !== row)],
      ['told twice', [...own.slice(0, row + 1), ...own.slice(row)]],
      [
        'put in',
        [...own.slice(0, row), { kind: 'backup.flag_cleared' as const, volume: 1 }, ...own.slice(row)],
      ],
    ] as const) {
      const copy = await copyOf(run.opened.store, (_table, number) => number <= frames[index]!.first)
      const cut = await forgery(copy, index, (parts) => rewritten(parts, list))
      const { findings } = await replay(cut.journal)
      const at = what === 'told twice' ? outcome.seq + 1 : outcome.seq
      assert.is(findings[0]?.seq, at, `${what}: ${outcome.kind}: ${JSON.stringify(findings)}`)
      assert.is(findings[0]?.rule, 'decide')
    }
  }
})

test('a request whose recorded fate is not what is decided', async () => {
  const run = await busy(10)
  const frames = await framesOf(run.opened.store)
  for (const write of eventsOf(frames)
    .filter(({ kind }) => kind === 'io.write')
    .slice(0, 12)) {
    const { index, row } = placeOf(frames, write.seq)
    const unknown = await forgery(run.opened.store, index, ({ columns }) => {
      columns.session[row] = 99
      return { columns }
    })
    const [finding] = (await replay(unknown.journal)).findings
    assert.equal([finding?.seq, finding?.rule], [write.seq, 'decide'])
    assert.match(finding!.detail, /E_NO_SESSION|refused/)
  }
})

test('a wrong state hash is a finding where it stands', async () => {
  const run = await busy(11, 30)
  const frames = await framesOf(run.opened.store)
  for (const [index, { last, first }] of frames.entries()) {
    if (run.states.get(last) === undefined) continue
    for (const change of [{ stateLow: 12_345 }, { stateHigh: -1 }]) {
      const { journal } = await forgery(run.opened.store, index, () => change)
      const { findings } = await replay(journal)
      assert.equal(
        findings.map(({ seq, rule }) => [seq, rule]),
        [[last, 'G-I8']],
      )
      const error = await recoverWorld(journal).catch((caught: BlockboxError) => caught)
      assert.ok(error instanceof BlockboxError)
      assert.equal([error.code, error.seq], ['JOURNAL_CORRUPT', first])
    }
  }
})

test('a reply that was given before its frame was durable is a finding, unless the run was buffered', async () => {
  const run = await busy(12, 10)
  const frames = await framesOf(run.opened.store)
  const index = frames.length - 1
  const { first, last } = frames[index]!
  const early = await forgery(run.opened.store, index, () => ({ replied: last }))
  assert.equal(
    (await replay(early.journal)).findings.map(({ seq, rule }) => [seq, rule]),
    [[first, 'G-I3']],
  )
  const buffered = await forgery(run.opened.store, index, () => ({
    replied: last,
    flags: frameFlags.buffered,
  }))
  assert.equal((await replay(buffered.journal)).findings, [])
})

test('a checkpoint that disagrees with the frames is a finding', async () => {
  const run = await busy(13, 20)
  const { journal } = run.opened
  const parts = [new Uint8Array(8)]
  const writer = await journal.openWriter('other', 0n)
  await writer.keep({ seq: journal.bounds().last, stateLow: 1, stateHigh: 2, parts })
  const { findings } = await replay(journal)
  assert.equal(
    findings.map(({ seq, rule }) => [seq, rule]),
    [[journal.bounds().last, 'G-I10']],
  )
})

test('damage in the middle is a finding, after what came before it was replayed', async () => {
  const run = await busy(14, 40)
  const frames = await framesOf(run.opened.store)
  const index = Math.floor(frames.length / 2)
  const copy = await copyOf(run.opened.store, (_table, number) => number !== frames[index]!.first)
  const { journal } = await openMemory({ store: copy, head: headAt(frames.at(-1)) })
  const verdict = await replay(journal)
  assert.equal(
    verdict.findings.map(({ seq, rule }) => [seq, rule]),
    [[frames[index]!.first, 'JOURNAL_GAP']],
  )
  assert.is(verdict.events, frames[index]!.first - 1)
  assert.is(verdict.world.seq, frames[index]!.first - 1)
})

test('whatever is planted in whichever rows, replay and recovery answer in words', async () => {
  const run = await busy(15, 60)
  const frames = await framesOf(run.opened.store)
  const odd = fc.constantFrom(
    0,
    1,
    2,
    3,
    4,
    5,
    130,
    512,
    4096,
    65_536,
    2 ** 21,
    2 ** 32 - 1,
    2 ** 52,
    -1,
    0.5,
  )
  const plant = fc.record({ frame: fc.nat(), row: fc.nat(), column: fc.constantFrom(...names), value: odd })
  let found = 0
  const property = fc.asyncProperty(fc.array(plant, { minLength: 1, maxLength: 3 }), async (plants) => {
    const index = plants[0]!.frame % frames.length
    const { journal } = await forgery(run.opened.store, index, ({ columns }) => {
      for (const { row, column, value } of plants) columns[column][row % columns.count] = value
      return { columns }
    })
    found += (await replay(journal, { checks })).findings.length > 0 ? 1 : 0
    await replay(journal, { decide: false, checks })
    await recoverWorld(journal).catch((error: unknown) => {
      if (!(error instanceof BlockboxError)) throw error
      assert.ok(error.seq !== undefined, error.message)
    })
  })
  await fc.assert(property, { numRuns: 400, seed: 5, includeErrorInReport: true })
  assert.ok(found > 200, `${found}`)
})

test.run()
