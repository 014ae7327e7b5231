/** Runs on disks that are slow, tear, lie, rot or read elsewhere: nothing is silent, and what should happen does. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Nature, natureOf, natures } from '../../src/sim/disk-nature.ts'
import type { Faults } from '../../src/sim/fault-chance.ts'
import { simulate } from '../../src/sim/simulator.ts'

const test = suite('natures of disks')
const run = { steps: 2000, crashEvery: 100, twice: false, rates: { eio: 0 } }

const shown: Readonly<Record<Exclude<Nature, 'honest'>, readonly (keyof Faults)[]>> = {
  slow: ['slow'],
  tearing: ['tear'],
  lying: ['lie', 'broken'],
  rotting: ['rot', 'decay'],
  astray: ['misdirect'],
}

for (const [disk, kinds] of Object.entries(shown) as [Exclude<Nature, 'honest'>, (keyof Faults)[]][]) {
  test(`on a ${disk} disk nothing goes wrong in silence`, async () => {
    let reports = 0
    for (const seed of [3, 4]) {
      const { findings, faults, lives, ...one } = await simulate({ ...run, seed, disk })
      assert.equal(findings, [], `seed ${seed}`)
      for (const kind of kinds) assert.ok((faults[kind] ?? 0) > 0, `seed ${seed} has met ${kind}`)
      assert.ok(lives > 0 && one.heads.length === lives)
      reports += one.reports
    }
    assert.is(reports > 0, ['lying', 'rotting', 'astray'].includes(disk))
  })
}

test('a run with a new disk now and then is repeatable', async () => {
  const { findings, lives } = await simulate({ ...run, seed: 4, disk: 'lying', twice: true })
  assert.equal(findings, [])
  assert.ok(lives > 1)
})

test('rates are what is asked for, and no nature is left out by the seeds', async () => {
  const { faults } = await simulate({ ...run, seed: 4, disk: 'lying', rates: { lie: 0, tear: 0 } })
  assert.is(faults.lie, undefined)
  const drawn = new Set(Array.from({ length: 100 }, (_, seed) => natureOf(seed)))
  assert.equal([...drawn].sort(), [...natures].sort())
})

test.run()
