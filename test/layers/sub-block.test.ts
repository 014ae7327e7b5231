/**
 * Changes of parts of blocks at the gates: which bytes they cover, what waits for what, and which row names the merged
 * blocks.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockMap } from '../../src/core/block-map.ts'
import type { Event, NewEvent } from '../../src/events/columns.ts'
import { flag } from '../../src/events/kind.ts'
import { edgesOf, isWhole, mergedBytes, putIn, touchedBlocks } from '../../src/layers/sub-block.ts'
import { outsidePair } from '../support/asked.ts'
import {
  backup,
  block,
  breaks,
  cloned,
  copied,
  copyEnds,
  copying,
  given,
  held,
  pair,
  passed,
  preserve,
  queued,
  read,
  refused,
  released,
  restore,
  type Step,
  session,
  stop,
  volume,
  write,
  zeroes,
} from '../support/given.ts'
import { mergedPlace, outside } from '../support/history.ts'
import { Ledger } from '../support/ledger.ts'
import { shown } from '../support/witness.ts'

const test = suite('sub-block changes')

/** A request moved into its blocks by so many bytes at the front, and shortened to `length`. */
const part = (asked: NewEvent, skip: number, length: number): NewEvent => ({
  ...asked,
  offset: asked.offset! + skip,
  length,
})
/** As recorded where it takes effect: some place of merged blocks. */
const merged = (event: NewEvent): NewEvent => {
  const { payload: _, ...rest } = event
  return rest
}

test('the edges of a range are the blocks that it covers in part', () => {
  const edges: readonly (readonly [number, number, readonly number[]])[] = [
    [0, 4096, []],
    [4096, 8192, []],
    [1, 4095, [0]],
    [0, 4095, [0]],
    [100, 10, [0]],
    [4095, 2, [0, 1]],
    [100, 4096, [0, 1]],
    [0, 4097, [1]],
    [4000, 12_000, [0, 3]],
    [4096, 12_000, [3]],
  ]
  for (const [offset, length, found] of edges) {
    const range = { offset, length }
    assert.equal(edgesOf(range, block), found, JSON.stringify(range))
    assert.is(isWhole(range, block), found.length === 0)
    assert.is(mergedBytes({ op: 'zeroes', ...range }, block), found.length * block)
    const touched = touchedBlocks(range, block)
    assert.is(mergedBytes({ op: 'write', ...range }, block), touched.length)
    assert.ok(touched.offset <= offset && touched.offset + touched.length >= offset + length)
    assert.ok(isWhole(touched, block) && touched.length < length + 2 * block)
  }
})

test('zeros take effect as zeros between their edges, and whole blocks of zeros name no payload', () => {
  const map = new BlockMap(8)
  map.write(0, 8, 1000)
  putIn(map, zeroed(4000, 12_000, 7000), block)
  assert.equal(
    [0, 1, 2, 3, 4].map((at) => map.get(at)),
    [7000, 0, 0, 7008, 1032],
  )
  putIn(map, zeroed(16_384 + 5, 9, 0), block)
  assert.is(map.get(4), 0, 'edges that are all zeros take no place')
  breaks('G-I2', () => putIn(map, zeroed(4096, 4096, 7000), block))
})

function zeroed(offset: number, length: number, payload: number): Event {
  const ledger = new Ledger()
  return ledger.put({ kind: 'io.zeroes', op: 'zeroes', fate: 'passed', offset, length, payload })
}

test('held bytes are the host’s, the release names what they were merged into', () => {
  const [one, two] = [part(write(2), 0, 10), part(write(3), 10, 10)]
  given(volume('disk'), session(), write(1), backup('b'))
    .when(one)
    .then(held(one))
    .when(two)
    .then(held(two))
    .and((history) => assert.is(history.place(1, 0), 1000))
    .when(stop('b'))
    .and((history) => {
      const releases = history.ledger.from(1).filter(({ kind }) => kind === 'hold.released')
      assert.equal(
        releases.map(({ payload, offset = 0, length }) => [payload, offset, length]),
        [
          [mergedPlace(releases[0]!.seq), 0, 10],
          [mergedPlace(releases[1]!.seq), 10, 10],
        ],
      )
      assert.is(history.place(1, 0), mergedPlace(releases[1]!.seq))
    })
})

test('a release of part of a block that names another range breaks G-I2', () => {
  const odd = part(write(2), 5, 10)
  given(volume('disk'), session(), write(1), backup('b'), odd, stopping).and((history) => {
    const about = history.ledger.from(1).find(({ request }) => request === 2)!.seq
    const release = { ...released({ ...odd, about, payload: 77 }) }
    breaks('G-I2', () => history.plant({ ...release, length: 11 }))
  })
})

const stopping: Step = (history) => {
  history.plant({ kind: 'backup.stop', detail: { name: 'b' } }, { kind: 'backup.stopping', tag: 1 })
}

test('an extent counts as covered only when bytes cover it whole', () => {
  const past = [volume('disk', 40), volume('clone', 40), session(), pair('p'), write(1, { count: 40 })]
  const extent = 4 * block
  const short = part(write(2, { at: 16, count: 4 }), 0, extent - 1)
  const late = part(write(3, { at: 20, count: 4 }), 1, extent - 1)
  const whole = part(write(4, { at: 24 }), 0, extent)
  const over = part(write(5, { at: 31, count: 6 }), 5, 6 * block - 10)
  given(...past, restore('p'))
    .when(short)
    .then(queued(short), demanded(4))
    .when(late)
    .then(queued(late), demanded(5))
    .when(whole)
    .then(passed(whole))
    .when(over)
    .then(queued(over), demanded(7), demanded(9))
    .when(copyEnds(1, 7), copyEnds(1, 9))
    .and(({ ledger }) => assert.equal(freedIn(ledger.from(1)), [5], 'extent 8 is covered whole'))
})

const demanded = (e: number) => ({ ...copying(1, e), flags: flag.demand })

function freedIn(events: readonly NewEvent[]): (number | undefined)[] {
  return events.filter(({ kind }) => kind === 'cod.released').map(({ request }) => request)
}

const viewed: readonly Step[] = [...cloned, write(1, { count: 16 }), restore('p'), preserve('view')]
const on = (at: number, count = 1) => ({ volume: 3, at, count })

test('a change of part of a block that a view shows of its base waits for the copy; whole blocks do not', () => {
  const odd = part(write(2, on(4, 2)), 100, block)
  given(...viewed)
    .when(odd)
    .then(queued(odd))
    .when(write(3, on(8, 4)))
    .then(passed(write(3, on(8, 4))))
    .when(copyEnds(1, 1))
    .and(({ ledger }) => assert.equal(freedIn(ledger.from(1)), [2]))
    .when(part(write(4, on(8)), 100, 7))
    .then(passed(merged(part(write(4, on(8)), 100, 7))))
})

test('it demands the copies of its edges, and of no other extent', () => {
  const odd = part(zeroes(2, on(3, 6)), 100, 5 * block)
  const past: readonly Step[] = [volume('disk'), volume('clone'), session(), outsidePair('p', 1, 16, 1)]
  given(...past, restore('p'), preserve('view', 1))
    .when(odd)
    .then(queued(odd), { ...copying(1, 8, 1), flags: flag.demand })
    .when(copied)
    .and((history) => {
      assert.equal(freedIn(history.ledger.from(1)), [2])
      const { seq } = history.ledger.from(1).find(({ kind }) => kind === 'cod.released')!
      const own = seq % 2 === 0 ? [mergedPlace(seq), mergedPlace(seq) + 8] : [0, 0]
      assert.equal(shown(history, 3, 2, 8), [outside(2), own[0], 0, 0, 0, 0, own[1], outside(9)])
    })
})

test('changes of a view keep their order, and those of its base do not hold them up', () => {
  const odd = part(write(2, on(4)), 100, 50)
  const base = part(write(3, { at: 5 }), 100, 50)
  given(...viewed)
    .when(odd)
    .then(queued(odd))
    .when(base)
    .then(queued(base))
    .when(write(4, on(4)))
    .then(queued(write(4, on(4))))
    .when(part(write(5, on(4)), 150, 7))
    .then(queued(part(write(5, on(4)), 150, 7)))
    .when(write(6, on(5)))
    .then(passed(write(6, on(5))))
    .when(copyEnds(1, 1))
    .and((history) => {
      assert.equal(freedIn(history.ledger.from(1)), [2, 3, 4, 5])
      assert.ok(shown(history, 3, 4, 1)[0]! >= mergedPlace(0))
    })
})

test('a change of part of a block of a view that passes during the copy of its base breaks S3-I3', () => {
  given(...viewed).and((history) => {
    breaks('S3-I3', () => history.plant(passed(part(write(2, on(13)), 100, 50))))
  })
})

test('of a clone outside nothing is merged before it came', () => {
  const past: readonly Step[] = [volume('disk'), volume('other'), session(), outsidePair('p', 1, 16, 4)]
  const odd = part(write(1, { volume: 3, at: 2 }), 1, 2)
  given(...past, restore('p'), preserve('view'))
    .when(odd)
    .then(queued(odd))
    .when(read(2, { volume: 3, at: 2 }))
    .then(queued(read(2, { volume: 3, at: 2 })))
    .when(copyEnds(1, 0))
    .and(({ ledger }) => assert.equal(freedIn(ledger.from(1)), [1, 2]))
})

test('room in a view with a bound is kept for the changes of it that wait', () => {
  const bounded = { ...preserve('view'), detail: { name: 'view', base: 1, maxBytes: 2 * block } }
  const odd = part(write(2, on(4)), 100, 50)
  given(...cloned, write(1, { count: 16 }), restore('p'), bounded)
    .when(odd)
    .then(queued(odd))
    .when(write(3, on(8)))
    .then(passed(write(3, on(8))))
    .when(write(4, on(9)))
    .then(refused(write(4, on(9)), 'E_NOSPC'))
    .when(copyEnds(1, 1))
    .and(({ ledger }) => assert.equal(freedIn(ledger.from(1)), [2]))
})

test('what leaves the volume or has no length is refused still', () => {
  given(volume('disk'), session())
    .when(part(write(1, { at: 15 }), 100, block))
    .then(refused(part(write(1, { at: 15 }), 100, block), 'E_RANGE'))
    .when(part(zeroes(2), 100, 0))
    .then(refused(part(zeroes(2), 100, 0), 'E_RANGE'))
})

test.run()
