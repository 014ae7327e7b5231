/** The protected restore, cell by cell of the table of bit states, and its life. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import {
  copied,
  copyEnds,
  copying,
  discard,
  flush,
  fracture,
  freed,
  given,
  pair,
  passed,
  queued,
  read,
  refused,
  restore,
  type Step,
  session,
  sync,
  volume,
  write,
  zeroes,
} from '../support/given.ts'
import type { History } from '../support/history.ts'

const test = suite('restore')

/** A clone of the old content; the source is written anew in the extents 0, 1, 4, 5, 6 and 7 of 8. */
const changed: readonly Step[] = [
  volume('disk', 32),
  volume('clone', 32),
  volume('third', 32),
  session(),
  write(1, { count: 32 }),
  pair('p'),
  sync('p'),
  copied,
  fracture('p'),
  write(2, { count: 8 }),
  write(3, { at: 16, count: 16 }),
]
const restoring: readonly Step[] = [...changed, restore('p')]
/** What the clone holds at a block. */
const old = (at: number) => 1000 + at * 8
const run = (history: History) => restoresOf(history.world).byTag.get(1)!
const cdm = (history: History) => pairsOf(history.world).byTag.get(1)!.cdm.runs()

test('the start is on record with what differs, and four copies begin', () => {
  given(...changed)
    .when(restore('p'))
    .then(restore('p'), { kind: 'restore.started', tag: 1 }, ...[0, 1, 4, 5].map((e) => copying(1, e)))
    .and((history) => {
      const started = history.ledger.from(1).find(({ kind }) => kind === 'restore.started')
      assert.equal([started?.detail?.cdmCount, started?.detail?.protected], [6, true])
    })
})

test('it copies what differs and nothing else, and the source is the clone', () => {
  given(...restoring)
    .when(copied)
    .and((history) => {
      assert.equal(history.places(1, 32), history.places(2, 32))
      assert.equal(history.places(1, 32), [...Array(32).keys()].map(old))
      const copies = history.ledger
        .from(1)
        .filter(({ kind, volume }) => kind === 'copy.started' && volume === 1)
      assert.equal(
        copies.map(({ offset }) => (offset ?? 0) / 16_384),
        [0, 1, 4, 5, 6, 7],
      )
      assert.is(restoresOf(history.world).byTag.size, 0)
      assert.equal(cdm(history), [])
    })
})

test('with nothing different it is complete at once', () => {
  given(...changed.slice(0, 9))
    .when(restore('p'))
    .then(restore('p'), { kind: 'restore.started', tag: 1 }, { kind: 'restore.completed', tag: 1 })
})

test('equal extent (0 0 0): everything goes', () => {
  const now = given(...restoring)
  for (const asked of [read(4, { at: 8 }), write(5, { at: 8 }), write(6, { at: 8, count: 4 })]) {
    now.when(asked).then(passed(asked))
  }
  now.and((history) => assert.equal(run(history).prm.runs(), [2, 1]))
})

test('still to copy (1 0 0): a read asks for its copy and waits', () => {
  const asked = read(4, { at: 25 })
  given(...restoring)
    .when(asked)
    .then(queued(asked), { ...copying(1, 6), flags: 8 })
    .when(copyEnds(1, 6))
    .and((history) => {
      const released = history.ledger.from(1).find(({ kind }) => kind === 'cod.released')
      assert.is(released?.request, 4)
      assert.is(history.place(1, 25), old(25))
    })
})

test('still to copy: a partial write asks for its copy and lands on it', () => {
  const asked = write(4, { at: 25 })
  given(...restoring)
    .when(asked)
    .then(queued(asked), copying(1, 6))
    .when(copyEnds(1, 6))
    .and((history) => {
      assert.equal(
        [24, 25, 26].map((at) => history.place(1, at)),
        [old(24), 4000, old(26)],
      )
      assert.equal(run(history).prm.runs(), [6, 1])
    })
})

test('still to copy: a write of the whole extent goes, and its copy never starts', () => {
  const asked = write(4, { at: 24, count: 4 })
  given(...restoring)
    .when(asked)
    .then(passed(asked))
    .and((history) =>
      assert.equal(
        [cdm(history), run(history).prm.runs()],
        [
          [0, 2, 4, 4],
          [6, 1],
        ],
      ),
    )
    .when(copied)
    .and((history) => {
      assert.equal(
        [23, 24, 27, 28].map((at) => history.place(1, at)),
        [old(23), 4000, 4024, old(28)],
      )
      const copies = history.ledger
        .from(1)
        .filter(({ kind, volume }) => kind === 'copy.started' && volume === 1)
      assert.is(copies.length, 5)
      assert.equal(cdm(history), [6, 1], 'the clone differs where the host wrote')
    })
})

test('being copied (1 0 1): everything waits, a whole write too', () => {
  const whole = zeroes(5, { at: 0, count: 4 })
  given(...restoring)
    .when(read(4))
    .then(queued(read(4)))
    .when(whole)
    .then(queued(whole))
    .when(read(6, { at: 3 }))
    .then(queued(read(6, { at: 3 })))
    .when(copyEnds(1, 0))
    .and((history) => {
      const events = history.ledger.from(history.world.seq - 3).slice(0, 3)
      const order = events.map(({ kind, request }) => [kind, request])
      assert.equal(
        order,
        [freed(read(4)), freed(whole), freed(read(6))].map(({ kind, request }) => [kind, request]),
      )
      assert.equal(history.places(1, 5), [0, 0, 0, 0, 2032])
    })
})

test('being copied: a whole write waits with nobody before it, and lands over the copy', () => {
  const whole = write(5, { at: 4, count: 4 })
  given(...restoring)
    .when(whole)
    .then(queued(whole))
    .when(copyEnds(1, 1))
    .and((history) => assert.equal(history.places(1, 8).slice(4), [5000, 5008, 5016, 5024]))
})

test('written by a host (x 1 0): everything goes', () => {
  const now = given(...restoring, write(4, { at: 24, count: 4 }), write(5, { at: 8 }))
  for (const asked of [read(6, { at: 24 }), write(7, { at: 25 }), read(8, { at: 8 }), write(9, { at: 9 })]) {
    now.when(asked).then(passed(asked))
  }
})

test('a request over several extents waits only for those that need it', () => {
  const asked = write(4, { at: 5, count: 22 })
  given(...restoring)
    .when(asked)
    .then(queued(asked), copying(1, 6))
    .when(copyEnds(1, 6), copyEnds(1, 5), copyEnds(1, 4))
    .and((history) => assert.is(history.place(1, 5), 2040, 'extent 1 is still being copied'))
    .when(copyEnds(1, 1))
    .and((history) => {
      assert.equal(
        [4, 5, 26, 27].map((at) => history.place(1, at)),
        [old(4), 4000, 4168, old(27)],
      )
    })
})

test('nobody waits for another: a request with nothing to wait for goes past those that do', () => {
  given(...restoring, read(4), read(5, { at: 4 }))
    .when(read(6, { at: 12 }))
    .then(passed(read(6, { at: 12 })))
    .when(write(7, { at: 8 }))
    .then(passed(write(7, { at: 8 })))
})

test('a request that overlaps an older one in the queue waits behind it', () => {
  const wide = write(4, { at: 3, count: 6 })
  given(...restoring, wide)
    .when(read(5, { at: 8 }))
    .then(queued(read(5, { at: 8 })))
    .when(copyEnds(1, 0))
    .when(copyEnds(1, 1))
    .and((history) => {
      const order = history.ledger.from(1).filter(({ kind }) => kind === 'cod.released')
      assert.equal(
        order.map(({ request }) => request),
        [4, 5],
      )
    })
})

test('a flush never waits', () => {
  given(...restoring, write(4))
    .when(flush(5))
    .then(passed(flush(5)))
})

test('a discard of a whole extent is a write of zeros', () => {
  given(...restoring)
    .when(discard(4, { at: 24, count: 4 }))
    .then(passed(discard(4, { at: 24, count: 4 })))
    .when(copied)
    .and((history) =>
      assert.equal(
        [24, 27, 28].map((at) => history.place(1, at)),
        [0, 0, old(28)],
      ),
    )
})

test('the clone may be read and not written', () => {
  given(...restoring)
    .when(read(4, { volume: 2 }))
    .then(passed(read(4, { volume: 2 })))
    .when(write(5, { volume: 2 }))
    .then(refused(write(5, { volume: 2 }), 'E_CLONE_PROTECTED'))
    .when(copied, write(6, { volume: 2 }))
    .then(passed(write(6, { volume: 2 })))
})

test.run()
