/**
 * The claims of seed S4, the protected restore: one test for each row of requirements, with the clone inside the
 * recorder and with the clone outside.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Prng } from '../../src/core/prng.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import { cloneKinds, copiesOf, deltaOf, runOf, startOf } from '../support/clone-kind.ts'
import { copied, copyEnds, given, passed, read, refused, restore, write } from '../support/given.ts'
import { reportsOf } from '../support/history.ts'

const test = suite('S4 claims')

for (const { name, past, at: old } of cloneKinds) {
  const changed = past(64, 40)
  const restoring = [...changed, restore('p')]
  const claims = (numbers: string, what: string, body: () => void) =>
    test(`S4 claims ${numbers}, clone ${name}: ${what}`, body)

  claims('1, 8, 15', 'hosts read and write the source meanwhile, the clone is not overwritten', () => {
    given(...restoring).and((history) => {
      const clone = history.places(2, 64)
      const random = new Prng(1)
      let through = 0
      for (let k = 10; restoresOf(history.world).byTag.size > 0; k++) {
        const place = { at: random.below(60), count: 1 + random.below(4) }
        const [io] = history.enter(k % 2 === 0 ? read(k, place) : write(k, place))
        assert.is.not(io?.fate, 'refused')
        if (io?.fate === 'passed') through++
        const copy = reportsOf(history.world)[0]
        if (k % 3 === 0 && copy !== undefined) history.enter(copy)
        if (k % 100 === 0) assert.equal(history.places(2, 64), clone)
      }
      assert.ok(through > 5)
      assert.equal(history.places(2, 64), clone)
    })
  })

  claims('2, 9, 16', 'the source is a logical unit, during the restore and after', () => {
    given(...restoring)
      .when(read(3, { at: 50 }))
      .then(passed(read(3, { at: 50 })))
      .when(copied, write(4))
      .and((history) => assert.equal([history.place(1, 0), history.place(1, 1)], [4000, old(1)]))
  })

  claims(
    '3, 5, 10, 12, 17, 19',
    'the protected map tracks the extents of the source that hosts changed',
    () => {
      given(...restoring, write(3, { at: 41 }), write(4, { at: 55, count: 3 }), read(5, { at: 45 }))
        .and((history) => assert.equal(runOf(history).prm.runs(), [10, 1, 13, 2]))
        .when(write(6, { at: 3, count: 2 }), copyEnds(1, 0), copyEnds(1, 1))
        .and((history) => assert.equal(runOf(history).prm.runs(), [0, 2, 10, 1, 13, 2]))
    },
  )

  claims('4, 11, 18', 'the clone delta map tracks what may differ', () => {
    given(...changed, write(3, { at: 60 })).and((history) => {
      assert.equal(deltaOf(history).runs(), [0, 10, 15, 1])
    })
  })

  claims('6, 13, 20', 'only extents that differ are copied', () => {
    given(...restoring, copied).and((history) =>
      assert.equal(copiesOf(history, startOf(history)), [...Array(10).keys()]),
    )
  })

  claims('7, 14, 21', 'copied is what the delta map marks and the protected map does not', () => {
    given(...restoring, write(3, { at: 32, count: 4 }), copied).and((history) => {
      assert.equal(copiesOf(history, startOf(history)), [0, 1, 2, 3, 4, 5, 6, 7, 9])
      assert.is(history.place(1, 32), 3000)
    })
  })

  claims('7, 14, 21', 'the protected map becomes the delta map, a second restore copies exactly that', () => {
    given(...restoring, write(3, { at: 32, count: 4 }), write(4, { at: 50 }), copied).and((history) => {
      assert.equal(deltaOf(history).runs(), [8, 1, 12, 1])
      history.enter(restore('p'))
      copied(history)
      assert.equal(copiesOf(history, startOf(history)), [8, 12])
      assert.equal(history.places(1, 64), [...Array(64).keys()].map(old), 'the same content as before')
      assert.equal(deltaOf(history).runs(), [])
    })
  })
}

const inside = [...cloneKinds[0]!.past(64, 40), restore('p')]

test('S4 claims 1, 8, 15: a write to the clone is refused, a read of it is not', () => {
  const wrong = write(3, { volume: 2 })
  given(...inside)
    .when(wrong)
    .then(refused(wrong, 'E_CLONE_PROTECTED'))
    .when(read(4, { volume: 2 }))
    .then(passed(read(4, { volume: 2 })))
})

test('S4 claims 2, 9, 16: the clone is a logical unit that hosts use by itself', () => {
  given(...inside, copied)
    .when(write(3, { volume: 2 }), write(4))
    .and((history) => assert.equal([history.place(1, 0), history.place(2, 0)], [4000, 3000]))
})

test('S4 claims 4, 11, 18: what is written on the clone differs too', () => {
  given(...inside, copied, write(3, { at: 60, volume: 2 })).and((history) => {
    assert.equal(deltaOf(history).runs(), [15, 1])
  })
})

test.run()
