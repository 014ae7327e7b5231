/** The rules of branches, without an engine: what is asked for, reported and ended, and what hosts get meanwhile. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { mapHashOf, maxUnfinished } from '../../src/layers/branch.ts'
import { branchesOf } from '../../src/layers/branch-state.ts'
import { loadWorld, saveWorld, stateHashText } from '../../src/volume/snapshot.ts'
import { remove } from '../support/asked.ts'
import { branch, ended, reported } from '../support/branching.ts'
import {
  backup,
  block,
  given,
  passed,
  preserve,
  read,
  refusal,
  refused,
  session,
  volume,
  write,
} from '../support/given.ts'
import type { History } from '../support/history.ts'

const test = suite('branch')

/** Volume 1 is written by events 5 and 6. */
const past = [volume('disk'), session(), write(1, { count: 16 }), write(2, { at: 3 })]
const asked = branch('old', 6)
/** The event that started the branch, volume 2, in these histories. */
const about = 8
const runs = [reported(2, about, 0, 4, 1000), reported(2, about, 8, 2, 5000)]

const hashOf = (history: History) => mapHashOf(history.world.volumes[1]!)
const finish = (history: History) => history.enter(ended(2, about, 2, hashOf(history)))

test('a branch is there at once, for nobody to use until it is finished', () => {
  given(...past)
    .when(asked)
    .then(asked, {
      kind: 'branch.started',
      volume: 2,
      detail: { name: 'old', from: 1, seq: 6, size: 16 * block, block },
    })
    .when(read(3, { volume: 2 }))
    .then(refused(read(3, { volume: 2 }), 'E_AGAIN'))
    .when(write(4, { volume: 2 }))
    .then(refused(write(4, { volume: 2 }), 'E_AGAIN'))
    .when(...runs, finish)
    .and(({ ledger, world }) => assert.is(ledger.from(world.seq)[0]!.kind, 'branch.finished'))
    .when(write(5, { volume: 2 }))
    .then(passed(write(5, { volume: 2 })))
    .and((history) => {
      assert.equal(
        [1, 3, 4, 8, 9, 10].map((at) => history.place(2, at)),
        [1008, 1024, 0, 5000, 5008, 0],
      )
      assert.is(history.place(1, 0), 1000, 'the source has none of it')
    })
})

test('no command may use it either, and its name is taken', () => {
  given(...past, asked)
    .when(preserve('view', 2))
    .then(...refusal(preserve('view', 2), 'E_NO_VOLUME'))
    .when(backup('b', [2]))
    .then(...refusal(backup('b', [2]), 'E_NO_VOLUME'))
    .when(remove(2))
    .then(...refusal(remove(2), 'E_NO_VOLUME'))
    .when(volume('old'))
    .then(...refusal(volume('old'), 'E_ALREADY'))
    .when(asked)
    .then(...refusal(asked, 'E_ALREADY'))
})

test('what cannot be a branch is refused', () => {
  const wrong = [
    [branch('no name', 6), 'E_NAME'],
    [branch('b', 6, { from: 2 }), 'E_NO_VOLUME'],
    [branch('b', 8), 'E_RANGE'],
    [branch('b', 6, { blocks: 0 }), 'E_SIZE'],
    [branch('b', 6, { blocks: 1.125 }), 'E_SIZE'],
    [branch('b', 6, { blocks: 2 ** 40 }), 'E_SIZE'],
  ] as const
  for (const [input, code] of wrong)
    given(...past)
      .when(input)
      .then(...refusal(input, code))
})

test('only the run that comes next is taken', () => {
  const wrong = [
    reported(2, about - 1, 9, 1, 7000),
    reported(1, about, 9, 1, 7000),
    reported(2, about, 2, 1, 7000),
    reported(2, about, 9, 8, 7000),
    reported(2, about, 9, 0, 7000),
    reported(2, about, 9, 1, 0),
    { ...reported(2, about, 9, 1, 7000), offset: 9 * block + 512 },
  ]
  for (const input of wrong) {
    given(...past, asked, runs[0]!)
      .when(input)
      .and(({ ledger, world }) => {
        assert.is(ledger.from(world.seq)[0]!.kind, 'command.refused')
        assert.equal([branchesOf(world).byVolume.get(2)!.next, world.volumes[1]!.map.mapped], [4 * block, 4])
      })
  }
})

test('a branch whose map is not what its end says, or whose moment cannot be read, is no more', () => {
  const ends = [
    [ended(2, about, 2, '0000000000000000'), 'E_IO'],
    [{ ...ended(2, about, 0, ''), code: 'E_NO_VOLUME' as const }, 'E_NO_VOLUME'],
  ] as const
  for (const [input, code] of ends) {
    given(...past, asked, ...runs)
      .when(input)
      .then(input, { kind: 'branch.failed', volume: 2, code })
      .when(read(3, { volume: 2 }))
      .then(refused(read(3, { volume: 2 }), 'E_NO_VOLUME'))
      .when(input)
      .then(...refusal(input, 'E_NOT_ACTIVE'))
      .when(branch('old', 6))
      .and(({ world }) => assert.is(branchesOf(world).byVolume.size, 1))
  }
})

test('only so many are in the making at once', () => {
  const many = Array.from({ length: maxUnfinished }, (_, k) => branch(`b${k}`, 6))
  given(...past, ...many)
    .when(branch('more', 6))
    .then(...refusal(branch('more', 6), 'E_BOUND'))
})

test('a state with branches is saved and loaded, whole ones and others', () => {
  given(...past, asked, ...runs, finish, branch('other', 7), reported(3, 14, 1, 2, 1008)).and(({ world }) => {
    assert.equal(
      [...branchesOf(world).byVolume.values()].map(({ runs: k }) => k),
      [2, 1],
    )
    const again = loadWorld(saveWorld(world))
    assert.is(stateHashText(again), stateHashText(world))
    assert.equal(branchesOf(again), branchesOf(world))
    assert.is(again.volumes[2]!.unfinished, true)
  })
})

test('the source may go; its branch stays', () => {
  given(...past, asked, ...runs, finish)
    .when(remove(1))
    .then(remove(1), { kind: 'volume.deleted', volume: 1 })
    .when(branch('again', 6))
    .and(({ world }) => assert.equal([...branchesOf(world).byVolume.keys()], [2, 3]))
    .when(remove(2))
    .and(({ world }) => assert.equal([...branchesOf(world).byVolume.keys()], [3]))
})

test.run()
