/** Clone pairs: the delta map, the copies of a sync and the writes that wait for them, in sync, fractured. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pairsOf } from '../../src/layers/pair-state.ts'
import {
  block,
  cloned,
  close,
  copied,
  copyEnds,
  copying,
  crash,
  failed,
  fracture,
  freed,
  given,
  lost,
  pair,
  passed,
  queued,
  read,
  refusal,
  refused,
  type Step,
  session,
  sync,
  volume,
  write,
  zeroes,
} from '../support/given.ts'
import type { History } from '../support/history.ts'

const test = suite('pair')

/** Volumes 1 to 3, all of them written on 1. */
const written: readonly Step[] = [
  volume('disk'),
  volume('clone'),
  volume('third'),
  session(),
  write(1, { count: 16 }),
]
const one = (history: History, tag = 1) => pairsOf(history.world).byTag.get(tag)!
const marked = (history: History, tag = 1) => one(history, tag).cdm.runs()

test('a new pair is fractured and marks the extents that differ', () => {
  const past = [...written.slice(0, 4), write(1, { at: 5 }), write(2, { at: 15, volume: 2 }), pair('p')]
  given(...past)
    .when(read(3))
    .and((history) => {
      assert.equal(marked(history), [1, 1, 3, 1])
      assert.is(one(history).phase, 'fractured')
    })
})

test('fractured, every write to either side marks its extents', () => {
  given(...written, pair('p'), sync('p'), copied, fracture('p'))
    .when(write(2, { at: 3, count: 2 }))
    .and((history) => assert.equal(marked(history), [0, 2]))
    .when(zeroes(3, { at: 15, volume: 2 }))
    .and((history) => assert.equal(marked(history), [0, 2, 3, 1]))
    .when(read(4, { at: 9 }))
    .and((history) => assert.equal(marked(history), [0, 2, 3, 1]))
})

test('a sync copies what differs, four at a time, and ends in sync', () => {
  given(...written, pair('p'))
    .when(sync('p'))
    .then(sync('p'), { kind: 'sync.started', tag: 1 }, ...[0, 1, 2, 3].map((e) => copying(2, e)))
    .when(copyEnds(2, 0), copyEnds(2, 3), copyEnds(2, 1), copyEnds(2, 2))
    .and((history) => {
      assert.is(one(history).phase, 'in-sync')
      assert.equal(history.places(2, 16), history.places(1, 16))
    })
})

test('while syncing, a write waits where a copy runs and nowhere else', () => {
  const past = [...written, pair('p', 1, 2, block), sync('p')]
  given(...past)
    .when(write(2, { at: 1 }))
    .then(queued(write(2, { at: 1 })))
    .when(read(3, { at: 1 }))
    .then(passed(read(3, { at: 1 })))
    .when(write(4, { at: 4 }))
    .then(passed(write(4, { at: 4 })))
    .and((history) => assert.is(history.place(2, 4), 0, 'marked: the source alone is written'))
    .when(write(5, { at: 1, count: 4 }))
    .then(queued(write(5, { at: 1, count: 4 })))
    .when(write(6, { at: 4 }))
    .then(queued(write(6, { at: 4 })))
    .when(copyEnds(2, 1, 'ok', 1))
    .and((history) => {
      assert.is(history.place(1, 1), 2000)
      assert.is(history.place(2, 1), 2000, 'copied: both are written')
    })
    .when(copied)
    .and((history) => {
      assert.is(history.place(1, 4), 6000)
      assert.equal(history.places(2, 16), history.places(1, 16))
    })
})

test('in sync, every write takes effect on the clone too', () => {
  given(...written, pair('p'), sync('p'), copied)
    .when(write(2, { at: 3, count: 2 }), zeroes(3, { at: 9 }))
    .and((history) => {
      assert.equal(
        [3, 4, 9].map((at) => history.place(2, at)),
        [2000, 2008, 0],
      )
      assert.equal(marked(history), [])
    })
})

test('a clone that follows its source is closed to hosts', () => {
  const now = given(...written, pair('p'), sync('p'))
  for (const asked of [write(2, { volume: 2 }), read(3, { volume: 2 })]) {
    now.when(asked).then(refused(asked, 'E_BUSY_SYNC'))
  }
  now.when(fracture('p'), write(4, { volume: 2 })).then(passed(write(4, { volume: 2 })))
})

test('a failed copy fails who waits for it, stays marked and is tried again', () => {
  const report = copyEnds(2, 1, 'E_IO')
  given(
    ...written,
    pair('p'),
    sync('p'),
    write(2, { at: 4 }),
    write(3, { at: 4, count: 5 }),
    write(4, { at: 8 }),
  )
    .when(report)
    .and((history) => {
      const events = history.ledger.from(history.world.seq - 3)
      assert.equal(
        events.map(({ kind, request, offset }) => [kind, request ?? 0, offset ?? 0]),
        [
          ['copy.report', 0, 4 * block],
          [failed(write(2)).kind, 2, 0],
          [failed(write(3)).kind, 3, 0],
          ['copy.started', 0, 4 * block],
        ],
      )
      assert.equal(history.place(1, 4), 1032)
    })
    .when(copied)
    .and((history) => assert.is(history.place(2, 8), 4000))
})

test('a fracture during a sync gives up the copies: what was not copied stays marked', () => {
  given(...written, pair('p'), sync('p'), copyEnds(2, 2), write(2, { at: 4 }))
    .when(fracture('p'))
    .then(fracture('p'), { kind: 'pair.fractured', tag: 1 }, freed(write(2, { at: 4 })))
    .and((history) => {
      assert.equal(marked(history), [0, 2, 3, 1])
      assert.equal(
        history.places(2, 16).map(Boolean),
        [...Array(16).keys()].map((at) => at >> 2 === 2),
      )
    })
})

test('a late report of a copy that was given up is refused and changes nothing', () => {
  given(...written, pair('p'), sync('p'))
    .when((history) => {
      const { about, ...late } = lateReport(history)
      history.enter(fracture('p'))
      history.enter({ ...late, about: about! })
    })
    .and((history) => {
      const [, last] = history.ledger.from(history.world.seq - 1)
      assert.is(last?.kind, 'command.refused')
      assert.is(last?.code, 'E_NOT_ACTIVE')
      assert.equal(history.places(2, 4), [0, 0, 0, 0])
      assert.equal(marked(history), [0, 4])
    })
})

function lateReport(history: History) {
  const [extent, about] = [...one(history).gate.running()][0]!
  return { kind: 'copy.report', tag: 1, volume: 2, offset: extent * 16_384, length: 16_384, about } as const
}

test('a report must be of the whole extent, of the pair and of a volume of it', () => {
  const now = given(...written, pair('p'), sync('p'))
  now.when((history) => {
    const good = lateReport(history)
    const wrong = [
      { ...good, length: 4096 },
      { ...good, offset: good.offset + 4096 },
      { ...good, volume: 1 },
      { ...good, volume: 3 },
      { ...good, about: good.about + 1 },
      { ...good, about: 0 },
    ]
    for (const report of wrong) {
      assert.is(history.enter(report)[1]?.code, 'E_NOT_ACTIVE', JSON.stringify(report))
      assert.equal(marked(history), [0, 4])
    }
    assert.is(history.enter({ ...good, tag: 9 })[1]?.code, 'E_NO_PAIR')
    assert.is(history.enter(good)[1]?.kind, undefined)
  })
})

test('two clones of one source: a write waits for the copies of both', () => {
  const past = [...written, pair('p'), pair('q', 1, 3, block), sync('p'), write(2, { at: 1, count: 4 })]
  given(...past)
    .when(sync('q'))
    .when(copyEnds(2, 0), copyEnds(2, 1))
    .and((history) => assert.is(history.place(1, 1), 1008, 'a copy to the other clone runs on it'))
    .when(write(3, { at: 4 }))
    .then(queued(write(3, { at: 4 })))
    .when(fracture('p'))
    .then(fracture('p'), { kind: 'pair.fractured', tag: 1 })
    .when(copied)
    .and((history) => {
      assert.equal(
        [1, 2, 3, 4].map((at) => history.place(1, at)),
        [2000, 2008, 2016, 3000],
      )
      assert.equal(history.places(3, 16), history.places(1, 16))
    })
})

test('a session that closes loses each queued write once, whatever it waits for', () => {
  given(...written, pair('p'), pair('q', 1, 3), sync('p'), sync('q'), write(2))
    .when(close())
    .then(close(), lost(write(2), 'E_SESSION_CLOSED'), { kind: 'session.closed', session: 1 })
})

test('a crash loses what waits and starts the copies anew', () => {
  const past = [...written, pair('p', 1, 2, block), sync('p'), copyEnds(2, 0, 'ok', 1), write(2, { at: 1 })]
  given(...past)
    .when(crash)
    .and((history) => {
      const running = [...one(history).gate.running()].map(([e]) => e)
      assert.equal(running, [1, 2, 3, 4])
    })
    .when(copied)
    .and((history) => {
      assert.is(one(history).phase, 'in-sync')
      assert.equal(history.places(2, 16), history.places(1, 16))
      assert.is(history.place(1, 1), 1008)
    })
})

test('pairs that cannot be are refused', () => {
  const now = given(...written, volume('small', 8), pair('p'))
  for (const [asked, code] of [
    [pair('p', 1, 3), 'E_ALREADY'],
    [pair('q', 1, 9), 'E_NO_VOLUME'],
    [pair('q', 3, 3), 'E_SIZE'],
    [pair('q', 3, 4), 'E_SIZE'],
    [pair('q', 1, 3, 2048), 'E_SIZE'],
    [pair('q', 1, 3, 12_288), 'E_SIZE'],
    [pair('q', 1, 3, 2 ** 27), 'E_SIZE'],
    [pair('q', 1, 2), 'E_STATE'],
    [pair('q', 2, 3), 'E_STATE'],
    [pair('q', 3, 1), 'E_STATE'],
    [pair('', 1, 3), 'E_NAME'],
    [sync('q'), 'E_NO_PAIR'],
    [fracture('p'), 'E_STATE'],
  ] as const) {
    now.when(asked).then(...refusal(asked, code))
  }
})

test('the last extent may be short', () => {
  const short = [volume('a', 6), volume('b', 6), session(), write(1, { at: 4, count: 2 }), pair('p')]
  given(...short, sync('p'))
    .when(copied)
    .and((history) => assert.equal(history.places(2, 6), [0, 0, 0, 0, 1000, 1008]))
    .when(write(2, { at: 5 }))
    .and((history) => assert.is(history.place(2, 5), 2000))
})

test('cloned: the past that other tests start from is fractured, and nothing is marked', () => {
  given(...cloned)
    .when(read(1))
    .and((history) => assert.equal([one(history).phase, marked(history)], ['fractured', []]))
})

test.run()
