/** Planted faults of branches: where they come from, and what they are finished with. */

import type { NewEvent } from '../../src/events/columns.ts'
import { mapHashOf } from '../../src/layers/branch.ts'
import { branch, ended, reported } from '../support/branching.ts'
import { block, type Step, session, volume, volumeBlocks, write } from '../support/given.ts'
import { type Canary, plant } from './canary.ts'

/** Volume 1 has 16 blocks since event 5; the next volume is number 2. */
const past: readonly Step[] = [volume('disk'), session(), write(1, { count: 16 }), write(2)]
const moment = 5

const started = (detail: object): NewEvent => {
  const all = { name: 'b', from: 1, seq: moment, size: volumeBlocks * block, block, ...detail }
  return { kind: 'branch.started', volume: 2, detail: all }
}
const finished = (runs: number, mapHash: string): NewEvent => {
  return { kind: 'branch.finished', volume: 2, detail: { runs, mapHash } }
}
const asked = (detail: object = {}): Step => plant(branch('b', moment), started(detail))

/** The end of branch 2 as it should be, or a planted one that says something else. */
function ends(said: (hash: string) => NewEvent): Step {
  return (history) => {
    const { world } = history
    const about = world.seq - 1
    const hash = mapHashOf(world.volumes[1]!)
    history.plant(ended(2, about, 1, hash), said(hash))
  }
}

/** One run of the branch that began with the event before. */
const run: Step = (history) => history.enter(reported(2, history.world.seq, 0, volumeBlocks, 1000))

const sound: readonly Step[] = [branch('b', moment), run, ends((hash) => finished(1, hash))]

export const branchCanaries: readonly Canary[] = [
  {
    rule: 'B-I1',
    what: 'a branch is of a volume that never was',
    past,
    fault: [asked({ from: 7 })],
    sound,
  },
  {
    rule: 'B-I1',
    what: 'a branch is of a moment that comes after it',
    past,
    fault: [asked({ seq: 99 })],
    sound,
  },
  {
    rule: 'B-I1',
    what: 'a branch has blocks of another size than its source',
    past,
    fault: [asked({ block: 512 })],
    sound,
  },
  {
    rule: 'B-I2',
    what: 'a branch is finished with fewer runs than it should have',
    past,
    fault: [branch('b', moment), run, ends((hash) => finished(2, hash))],
    sound,
  },
  {
    rule: 'B-I2',
    what: 'a branch is finished with another map than was reported',
    past,
    fault: [branch('b', moment), run, ends(() => finished(1, '0000000000000000'))],
    sound,
  },
  {
    rule: 'B-I2',
    what: 'a branch is finished twice',
    past,
    fault: [...sound, ends((hash) => finished(1, hash))],
    sound,
  },
  {
    rule: 'G-I2',
    what: 'a host request reaches a branch that is not finished',
    past: [...past, branch('b', moment)],
    fault: [plant({ ...write(3, { volume: 2 }), fate: 'passed' })],
    sound: [write(3, { volume: 2 })],
  },
]
