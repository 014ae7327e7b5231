/**
 * The first operation of a run's disk fails, then the second ... until a run ends without a failure, as SQLite tests
 * itself: writes and reads of the store, reads, writes and syncs of the head; once, or from there on; refused, in doubt,
 * or for lack of room. Nothing acknowledged is lost, nothing invented, no other bytes are returned.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Failure } from '../../src/sim/fault-chance.ts'
import { simulate } from '../../src/sim/simulator.ts'

const test = suite('n-th failure')
const run = { disk: 'honest', twice: false } as const

/** Each with a seed of its own: other asks, and another mode; payload in the database, or in segments with files of their own. */
const failures: readonly (Omit<Failure, 'nth'> & {
  readonly seed: number
  readonly segmentedFrom?: number
})[] = [
  { seed: 3, of: 'writes', fault: 'refused', forEver: false },
  { seed: 5, of: 'writes', fault: 'doubt', forEver: false },
  { seed: 9, of: 'writes', fault: 'full', forEver: false },
  { seed: 14, of: 'writes', fault: 'refused', forEver: true },
  { seed: 16, of: 'writes', fault: 'doubt', forEver: true },
  { seed: 3, of: 'writes', fault: 'full', forEver: true },
  { seed: 3, segmentedFrom: 1, of: 'writes', fault: 'refused', forEver: false },
  { seed: 9, segmentedFrom: 1, of: 'writes', fault: 'doubt', forEver: false },
  { seed: 5, segmentedFrom: 1, of: 'writes', fault: 'full', forEver: true },
  { seed: 9, of: 'head', fault: 'refused', forEver: false },
  { seed: 3, of: 'head', fault: 'doubt', forEver: false },
  { seed: 5, of: 'head', fault: 'refused', forEver: true },
  { seed: 2, of: 'reads', fault: 'refused', forEver: false },
  { seed: 9, segmentedFrom: 1, of: 'reads', fault: 'refused', forEver: true },
]

for (const { seed, segmentedFrom = Number.POSITIVE_INFINITY, ...failure } of failures) {
  const { of, fault, forEver } = failure
  /** Most reads are of who opens. */
  const crashEvery = of === 'reads' ? 20 : 0
  const isSegmented = segmentedFrom === 1
  const steps = of === 'head' || isSegmented ? 50 : 120
  test(`${of} of seed ${seed}: each in turn is ${fault}${forEver ? ' and all behind it' : ''}${isSegmented ? ', with segments' : ''}`, async () => {
    let nth = 0
    for (let failed = true; failed; ) {
      nth++
      assert.ok(nth < 1000, 'the run comes to its end')
      const { findings, faults } = await simulate({
        ...run,
        ...{ steps, segmentedFrom },
        crashEvery,
        seed,
        failure: { ...failure, nth },
      })
      assert.equal(findings, [], `the ${nth}-th of the ${of}`)
      failed = (faults[fault] ?? 0) > 0
    }
    assert.ok(nth > 10, `${nth} ${of}`)
  })
}

test.run()
