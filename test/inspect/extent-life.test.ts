/** The bits of an extent, against the state after every event. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Bits, ExtentLife } from '../../src/inspect/extent-life.ts'
import type { World } from '../../src/layers/layer.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import { Chance } from '../support/chance.ts'
import { cloned, copyEnds, extentBlocks, read, restore, write } from '../support/given.ts'
import { told } from '../support/told.ts'

const test = suite('extent life')

function bitsOf(world: World, extent: number): Bits {
  const pair = [...pairsOf(world).byTag.values()].find(({ name }) => name === 'p')
  const restoring = restoresOf(world).byTag.get(pair?.tag ?? 0)
  const cod = pair?.gate.copying.get(extent) === true || restoring?.gate.copying.get(extent) === true
  return { cdm: pair?.cdm.get(extent) === true, cod, prm: restoring?.prm.get(extent) === true }
}

test('by chance: the last step up to an event has the bits of the state after it', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const life = new ExtentLife('p', 1)
    const seen: Bits[] = []
    told(
      [
        (history) => {
          const chance = new Chance(seed, history)
          chance.begin()
          for (let step = 0; step < 80; step++) chance.step()
        },
      ],
      life,
      {
        after(event, world) {
          seen[event.seq] = bitsOf(world, 1)
        },
      },
    )
    let at = 0
    let is: Bits = { cdm: false, cod: false, prm: false }
    for (let seq = 1; seq < seen.length; seq++) {
      for (; life.steps[at]?.seq === seq; at++) is = life.steps[at]!
      assert.equal({ cdm: is.cdm, cod: is.cod, prm: is.prm }, seen[seq], `seed ${seed}, event ${seq}`)
    }
  }
})

test('copies and those who waited are told with their cause', () => {
  const life = new ExtentLife('p', 2)
  const at = 2 * extentBlocks
  told(
    [
      ...cloned,
      write(1, { at }),
      restore('p'),
      read(2, { at }),
      read(3, { at: 0 }),
      copyEnds(1, 2),
      write(4, { at }),
    ],
    life,
  )
  const steps = life.steps.slice(-6).map(({ kind, note, cdm, cod, prm }) => [kind, note, cdm, cod, prm])
  assert.equal(steps, [
    ['io.write', '', true, false, false],
    ['copy.started', 'in the background', true, true, false],
    ['io.read', 'read waits', true, true, false],
    ['copy.report', 'copied', false, false, false],
    ['cod.released', 'read goes', false, false, false],
    ['io.write', '', true, false, false],
  ])
  assert.is(life.writes, 2)
  assert.is(life.range?.offset, at * 4096)
})

test('a pair or an extent that is not there has no range', () => {
  for (const life of [new ExtentLife('x', 0), new ExtentLife('p', 99)]) {
    told(cloned, life)
    assert.is(life.range, undefined)
  }
})

test.run()
