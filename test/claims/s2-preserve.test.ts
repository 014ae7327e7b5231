/** The claims of seed S2, preserving data by a lookup table: one test or more for each row of requirements. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Prng } from '../../src/core/prng.ts'
import type { NewEvent } from '../../src/events/columns.ts'
import { overlayOf } from '../../src/layers/preserve-state.ts'
import {
  cloned,
  copied,
  copyEnds,
  drop,
  given,
  passed,
  preserve,
  queued,
  read,
  restore,
  session,
  sync,
  volume,
  write,
  zeroes,
} from '../support/given.ts'
import type { History } from '../support/history.ts'
import { shown, witnessed } from '../support/witness.ts'

const test = suite('S2 claims')

/** V1 is volume 1, with old content; V2 is volume 2. */
const preserved = [
  volume('first', 32),
  session('old'),
  write(1, { count: 32 }),
  preserve('second'),
  session('new'),
] as const
const v2 = 2
const old = (at: number) => 1000 + at * 8
const onV2 = (at: number, count = 1) => ({ at, count, volume: v2, session: 2 })
const table = ({ world }: History, view = v2) => overlayOf(world, view)!.table.runs()
const steps = (list: readonly { name: string; block?: number; blocks?: number }[]) =>
  list.map(({ name, block, blocks }) => [name, block, blocks])
const locked = /^(?:lock|table|image)\./

test('S2 claims 1, 15, 29, 43: a process on the first volume goes on; its later write leaves image 2 for image 1', () => {
  const slow = write(2)
  const view = 3
  const syncing = [
    volume('first', 32),
    volume('clone', 32),
    ...cloned.slice(2),
    write(1, { count: 32 }),
    sync('p'),
  ]
  given(...syncing)
    .when(slow)
    .then(queued(slow))
    .when(preserve('second'))
    .then(preserve('second'), {
      kind: 'preserve.created',
      volume: view,
      detail: { name: 'second', base: 1 },
    })
    .and((history) => assert.equal(table(history, view), [], 'the structure is there, empty'))
    .when(write(3, { at: 20, volume: view }))
    .and((history) => {
      assert.equal(table(history, view), [20, 1])
      assert.equal([shown(history, 1)[20], shown(history, view)[20]], [old(20), 3000])
    })
    .when(write(4, { at: 20 }))
    .then(passed(write(4, { at: 20 })))
    .and((history) => {
      assert.equal(table(history, view), [], 'not stored in the second image any more')
      assert.is(history.place(view, 20), 0)
      assert.is(history.place(1, 20), 4000, 'stored in the first image')
      assert.equal([shown(history, 1)[20], shown(history, view)[20]], [4000, 4000])
    })
    .when(copyEnds(2, 0), copied)
    .and((history) => assert.equal([shown(history, 1)[0], shown(history, view)[0]], [2000, 2000]))
})

test('S2 claims 2, 16, 30: first and second volume are logical units, which hosts use by themselves', () => {
  const { history, witness } = witnessed(
    ...preserved,
    write(2, onV2(31)),
    write(3, { at: 0 }),
    read(4, onV2(31)),
    read(5, { at: 31 }),
    read(6, onV2(0)),
  )
  const [first, second] = history.world.volumes
  assert.equal([second?.name, second?.size, second?.block], ['second', first?.size, first?.block])
  assert.equal(
    [4, 5, 6].map((request) => witness.answers.get(request)),
    [[2000], [old(31)], [3000]],
  )
  assert.is(history.enter(read(7, onV2(32)))[0]?.code, 'E_RANGE', 'the unit ends where the first does')
})

test('S2 claims 3, 17, 31: the lookup table is examined, and an entry deleted if there is one', () => {
  const { history, witness } = witnessed(
    ...preserved,
    write(2, onV2(4, 2)),
    write(3, { at: 3, count: 4 }),
    write(4, { at: 3, count: 4 }),
  )
  const cleared = (request: number) => steps(witness.of(history, request, /table\.cleared/))
  assert.equal(cleared(3), [['table.cleared', 4, 2]])
  assert.equal(cleared(4), [], 'there is none any more')
  assert.equal(table(history), [])
})

test('S2 claims 4, 18, 32: a lock is acquired before the table changes and released after the store in image 1', () => {
  const { history, witness } = witnessed(...preserved, write(2, onV2(4)), write(3, { at: 4, count: 2 }))
  assert.equal(steps(witness.of(history, 3, locked)), [
    ['lock.acquired', 4, 2],
    ['table.cleared', 4, 1],
    ['image.stored', 4, 2],
    ['lock.released', 4, 2],
  ])
  assert.is(witness.of(history, 3, /image\.stored/)[0]?.volume, 1)
  assert.not(witness.of(history, 3, /lock\.acquired/)[0]?.shared)
})

test('S2 claims 5, 10, 14, 19, 24, 28, 33, 38, 42: the lock belongs to neither image: one for all who use the blocks', () => {
  const { history, witness } = witnessed(
    ...preserved,
    preserve('third'),
    write(2, { at: 7 }),
    write(3, onV2(7)),
    write(4, { at: 7, volume: 3 }),
    read(5, onV2(7)),
  )
  const lockOf = (request: number) =>
    witness.of(history, request, /lock\./).map(({ name, volume, block }) => [name, volume, block])
  const lock = [
    ['lock.acquired', 1, 7],
    ['lock.released', 1, 7],
  ]
  for (const request of [2, 3, 4, 5]) assert.equal(lockOf(request), lock, `request ${request}`)
  history.enter(drop(v2))
  history.enter(write(6, { at: 7 }))
  assert.equal(lockOf(6), lock, 'it outlives an image')
})

test('S2 claims 6, 20, 34: a write to the second volume is stored in image 2, and the structure says so', () => {
  const { history, witness } = witnessed(
    ...preserved,
    write(2, onV2(9)),
    read(3, onV2(9)),
    read(4, { at: 9 }),
  )
  assert.equal(table(history), [9, 1])
  assert.is(history.place(v2, 9), 2000, 'image 2')
  assert.is(history.place(1, 9), old(9), 'image 1')
  assert.equal([witness.answers.get(3), witness.answers.get(4)], [[2000], [old(9)]])
})

test('S2 claims 7, 21, 35: the structure is updated only for blocks that are still in image 1', () => {
  const { history, witness } = witnessed(
    ...preserved,
    write(2, onV2(10, 2)),
    zeroes(3, onV2(8, 6)),
    write(4, onV2(8, 6)),
  )
  const set = (request: number) => steps(witness.of(history, request, /table\.set/))
  assert.equal(set(3), [
    ['table.set', 8, 2],
    ['table.set', 12, 2],
  ])
  assert.equal(set(4), [])
})

test('S2 claims 8, 22, 36: an entry is created if there is none, once', () => {
  const { history, witness } = witnessed(...preserved, write(2, onV2(5, 3)), write(3, onV2(5, 3)))
  const set = witness.derived.filter(({ name }) => name === 'table.set')
  assert.equal(steps(set), [['table.set', 5, 3]])
  assert.equal(table(history), [5, 3])
  assert.equal(shown(history, v2, 4, 5), [old(4), 3000, 3008, 3016, old(8)])
})

test('S2 claims 9, 23, 37: a lock is acquired before the update and released after the store in image 2', () => {
  const { history, witness } = witnessed(...preserved, write(2, onV2(5, 3)))
  assert.equal(steps(witness.of(history, 2, locked)), [
    ['lock.acquired', 5, 3],
    ['table.set', 5, 3],
    ['image.stored', 5, 3],
    ['lock.released', 5, 3],
  ])
  assert.is(witness.of(history, 2, /image\.stored/)[0]?.volume, v2)
})

test('S2 claims 11, 25, 39: a read of the second volume goes block by block to the image the structure names', () => {
  const { history, witness } = witnessed(
    ...preserved,
    write(2, onV2(4)),
    zeroes(3, onV2(6, 2)),
    read(4, onV2(3, 6)),
  )
  const images = witness
    .of(history, 4, /image\.read/)
    .map(({ volume, block, blocks }) => [volume, block, blocks])
  assert.equal(images, [
    [1, 3, 1],
    [v2, 4, 1],
    [1, 5, 1],
    [v2, 6, 2],
    [1, 8, 1],
  ])
  assert.equal(witness.answers.get(4), [old(3), 2000, old(5), 0, 0, old(8)])
})

test('S2 claims 12, 26, 40: what the lookup table routes is what a full mirror would hold', () => {
  const { history, witness } = witnessed(...preserved)
  const random = new Prng(12)
  const first = [...Array(32).keys()].map(old)
  const second = [...first]
  for (let request = 2; request < 20_000; request++) {
    const at = random.below(30)
    const place = { at, count: 1 + random.below(32 - at), volume: 1 + random.below(2) }
    const image = place.volume === 1 ? first : second
    const asked = [read, write, read, zeroes][random.below(4)]!(request, place)
    history.enter(asked)
    if (asked.op === 'read') {
      assert.equal(witness.answers.get(request), image.slice(at, at + place.count), `read ${request}`)
      continue
    }
    for (let k = 0; k < place.count; k++) {
      const content = asked.op === 'write' ? request * 1000 + k * 8 : 0
      if (place.volume === 1) first[at + k] = content
      second[at + k] = content
    }
  }
})

test('S2 claims 13, 27, 41: a lock is acquired before it is decided where to read and released after reading', () => {
  const { history, witness } = witnessed(...preserved, write(2, onV2(4)), read(3, onV2(3, 2)))
  assert.equal(steps(witness.of(history, 3, locked)), [
    ['lock.acquired', 3, 2],
    ['image.read', 3, 1],
    ['image.read', 4, 1],
    ['lock.released', 3, 2],
  ])
  assert.ok(witness.of(history, 3, /lock\.acquired/)[0]?.shared, 'with other readers')
})

test('S2 claims 13, 27, 41: a read that races a write finds all of it or nothing of it', () => {
  const view = 3
  const race = (...order: readonly NewEvent[]) =>
    witnessed(...cloned, write(1, { count: 16 }), restore('p'), preserve('view'), ...order, copied).witness
  const over = { at: 2, count: 4 }
  const own = write(2, { at: 3, volume: view })
  const seen = read(3, { ...over, volume: view })
  assert.equal(race(own, seen, write(4, over)).answers.get(3), [0, 2000, 0, 0], 'the clone holds zeros')
  assert.equal(race(own, write(4, over), seen).answers.get(3), [4000, 4008, 4016, 4024])
})

test('S2 claims 44, 45, 46: a process of later finds on the second volume what one of before writes to the first', () => {
  const { history, witness } = witnessed(
    ...preserved,
    write(2, { at: 3, session: 1 }),
    read(3, onV2(3)),
    write(4, onV2(3)),
    write(5, { at: 3, session: 1 }),
    read(6, onV2(3)),
    read(7, onV2(20)),
  )
  assert.equal(
    [3, 6, 7].map((request) => witness.answers.get(request)),
    [[2000], [5000], [old(20)]],
  )
  assert.equal(shown(history, v2), shown(history, 1), 'the same data by either volume')
})

test.run()
