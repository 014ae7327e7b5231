/**
 * The claims of seed S3, restore with copy on demand: one test for each row of requirements, with the clone inside the
 * recorder and with the clone outside.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Prng } from '../../src/core/prng.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import { checked } from '../support/checked.ts'
import { cloneKinds, copiesOf, deltaOf, runOf, startOf } from '../support/clone-kind.ts'
import {
  copied,
  copyEnds,
  copying,
  crash,
  freed,
  given,
  passed,
  queued,
  read,
  restore,
  type Step,
  write,
} from '../support/given.ts'
import { History, reportsOf, revived } from '../support/history.ts'

const test = suite('S3 claims')

function lived(steps: readonly Step[], history = new History()): History {
  for (const step of steps) typeof step === 'function' ? step(history) : history.enter(step)
  return history
}

for (const { name, past, at: old } of cloneKinds) {
  /** 32 blocks in 8 extents; the source was written anew in the extents 0 to 5. */
  const changed = past(32, 24)
  const restoring = [...changed, restore('p')]
  const claims = (numbers: string, what: string, body: () => void) =>
    test(`S3 claims ${numbers}, clone ${name}: ${what}`, body)

  claims('1, 23, 45', 'a request on data being restored is queued, what it needs is copied, it goes', () => {
    const asked = read(3, { at: 21 })
    given(...restoring)
      .when(asked)
      .then(queued(asked), { ...copying(1, 5), flags: 8 })
      .when(copyEnds(1, 5))
      .and((history) => {
        const [report, released] = history.ledger.from(history.world.seq - 1)
        assert.is(report?.kind, 'copy.report')
        assert.equal([released?.kind, released?.request], [freed(asked).kind, 3])
        assert.is(history.place(1, 21), old(21))
      })
  })

  claims('1, 23, 45', 'whatever hosts do meanwhile, they find the clone overlaid by their own writes', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const check = checked()
      const history = lived(restoring, new History(check))
      const random = new Prng(seed)
      for (let k = 10; k < 70; k++) {
        const at = random.below(32)
        const place = { at, count: 1 + random.below(Math.min(6, 32 - at)) }
        const reports = reportsOf(history.world)
        if (reports.length > 0 && random.below(3) === 0) history.enter(reports[random.below(reports.length)]!)
        else history.enter(random.below(2) === 0 ? read(k, place) : write(k, place))
      }
      copied(history)
      history.end()
      assert.equal(check.findings, [])
      assert.is(restoresOf(history.world).byTag.size, 0)
    }
  })

  claims('2, 24, 46', 'the clone is preserved: a second restore brings back what the first did', () => {
    given(...restoring).and((history) => {
      const before = history.places(2, 32)
      for (let k = 3; k < 40; k++) {
        history.enter(write(k, { at: k % 31, count: 1 + (k % 2) }))
        for (const report of reportsOf(history.world).slice(0, 1)) history.enter(report)
        assert.equal(history.places(2, 32), before)
      }
      copied(history)
      lived([restore('p'), copied], history)
      assert.equal(history.places(1, 32), [...Array(32).keys()].map(old))
    })
  })

  claims(
    '3, 4, 25, 26',
    'the copy-on-demand map keeps both copiers apart, and requests off what it marks',
    () => {
      given(...restoring)
        .when(read(3, { at: 1 }))
        .then(queued(read(3, { at: 1 })))
        .and((history) => {
          assert.equal(runOf(history).gate.copying.runs(), [0, 4], 'the copy that runs is not started again')
        })
        .when(write(4, { at: 20 }))
        .then(queued(write(4, { at: 20 })), copying(1, 5))
        .and((history) => assert.equal(runOf(history).gate.copying.runs(), [0, 4, 5, 1]))
        .when(copied)
        .and((history) => assert.equal(copiesOf(history, startOf(history)).sort(), [0, 1, 2, 3, 4, 5]))
    },
  )

  claims('5, 6, 8, 27, 28, 30', 'the protected restore map is the set of extents that hosts wrote', () => {
    given(
      ...[...restoring, write(3, { at: 26 }), read(4, { at: 28 }), write(5, { at: 16, count: 4 })],
      write(6, { at: 1 }),
    )
      .and((history) => assert.equal(runOf(history).prm.runs(), [4, 1, 6, 1], 'queued is not done'))
      .when(copyEnds(1, 0))
      .and((history) => assert.equal(runOf(history).prm.runs(), [0, 1, 4, 1, 6, 1]))
  })

  claims('7, 9, 29, 31', 'both maps together steer copying', () => {
    const whole = write(3, { at: 16, count: 4 })
    given(...restoring)
      .when(whole)
      .then(passed(whole))
      .when(write(4, { at: 0, count: 4 }))
      .then(queued(write(4, { at: 0, count: 4 })))
      .when(copied)
      .and((history) => {
        const copies = copiesOf(history, startOf(history))
        assert.not(copies.includes(4), 'nothing is copied over what a host wrote')
        const found = [0, 3, 4, 16, 19].map((at) => history.place(1, at))
        assert.equal(found, [4000, 4024, old(4), 3000, 3024])
      })
  })

  claims('10, 13, 16, 32, 35, 38', 'the clone delta map marks every extent that may differ', () => {
    const history = lived(changed)
    const random = new Prng(10)
    for (let k = 3; k < 200; k++) {
      const at = random.below(32)
      const written = name === 'inside' ? 1 + random.below(2) : 1
      history.enter(write(k, { at, volume: written, count: 1 + random.below(Math.min(5, 32 - at)) }))
      for (let block = 0; block < 32; block++) {
        const clone = name === 'inside' ? history.place(2, block) : old(block)
        const e = Math.floor(block / 4)
        if (history.place(1, block) !== clone) assert.ok(deltaOf(history).get(e), `extent ${e}, write ${k}`)
      }
    }
  })

  claims('11, 14, 17, 33, 36, 39', 'only extents that differ are copied', () => {
    given(...restoring, copied).and((history) =>
      assert.equal(copiesOf(history, startOf(history)), [0, 1, 2, 3, 4, 5]),
    )
    const few = [...past(32, 1), write(3, { at: 9 }), write(4, { at: 30 }), restore('p')]
    given(...few, copied).and((history) => assert.equal(copiesOf(history, startOf(history)), [0, 2, 7]))
  })

  claims('12, 15, 18, 34, 37, 40', 'a write of a whole extent needs no copy, and the maps become one', () => {
    const whole = write(3, { at: 16, count: 8 })
    given(...restoring)
      .when(whole)
      .then(passed(whole))
      .when(copied)
      .and((history) => {
        assert.equal(copiesOf(history, startOf(history)), [0, 1, 2, 3])
        assert.equal(deltaOf(history).runs(), [4, 2], 'what the host wrote is what differs now')
      })
  })

  claims('19, 41', 'the clone delta map survives a kill, and the restore goes on with what is left', () => {
    given(...restoring, copyEnds(1, 0), copyEnds(1, 2), write(3, { at: 12 })).and((before) => {
      const history = revived(before)
      assert.equal(deltaOf(history).runs(), deltaOf(before).runs())
      crash(history)
      const resumed = history.ledger.from(before.world.seq + 1).find(({ kind }) => kind === 'restore.resumed')
      assert.is(resumed?.detail?.count, 4)
      copied(history)
      assert.equal(history.places(1, 32), [...Array(32).keys()].map(old))
    })
  })

  claims('20, 42', 'the protected restore map survives a kill, and what it marks is not copied over', () => {
    given(...restoring, write(3, { at: 16, count: 4 }), copyEnds(1, 1), write(4, { at: 5 })).and((before) => {
      const history = revived(before)
      assert.equal(runOf(history).prm.runs(), [1, 1, 4, 1])
      crash(history)
      copied(history)
      const found = [4, 5, 16, 19].map((at) => history.place(1, at))
      assert.equal(found, [old(4), 4000, 3000, 3024])
    })
  })
}

test('S3 claims 21, 22, 43, 44: source and clone are logical units that hosts use by themselves', () => {
  const { past } = cloneKinds[0]!
  given(...past(32, 24))
    .when(read(3, { volume: 2 }))
    .then(passed(read(3, { volume: 2 })))
    .when(write(4, { volume: 2 }))
    .then(passed(write(4, { volume: 2 })))
    .and((history) => assert.equal([history.place(1, 0), history.place(2, 0)], [2000, 4000]))
})

test('S3 claims 21, 22, 43, 44: a clone outside is a logical unit of another system, the source one of this', () => {
  const { past } = cloneKinds[1]!
  given(...past(32, 24))
    .when(read(3), write(4, { at: 8 }))
    .then(passed(write(4, { at: 8 })))
    .and((history) => assert.is(history.place(1, 8), 4000))
})

test.run()
