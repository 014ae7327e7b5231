/** The claims of seed S1, holding writes during a backup: one test for each row of requirements. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Prng } from '../../src/core/prng.ts'
import type { NewEvent } from '../../src/events/columns.ts'
import { holdQueueOf } from '../../src/layers/hold-queue.ts'
import { checked } from '../support/checked.ts'
import {
  backup,
  block,
  close,
  copied,
  discard,
  flush,
  given,
  held,
  pair,
  passed,
  read,
  session,
  stop,
  sync,
  volume,
  write,
  zeroes,
} from '../support/given.ts'
import { History } from '../support/history.ts'

const test = suite('S1 claims')

const host = [volume('disk'), volume('other'), session()] as const
const mapHash = ({ world }: History, id: number) => {
  const { map } = world.volumes[id - 1]!
  return `${map.hashHigh} ${map.hashLow}`
}

test('S1 claims 1, 12, 23: a write to the volume under backup is received, put on record and suspended; another volume flows', () => {
  const other = write(2, { volume: 2 })
  given(...host, backup('b'))
    .when(write(1))
    .then(held(write(1)))
    .and((history) => {
      assert.is(history.ledger.at(history.world.seq).kind, 'io.write', 'its record is its log entry')
      assert.is(history.place(1, 0), 0)
    })
    .when(other)
    .then(passed(other))
    .and((history) => assert.is(history.place(2, 0), 2000))
})

test('S1 claims 2, 13: suspended writes wait in the hold queue and are not forwarded', () => {
  const now = given(...host, write(1, { count: 16 }), backup('b'))
  now.and((history) => {
    const before = mapHash(history, 1)
    for (let k = 2; k < 30; k++) history.enter([write, zeroes, discard][k % 3]!(k, { at: k % 16 }))
    assert.is(mapHash(history, 1), before)
    assert.is(holdQueueOf(history.world).flagged.get(1)!.writes.length, 28)
  })
})

test('S1 claims 3, 14: the flag alone decides', () => {
  given(...host, backup('b'))
    .when(write(1))
    .then(held(write(1)))
    .when(stop('b'), write(2))
    .then(passed(write(2)))
  const others: NewEvent[] = [
    read(5),
    flush(6),
    session('more'),
    backup('b', [2]),
    volume('third'),
    pair('p'),
    close(2),
    { kind: 'mark', volume: 1, detail: { label: 'backup.start' } },
  ]
  for (const input of others) {
    given(...host, input)
      .when(write(1))
      .then(passed(write(1)))
  }
})

test('S1 claims 4, 15: the flag is set by the message of the backup application, in its own entry', () => {
  given(...host)
    .when(backup('b'))
    .then(backup('b'), { kind: 'backup.flag_set', tag: 1 }, { kind: 'backup.started', tag: 1 })
    .and(({ world }) => assert.ok(holdQueueOf(world).flagged.has(1)))
})

test('S1 claims 5, 16: what is read during the hold is the volume at one point in time', () => {
  const past = [...host, write(1, { count: 16 }), pair('p'), sync('p')]
  given(...past, write(2, { at: 3 }), backup('b'), write(3, { at: 3 }), write(4, { at: 8 }))
    .and(({ world }) => assert.is([...holdQueueOf(world).backups.values()][0]!.phase, 'quiescing'))
    .when(copied)
    .and((history) => {
      const image = history.places(1, 16)
      assert.is(image[3], 2000, 'what was on its way at the start is in it')
      for (let k = 10; k < 60; k++) {
        history.enter(write(k, { at: k % 16 }))
        assert.equal(history.places(1, 16), image)
      }
      history.enter(stop('b'))
      assert.is(history.place(1, 59 % 16), 59_000)
    })
})

test('S1 claims 6, 17: the completion message releases every held write, and each takes effect', () => {
  given(...host, backup('b'), write(1), write(2, { at: 1 }), write(3, { at: 2, count: 3 }))
    .when(stop('b'))
    .and((history) => assert.equal(history.places(1, 5), [1000, 2000, 3000, 3008, 3016]))
})

test('S1 claims 7, 18: the hold queue is a list in order of arrival', () => {
  const history = new History()
  for (const input of [...host, backup('b')]) history.enter(input)
  const random = new Prng(7)
  for (let k = 1; k < 500; k++) history.enter(write(k, { at: random.below(16) }))
  const waiting = [...holdQueueOf(history.world).flagged.get(1)!.writes]
  assert.equal(
    waiting.map(({ request }) => request),
    [...Array(500).keys()].slice(1),
  )
  assert.ok(waiting.every((entry, k) => k === 0 || waiting[k - 1]!.io < entry.io))
})

test('S1 claims 8, 19: ten thousand held writes, many over one another, are released in order of arrival', () => {
  const check = checked()
  const history = new History(check)
  for (const input of [volume('disk', 256), session(), backup('b')]) history.enter(input)
  const random = new Prng(8)
  const content: number[] = new Array(256).fill(0)
  for (let k = 1; k <= 10_000; k++) {
    const count = 1 + random.below(8)
    const at = random.below(256 - count)
    history.enter(write(k, { at, count, payload: k * 100 }))
    for (let n = 0; n < count; n++) content[at + n] = k * 100 + n * (block / 512)
  }
  const entry = history.enter(stop('b'))
  const order = entry.filter(({ kind }) => kind === 'hold.released').map(({ request }) => request)
  assert.equal(order, [...Array(10_001).keys()].slice(1))
  assert.equal(history.places(1, 256), content)
  assert.equal(check.findings, [])
})

test.run()
