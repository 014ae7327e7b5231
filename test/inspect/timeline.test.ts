/** Spans begin and end as they did, and requests are counted by interval. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Names } from '../../src/inspect/names.ts'
import { Timeline } from '../../src/inspect/timeline.ts'
import { newWorld } from '../../src/volume.ts'
import { cancel, pause } from '../support/asked.ts'
import { Chance } from '../support/chance.ts'
import {
  backup,
  cloned,
  copied,
  copyEnds,
  crash,
  deadline,
  drop,
  preserve,
  restore,
  type Step,
  session,
  stop,
  write,
} from '../support/given.ts'
import { told } from '../support/told.ts'

const test = suite('timeline')

function timeline(...steps: readonly Step[]): Timeline {
  const witness = new Timeline(new Names(newWorld()))
  told(steps, witness)
  return witness
}

test('what lasted, of what volumes, and how it ended', () => {
  const { spans, points } = timeline(
    ...[...cloned, backup('night'), write(1), stop('night'), write(2), restore('p'), copied],
    ...[write(3), preserve('view'), drop(3), restore('p'), pause('p'), cancel('p'), copyEnds(1, 0)],
    ...[backup('late'), crash],
  )
  assert.equal(
    spans.map(({ what, name, volumes, outcome }) => [what, name, volumes, outcome]),
    [
      ['session', 'host (1)', ['disk'], 'cut off'],
      ['sync', 'p', ['disk', 'clone'], 'in sync'],
      ['backup', 'night', ['disk'], 'stopped'],
      ['restore', 'p', ['disk', 'clone'], 'completed'],
      ['view', 'view', ['disk'], 'dropped'],
      ['restore', 'p', ['disk', 'clone'], 'cancelled'],
      ['backup', 'late', ['disk'], 'running'],
      ['recorder', 'epoch 1', [], 'running'],
      ['recovery', '', [], 'done'],
    ],
  )
  const night = spans.find(({ name }) => name === 'night')!
  assert.match(night.notes.join(), '1 writes held, 1 released, 0 dropped')
  assert.ok(night.begin!.seq < night.end!.seq)
  const cancelled = spans.findLast(({ what }) => what === 'restore')!
  assert.match(cancelled.notes.join('; '), /paused at event \d+; cancel accepted at event \d+/)
  assert.equal(
    points.map(({ what, name }) => [what, name]),
    [
      ['created', 'volume disk'],
      ['created', 'volume clone'],
      ['created', 'pair p'],
    ],
  )
})

test('a refused command is a point, and so is a crash', () => {
  const { points } = timeline(...cloned, crash, session(), restore('q'), crash)
  assert.equal(
    points.slice(3).map(({ what, name }) => [what, name]),
    [
      ['refused', 'restore.start E_NO_PAIR'],
      ['crash', 'found at the next start'],
    ],
  )
})

test('what leaves the queue of a backup after it expired is counted', () => {
  const { spans } = timeline(
    ...[...cloned, backup('late', [1], { deadlineMs: 1000 }), write(1), write(2), deadline(1)],
  )
  const late = spans.find(({ name }) => name === 'late')!
  assert.not.equal(late.outcome, 'running')
  assert.match(late.notes.join(), '2 writes held, 2 released, 0 dropped')
})

test('a recorder that crashed ended with the last event it wrote, and so did its sessions', () => {
  let wrote = 0
  const last: Step = (history) => {
    wrote = history.ledger.last
  }
  const { spans, points } = timeline(crash, session(), last, crash)
  const ended = spans.filter(({ outcome }) => outcome === 'crashed' || outcome === 'cut off')
  assert.equal(
    ended.map(({ what, end }) => [what, end]),
    [
      ['recorder', { seq: wrote, at: wrote * 1000 }],
      ['session', { seq: wrote, at: wrote * 1000 }],
    ],
  )
  assert.is(points.find(({ what }) => what === 'crash')?.seq, wrote + 1)
})

test('by chance: requests add up, spans end after they begin, and only once', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const sum = { reads: 0, writes: 0 }
    const witness = new Timeline(new Names(newWorld()))
    told(
      [
        (history) => {
          const chance = new Chance(seed, history)
          chance.begin()
          for (let step = 0; step < 80; step++) chance.step()
          chance.settle()
        },
      ],
      witness,
      {
        see({ kind }) {
          if (kind === 'io.read') sum.reads++
          if (kind === 'io.write' || kind === 'io.zeroes' || kind === 'io.discard') sum.writes++
        },
      },
    )
    const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
    const end = 1e6
    assert.equal([total(witness.reads.upTo(end)), total(witness.writes.upTo(end))], [sum.reads, sum.writes])
    assert.is(witness.waiting.upTo(end).at(-1), 0, 'nothing waits when all came to its end')
    for (const { what, begin, end: ended, outcome } of witness.spans) {
      if (begin === undefined)
        assert.is(what, 'recorder', 'these histories begin without a start of the recorder')
      assert.is(ended === undefined, outcome === 'running')
      if (ended !== undefined) assert.ok(ended.seq >= (begin?.seq ?? 0))
    }
  }
})

test.run()
