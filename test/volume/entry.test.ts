/** Entries: sessions, volumes, marks, requests that make no sense, the engine's own life, and what a host may expect. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { NewEvent } from '../../src/events/columns.ts'
import { stateHashText } from '../../src/volume/snapshot.ts'
import {
  block,
  breaks,
  close,
  flush,
  given,
  passed,
  read,
  refusal,
  refused,
  session,
  volume,
  write,
} from '../support/given.ts'
import { History } from '../support/history.ts'

const test = suite('entry')

const host = [volume('disk'), session()] as const

test('volumes and sessions are numbered in the order they are made', () => {
  given()
    .when(volume('a'))
    .then(volume('a'), { kind: 'volume.created', volume: 1 })
    .when(volume('b'))
    .then(volume('b'), { kind: 'volume.created', volume: 2 })
    .when(session('x'))
    .then(session('x'), { kind: 'session.opened', session: 1 })
    .when(close(1), session('y'))
    .then(session('y'), { kind: 'session.opened', session: 2 })
})

test('volumes that cannot be are refused', () => {
  const sized = (size: number, of: number): NewEvent => ({
    kind: 'volume.create',
    detail: { name: 'v', size, block: of },
  })
  const now = given(...host)
  now.when(volume('disk')).then(...refusal(volume('disk'), 'E_ALREADY'))
  for (const name of ['', '.x', 'a/b', 'é']) now.when(volume(name)).then(...refusal(volume(name), 'E_NAME'))
  for (const [size, of] of [
    [0, 4096],
    [4096, 256],
    [4096, 0],
    [2 ** 20, 2 ** 17],
    [3 * 1024, 3 * 512],
    [4096 + 512, 4096],
    [2 ** 44 + 512, 512],
  ] as const) {
    now.when(sized(size, of)).then(...refusal(sized(size, of), 'E_SIZE'))
  }
  now.when(sized(2 ** 44, 512)).then(sized(2 ** 44, 512), { kind: 'volume.created', volume: 2 })
})

test('a request that makes no sense is refused and changes nothing', () => {
  const wrong: readonly [NewEvent, Parameters<typeof refused>[1]][] = [
    [write(1, { session: 2 }), 'E_NO_SESSION'],
    [write(1, { volume: 2 }), 'E_NO_VOLUME'],
    [flush(1, { volume: 2 }), 'E_NO_VOLUME'],
    [write(1, { at: 15, count: 2 }), 'E_RANGE'],
    [read(1, { at: 16 }), 'E_RANGE'],
    [{ ...read(1), length: 0 }, 'E_RANGE'],
    [{ ...read(1), offset: -1 }, 'E_RANGE'],
    [{ ...read(1), offset: 0.5 }, 'E_RANGE'],
    [{ ...read(1), length: Number.MAX_VALUE }, 'E_RANGE'],
  ]
  for (const [asked, code] of wrong) {
    let before = ''
    given(...host)
      .and(({ world }) => {
        before = stateHashText(world)
      })
      .when(asked)
      .then(refused(asked, code))
      .and(({ world }) => assert.is(stateHashText(world), before))
  }
})

test('reads need no alignment, flushes no range', () => {
  const odd = { ...read(1), offset: 100, length: 5 * block }
  given(...host)
    .when(odd)
    .then(passed(odd))
    .when(flush(2))
    .then(passed(flush(2)))
})

test('a session that is not open cannot close', () => {
  given(...host)
    .when(close(7))
    .then(...refusal(close(7), 'E_NO_SESSION'))
    .when(close(1), close(1))
    .then(...refusal(close(1), 'E_NO_SESSION'))
})

test('marks are on record and change nothing', () => {
  const mark = {
    kind: 'mark',
    session: 1,
    request: 4,
    volume: 1,
    detail: { label: 'before the upgrade' },
  } as const
  given(...host)
    .when(mark)
    .then(mark)
})

test('a start closes every session and takes no request before its recovery', () => {
  const starts = { kind: 'engine.started', detail: { writer: 'w', epoch: 4, program: 'p' } } as const
  const history = new History()
  for (const input of host) history.enter(input)
  history.enter(starts)
  assert.equal([history.world.epoch, history.world.recovered, history.world.sessions.size], [4, false, 0])
  breaks('G-I7', () => history.plant(passed(read(1))))
})

test('a recovery is only of a start', () => {
  const recover = { kind: 'engine.recover' } as const
  given(...host)
    .when(recover)
    .then(...refusal(recover, 'E_STATE'))
})

test('a stop closes the sessions', () => {
  const stop = { kind: 'engine.stop' } as const
  given(...host, session('two'))
    .when(stop)
    .then(stop, { kind: 'session.closed', session: 1 }, { kind: 'session.closed', session: 2 })
})

test.run()
