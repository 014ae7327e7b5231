/**
 * The first disk write of a run fails, then the second ... until a run ends without a failure, as SQLite tests itself:
 * once, or from there on; refused, in doubt, or for lack of room. Nothing acknowledged is lost, nothing invented.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { simulate } from '../../src/sim/simulator.ts'

const test = suite('n-th failure')
const run = { seed: 3, steps: 120, crashEvery: 0, twice: false }

/** Payload in the database; in segments, whose names, writes and syncs are disk writes too. */
const runs = [
  { where: '', ...run, segmentedFrom: Number.POSITIVE_INFINITY },
  { where: ', with segments', ...run, steps: 50, segmentedFrom: 1 },
]

for (const { where, ...run } of runs)
  for (const fault of ['refused', 'doubt', 'full'] as const) {
    for (const forEver of [false, true]) {
      test(`each disk write in turn is ${fault}${forEver ? ' and all behind it' : ''}${where}`, async () => {
        let write = 0
        for (let failed = true; failed; ) {
          write++
          assert.ok(write < 1000, 'the run comes to its end')
          const { findings, faults } = await simulate({ ...run, failure: { write, fault, forEver } })
          assert.equal(findings, [], `disk write ${write}`)
          failed = (faults[fault] ?? 0) > 0
        }
        assert.ok(write > 10, `${write} writes`)
      })
    }
  }

test.run()
