/** What waited: every wait of a history, by queue, against the record itself; and who waits at one moment, and why. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { QueueStories } from '../../src/inspect/queue-story.ts'
import { Scope } from '../../src/inspect/scope.ts'
import { waitingIn } from '../../src/inspect/waiting.ts'
import { inFlightOf } from '../../src/layers/in-flight.ts'
import { Chance } from '../support/chance.ts'
import {
  backup,
  cloned,
  copied,
  flush,
  read,
  restore,
  session,
  stop,
  volume,
  write,
} from '../support/given.ts'
import { answers, tapped } from '../support/given-tap.ts'
import { told } from '../support/told.ts'

const test = suite('queue story')

test('every wait is counted with its time and its end', () => {
  const stories = new QueueStories()
  const history = told(
    [volume('disk'), session(), backup('b'), write(1), write(2, { at: 3 }), stop('b'), write(3)],
    stories,
  )
  const events = history.ledger.from(1)
  const waits = events.filter(({ kind }) => kind === 'hold.released')
  assert.is(waits.length, 2)
  assert.equal(
    stories.hold.longest.items.map(({ seq, ns, end }) => [seq, ns, end]).sort(),
    waits.map(({ about, seq }) => [about, (seq - about!) * 1000, 'hold.released']).sort(),
  )
  assert.is(stories.hold.most?.depth, 2)
  assert.equal([...stories.hold.ends], [['hold.released', 2]])
  assert.is(stories.copy.waits.count, 0)
})

test('what a far server has yet to answer is a queue of its own', () => {
  const stories = new QueueStories()
  const history = told([...tapped, write(1), read(2, { at: 3 }), answers(), flush(3)], stories)
  assert.equal([...stories.far.ends], [['tap.released', 1]])
  assert.is(stories.far.most?.depth, 2)
  assert.equal([...stories.far.waiting.keys()], [8, 11])
  assert.equal([stories.copy.most, stories.refused.size], [undefined, 0])
  assert.equal(
    waitingIn(history.world).map(({ seq, queue, op, why }) => [seq, queue, op, why]),
    [
      [8, 'far', 'read', 'nbd://far/disk has not answered'],
      [11, 'far', 'flush', 'nbd://far/disk has not answered'],
    ],
  )
})

test('by chance: what is still waiting is what the state says, and every end is counted', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const stories = new QueueStories()
    let ends = 0
    const history = told(
      [
        (given) => {
          const chance = new Chance(seed, given)
          chance.begin()
          for (let step = 0; step < 80; step++) chance.step()
        },
      ],
      stories,
      {
        see(event) {
          const isEnd = [
            'hold.released',
            'hold.dropped',
            'hold.failed',
            'cod.released',
            'io.failed',
            'io.lost',
          ]
          if (isEnd.includes(event.kind)) ends++
        },
      },
    )
    const { held, queued } = inFlightOf(history.world)
    assert.equal([...stories.hold.waiting.keys()], [...held.keys()])
    assert.equal([...stories.copy.waiting.keys()].sort(), [...queued.keys()].sort())
    assert.is(stories.hold.waits.count + stories.copy.waits.count, ends)
    assert.equal(
      waitingIn(history.world).map(({ seq }) => seq),
      [...held.keys(), ...queued.keys()].sort((a, b) => a - b),
    )
  }
})

test('a moment says who waits for what', () => {
  const { world } = told([
    ...cloned,
    write(9),
    restore('p'),
    write(1),
    read(2),
    backup('b'),
    write(3, { at: 8 }),
  ])
  assert.equal(
    waitingIn(world).map(({ request, queue, host, why }) => [request, queue, host, why]),
    [
      [1, 'copy', 'host', 'restore of p: extent 0 is being copied'],
      [2, 'copy', 'host', 'restore of p: extent 0 is being copied'],
      [3, 'hold', 'host', 'backup b is quiescing'],
    ],
  )
})

test('only what was submitted in a stretch is counted', () => {
  const steps = [volume('disk'), session(), backup('b'), write(1), write(2, { at: 3 }), stop('b')]
  const all = new QueueStories()
  told(steps, all)
  const [first, second] = all.hold.longest.items.map(({ seq }) => seq).sort((a, b) => a - b)
  for (const [chosen, seq] of [
    [{ to: first! }, first],
    [{ from: first! + 1 }, second],
  ] as const) {
    const some = new QueueStories(new Scope(chosen))
    told(steps, some)
    assert.equal(
      some.hold.longest.items.map((one) => one.seq),
      [seq],
    )
  }
})

test('refusals are counted by code, and only those of the volumes chosen', () => {
  const stories = new QueueStories(new Scope({ volumes: [2] }))
  told([...cloned, write(9), restore('p'), write(1, { volume: 2 }), write(2, { volume: 2 }), copied], stories)
  assert.equal(
    [...stories.refused].map(([code, { count }]) => [code, count]),
    [['E_CLONE_PROTECTED', 2]],
  )
  assert.is(stories.copy.waits.count, 0)
})

test.run()
