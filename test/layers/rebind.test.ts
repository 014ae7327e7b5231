/** Sessions sent from a base to its view: a backup of the base with a hold no longer than its quiescing. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { reached } from '../../src/layers/preserve-state.ts'
import { loadWorld, saveWorld, stateHashText } from '../../src/volume/snapshot.ts'
import { rebind } from '../support/asked.ts'
import {
  backup,
  cloned,
  close,
  crash,
  drop,
  flush,
  given,
  held,
  merge,
  passed,
  preserve,
  read,
  refusal,
  released,
  type Step,
  session,
  stop,
  sync,
  volume,
  write,
  zeroes,
} from '../support/given.ts'
import type { History } from '../support/history.ts'
import { shown, witnessed } from '../support/witness.ts'

const test = suite('rebind')

const old = (at: number) => 1000 + at * 8
const view = 2
const host: readonly Step[] = [volume('disk'), session('one'), session('two'), write(1, { count: 16 })]
const holding: readonly Step[] = [...host, backup('b'), write(2), zeroes(3, { at: 1 }), preserve('view')]
const rebound = (of = 1) => ({ kind: 'session.rebound', session: of, detail: { from: 1, to: view } }) as const
const onView = (event: ReturnType<typeof write>) => ({ ...event, volume: view })

test('held writes of the session go to the view in order, the backup stays', () => {
  given(...holding, write(4, { session: 2 }), write(5, { at: 2 }))
    .when(rebind(view))
    .then(
      rebind(view),
      rebound(),
      onView(released(write(2))),
      onView(released(zeroes(3, { at: 1 }))),
      onView(released(write(5, { at: 2 }))),
    )
    .and((history) => {
      assert.equal(shown(history, 1, 0, 3), [0, 1, 2].map(old), 'image 1 is frozen')
      assert.equal(shown(history, view, 0, 4), [2000, 0, 5000, old(3)])
    })
    .when(rebind(view, { session: 2 }))
    .then(rebind(view, { session: 2 }), rebound(2), onView(released(write(4, { session: 2 }))))
    .when(stop('b'))
    .and((history) => {
      assert.equal(shown(history, 1, 0, 3), [0, 1, 2].map(old))
      assert.equal(shown(history, view, 0, 3), [4000, 0, 5000])
    })
})

test('afterwards the session reaches the view by the name of the base; others reach the base', () => {
  given(...holding, rebind(view))
    .when(write(4, { at: 5 }))
    .then(onView(passed(write(4, { at: 5 }))))
    .when(flush(5))
    .then(onView(passed(flush(5))))
    .when(write(6, { at: 5, session: 2 }))
    .then(held(write(6, { at: 5, session: 2 })))
  const { witness } = witnessed(
    ...holding,
    rebind(view),
    write(4, { at: 5 }),
    read(5, { at: 5 }),
    read(6, { at: 5, session: 2 }),
  )
  assert.equal([witness.answers.get(5), witness.answers.get(6)], [[4000], [old(5)]])
})

test('a backup with a hold no longer than the drain: image 1 is the point in time, a merge brings it up to date', () => {
  given(
    ...holding,
    rebind(view),
    rebind(view, { session: 2 }),
    write(4, { at: 7 }),
    write(5, { at: 8, session: 2 }),
  )
    .and((history) => assert.equal(shown(history, 1), [...Array(16).keys()].map(old)))
    .when(stop('b'), merge(view))
    .and((history) => {
      const expected = [...Array(16).keys()].map(old)
      Object.assign(expected, { 0: 2000, 1: 0, 7: 4000, 8: 5000 })
      assert.equal(shown(history, 1), expected)
    })
    .when(write(6, { at: 9 }))
    .then(passed(write(6, { at: 9 })))
    .and((history) => assert.is(history.place(1, 9), 6000, 'the session is back on the base'))
})

test('a session is bound no longer than its view, itself and the process last', () => {
  const ends: readonly Step[] = [drop(view), merge(view), close(), crash]
  for (const end of ends) {
    given(...host, preserve('view'), rebind(view))
      .and(({ world }: History) => assert.is(reached(world, 1, 1), view))
      .when(end)
      .and(({ world }: History) => assert.is(reached(world, 1, 1), 1))
  }
})

test('it is part of the state', () => {
  given(...host, preserve('view')).and((history) => {
    const before = stateHashText(history.world)
    history.enter(rebind(view))
    assert.is.not(stateHashText(history.world), before)
    const { plain, pages, seq } = saveWorld(history.world)
    const world = loadWorld({ seq, plain: JSON.parse(JSON.stringify(plain)), pages })
    assert.is(stateHashText(world), stateHashText(history.world))
    assert.equal([reached(world, 1, 1), reached(world, 2, 1)], [view, 1])
  })
})

test('what cannot be is refused', () => {
  const now = given(...host, volume('other'), preserve('view'))
  for (const [asked, code] of [
    [rebind(3, { session: 9 }), 'E_NO_SESSION'],
    [rebind(2), 'E_NO_VOLUME'],
    [rebind(3, { from: 2 }), 'E_NO_VOLUME'],
  ] as const) {
    now.when(asked).then(...refusal(asked, code))
  }
  now.when(rebind(3), rebind(3)).then(...refusal(rebind(3), 'E_ALREADY'))
})

test('with a write on its way below the gate it must be tried again', () => {
  const asked = rebind(3)
  given(...cloned, write(1, { count: 16 }), preserve('view'), sync('p'), write(2))
    .when(asked)
    .then(...refusal(asked, 'E_AGAIN'))
})

test('with a backup of the view nobody is sent there', () => {
  given(...host, preserve('view'), backup('b', [view]))
    .when(rebind(view))
    .then(...refusal(rebind(view), 'E_BUSY_HOLD'))
})

test.run()
