/** The claims of seed S1, holding writes during a backup: one test for each row of requirements. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Prng } from '../../src/core/prng.ts'
import type { Event, NewEvent } from '../../src/events/columns.ts'
import { flag } from '../../src/events/kind.ts'
import { holdQueueOf } from '../../src/layers/hold-queue.ts'
import { committedUpTo } from '../../src/layers/request-log.ts'
import { expand } from '../../src/volume/expand.ts'
import { commitTo } from '../support/asked.ts'
import { checked } from '../support/checked.ts'
import {
  backup,
  block,
  blocks,
  close,
  copied,
  device,
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
  volumeOn,
  write,
  zeroes,
} from '../support/given.ts'
import { History } from '../support/history.ts'

const test = suite('S1 claims')

const host = [volume('disk'), volume('other'), session()] as const
/** Volume 1 lies on devices 1 and 2 in stripes of two blocks, 2 on device 1 alone, 3 on device 3. */
const striped = [
  ...[device('d1'), device('d2'), device('d3')],
  ...[volumeOn('both', [1, 2], 2), volumeOn('one', [1]), volumeOn('three', [3])],
  session(),
] as const
const metaFlag = { flags: flag.meta } as const
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

test('S1 claims 1, 12, 23: the backup is of a device, and holds every volume with a part on it', () => {
  const now = given(...striped, backup('b', [], { devices: [2] }))
  for (const at of [0, 2, 7]) now.when(write(10 + at, { at })).then(held(write(10 + at, { at })))
  for (const volume of [2, 3]) {
    const other = write(volume, { volume })
    now.when(other).then(passed(other))
  }
  now.when(stop('b')).and((history) => {
    assert.equal(
      [0, 2, 7].map((block) => history.place(1, block)),
      [10_000, 12_000, 17_000],
    )
  })
})

test('S1 claims 1, 12, 23: the log entry of a write precedes its entry in the hold queue', () => {
  given(...host, backup('b')).and(({ world }) => {
    const seq = world.seq + 1
    const asked = { ...held(write(1)), seq, code: 'ok', about: 0 } as Event
    const names = expand(world, asked).map(({ name }) => name)
    assert.equal(names, ['log.appended', 'hold.enqueued'])
  })
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

test('S1 claims 9, 20: metadata follows the log only after the backup ended and the write was released', () => {
  const now = given(...host, write(1), commitTo(1))
  const upTo = (request: number) =>
    now.and((history) => {
      const log = history.ledger.from(1).filter(({ kind }) => kind === 'io.write')
      const seq = log.find((event) => event.request === request)!.seq
      assert.is(committedUpTo(holdQueueOf(history.world), 1), seq)
    })
  upTo(1)
  now.when(write(2, { at: 1 }), backup('b'), write(3))
  for (const request of [2, 3]) {
    now.when(commitTo(request)).and((history) => {
      const answer = history.ledger.from(history.world.seq)[0]
      assert.equal([answer?.kind, answer?.code], ['command.refused', 'E_BUSY_HOLD'])
    })
  }
  upTo(1)
  now.when(stop('b'), commitTo(3))
  upTo(3)
  const elsewhere = given(...host, backup('b'), write(1, { volume: 2 }), commitTo(1, 2))
  elsewhere.and(({ world }) => assert.ok(committedUpTo(holdQueueOf(world), 2) > 0, 'another volume goes on'))
})

test('S1 claims 9, 20: a write that is released but still waits for a copy keeps metadata back', () => {
  const past = [...host, write(1, { count: 16 }), pair('p'), backup('b'), write(2), sync('p'), stop('b')]
  given(...past, commitTo(2))
    .and((history) => assert.is(history.ledger.from(history.world.seq)[0]?.code, 'E_AGAIN'))
    .when(copied, commitTo(2))
    .and(({ world }) => assert.ok(committedUpTo(holdQueueOf(world), 1) > 0))
})

test('S1 claims 10, 21: in scope metadata only what changes metadata is suspended', () => {
  const layout = blocks(1, 12, 4)
  const now = given(...host, backup('b', [1], { scope: 'metadata', layout }))
  const flows = (asked: NewEvent) => now.when(asked).then(passed(asked))
  const waits = (asked: NewEvent) => now.when(asked).then(held(asked))
  flows(write(1, { at: 2 }))
  waits(write(2, { at: 3, ...metaFlag }))
  waits(zeroes(3, { at: 13 }))
  waits(write(4, { at: 10, count: 3 }))
  flows(discard(5, { at: 9 }))
  waits(write(6, { at: 3 }))
  waits(write(7, { at: 10 }))
  flows(write(8, { at: 4 }))
  now.when(stop('b')).and((history) => {
    assert.equal(history.places(1, 5), [0, 0, 1000, 6000, 8000])
    assert.equal(
      [10, 11, 12, 13].map((block) => history.place(1, block)),
      [7000, 4008, 4016, 0],
    )
  })
})

test('S1 claims 11, 22: in scope blocks only what touches the blocks under backup is suspended, whole', () => {
  const now = given(
    ...host,
    backup('b', [], { scope: 'blocks', ranges: [...blocks(1, 4, 4), ...blocks(1, 12)] }),
  )
  const flows = (asked: NewEvent) => now.when(asked).then(passed(asked))
  const waits = (asked: NewEvent) => now.when(asked).then(held(asked))
  flows(write(1, { at: 3 }))
  waits(write(2, { at: 2, count: 3 }))
  flows(write(3, { at: 8, count: 4 }))
  waits(write(4, { at: 12 }))
  waits(write(5, { at: 3 }))
  now
    .and((history) => assert.equal(history.places(1, 5), [0, 0, 0, 1000, 0], 'no part of write 2 is there'))
    .when(stop('b'))
    .and((history) => assert.equal(history.places(1, 5), [0, 0, 2000, 5000, 2016]))
})

test('S1 claims 11, 22: of a striped volume only the stripes on the device are under backup', () => {
  const now = given(...striped, backup('b', [], { devices: [2], scope: 'blocks' }))
  for (const [at, count, waits] of [
    [0, 2, false],
    [2, 1, true],
    [5, 1, false],
    [7, 1, true],
    [1, 2, true],
    [8, 16 - 8, true],
  ] as const) {
    const asked = write(100 + at, { at, count })
    now.when(asked).then(waits ? held(asked) : passed(asked))
  }
})

test.run()
