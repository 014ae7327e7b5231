/** The story of a restore, on histories made by hand: every number is one that can be counted there. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { NewEvent } from '../../src/events/columns.ts'
import { restoreRecord } from '../../src/inspect/restore-record.ts'
import { RestoreWitness } from '../../src/inspect/restore-witness.ts'
import { RosterKeeper } from '../../src/inspect/roster.ts'
import { cancel, pause, resume } from '../support/asked.ts'
import {
  block,
  cloned,
  copied,
  copyEnds,
  crash,
  extentBlocks,
  read,
  restore,
  type Step,
  session,
  volume,
  volumeBlocks,
  write,
} from '../support/given.ts'
import { told } from '../support/told.ts'

const test = suite('restore witness')

/** Clone fractured, then all four extents of the source changed: everything differs. */
const differing: readonly Step[] = [
  ...cloned,
  ...[0, 1, 2, 3].map((e): NewEvent => write(100 + e, { at: e * extentBlocks })),
]

function story(...steps: readonly Step[]) {
  const witness = new RestoreWitness(true)
  const keeper = new RosterKeeper()
  const { world } = told([...differing, ...steps], keeper, witness)
  witness.end(world)
  assert.is(witness.stories.length, 1)
  return restoreRecord(witness.stories[0]!, keeper.roster, 0n)
}

test('copied in the background, on demand, and not at all where a host wrote it whole', () => {
  const pausedAtOnce = [restore('p'), pause('p')]
  const told = story(...pausedAtOnce, copyEnds(1, 0), copyEnds(1, 1), copyEnds(1, 2), copyEnds(1, 3))
  assert.is(told.how, 'completed')
  const { differing: all, copied_in_background: behind, copied_on_demand: demanded } = told.extents
  assert.equal([all, behind, demanded], [4, 4, 0])
  assert.equal(
    told.copies.map(({ extent, code, demanded_by }) => [extent, code, demanded_by]),
    [
      [0, 'ok', 0],
      [1, 'ok', 0],
      [2, 'ok', 0],
      [3, 'ok', 0],
    ],
  )
  assert.ok(told.clone_hash.unchanged)
})

/** A volume of six extents: more than are copied at a time. */
const six: readonly Step[] = (() => {
  const size = 6 * extentBlocks * block
  const larger = (step: Step): Step => {
    if (typeof step === 'function' || step.kind !== 'volume.create') return step
    return { ...step, detail: { ...step.detail, size } }
  }
  return [
    ...cloned.map(larger),
    ...[0, 1, 2, 3, 4, 5].map((e): NewEvent => write(100 + e, { at: e * extentBlocks })),
  ]
})()

function storyOfSix(...steps: readonly Step[]) {
  const witness = new RestoreWitness()
  const keeper = new RosterKeeper()
  const history = told([...six, ...steps], keeper, witness)
  witness.end(history.world)
  return { record: restoreRecord(witness.stories[0]!, keeper.roster, 0n), history }
}

test('who waited, for which extent, how long; who demanded it; what never needed a copy', () => {
  const { record, history } = storyOfSix(
    restore('p'),
    write(1, { at: 4 * extentBlocks, count: 1 }),
    read(2, { at: 4 * extentBlocks + 1 }),
    write(3, { at: 5 * extentBlocks, count: extentBlocks }),
    read(4, { at: 0 }),
    copied,
    read(5, { at: 0 }),
    read(6, { at: 4 * extentBlocks }),
  )
  assert.is(record.how, 'completed')
  const { extents } = record
  assert.equal(
    [extents.copied_in_background, extents.copied_on_demand, extents.never_copied_overwritten],
    [4, 1, 1],
  )
  assert.is(extents.differing, 6)
  assert.is(extents.changed_by_hosts, 2)
  assert.equal([record.waited.reads?.count, record.waited.writes?.count], [2, 1])
  const events = history.ledger.from(1)
  for (const wait of record.longest_waits) {
    const released = events.find(({ kind, about }) => kind === 'cod.released' && about === wait.seq)!
    assert.is(wait.waited_ns, (released.seq - wait.seq) * 1000)
    assert.is(wait.end, 'released')
  }
  const byRequest = new Map(record.longest_waits.map((wait) => [wait.request, wait.extents]))
  assert.equal([byRequest.get(1), byRequest.get(2), byRequest.get(4)], [[4], [4], [0]])
  const [host] = record.hosts
  assert.equal([host!.reads, host!.writes, host!.queued, host!.copies_demanded], [2, 2, 3, 1])
  assert.is(record.read_bytes_answered.from_extents_copied_by_then, block)
  assert.is(record.read_bytes_answered.from_extents_hosts_had_written, block)
})

test('failures, pauses and a crash are turns; copies in flight are abandoned and made again', () => {
  const { record } = storyOfSix(
    restore('p'),
    read(1, { at: 0 }),
    copyEnds(1, 0, 'E_IO'),
    pause('p'),
    resume('p'),
    crash,
    session(),
    copied,
  )
  assert.is(record.how, 'completed')
  assert.is(record.extents.copies_failed, 1)
  assert.is(record.waited.failed, 1)
  assert.ok(record.extents.copies_abandoned >= 3)
  assert.equal(
    record.turns.map(({ what, remaining }) => [what, remaining]),
    [
      ['paused', 6],
      ['resumed', 6],
      ['recorder-started', 6],
      ['resumed', 6],
    ],
  )
  assert.is(record.extents.copied_in_background, 6)
})

test('a cancelled one says how much shows its old content again, a running one what is left', () => {
  const { record } = storyOfSix(
    restore('p'),
    copyEnds(1, 0),
    cancel('p'),
    copyEnds(1, 1),
    copyEnds(1, 2),
    copyEnds(1, 3),
    copyEnds(1, 4),
  )
  assert.is(record.how, 'cancelled')
  assert.is(record.extents.remaining, 1)
  assert.equal(
    record.turns.map(({ what }) => what),
    ['cancel-accepted'],
  )
  const running = storyOfSix(restore('p'), copyEnds(1, 0)).record
  assert.is(running.how, 'running')
  assert.is(running.extents.remaining, 5)
  assert.is(running.ended, undefined)
})

test('extents that hosts wrote are counted as it goes: paused, cut by a crash, cancelled', () => {
  const wrote = [restore('p'), copyEnds(1, 0), write(1, { at: 0 }), write(2, { at: 1 }), pause('p')]
  const changed = (...more: readonly Step[]) => {
    const { record } = storyOfSix(...wrote, ...more)
    return [record.how, record.extents.changed_by_hosts]
  }
  assert.equal(changed(), ['running', 1])
  const elsewhere = write(3, { at: 5 * extentBlocks, count: extentBlocks })
  assert.equal(changed(elsewhere), ['running', 2])
  assert.equal(changed(elsewhere, crash), ['running', 2])
  assert.equal(changed(resume('p'), copied), ['completed', 1])
})

test('an unprotected one may change its clone, and says so', () => {
  const { record } = storyOfSix(restore('p', false), copied)
  assert.not(record.protected)
  assert.ok(record.clone_hash.unchanged)
  const written = storyOfSix(restore('p', false), copyEnds(1, 0), write(1, { at: 0 }), copied).record
  assert.not(written.clone_hash.unchanged)
})

test('of a clone outside without a digest on record nobody says that it is unchanged', () => {
  const hashOf = (sha256: string) => {
    const witness = new RestoreWitness()
    const keeper = new RosterKeeper()
    const size = volumeBlocks * block
    const outside = { name: 'far', source: 1, clone: 0, extent: extentBlocks * block, path: '/far.img', size }
    const far: NewEvent = { kind: 'pair.create', detail: { ...outside, ...(sha256 !== '' && { sha256 }) } }
    witness.end(told([volume('disk'), session(), far, restore('far')], keeper, witness).world)
    return restoreRecord(witness.stories[0]!, keeper.roster, 0n).clone_hash
  }
  assert.equal(hashOf(''), { before: null, after: null, unchanged: null })
  const known = 'ab'.repeat(32)
  assert.equal(hashOf(known), { before: known, after: known, unchanged: true })
})

test.run()
