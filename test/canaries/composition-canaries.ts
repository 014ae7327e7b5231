/** Planted faults where systems meet: X-I1, X-I5 and X-I6, each found by the rule of the system that it hurts. */

import { pairsOf } from '../../src/layers/pair-state.ts'
import { overlayOf } from '../../src/layers/preserve-state.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import {
  backup,
  cloned,
  copied,
  copyEnds,
  pair,
  read,
  refusal,
  restore,
  type Step,
  session,
  volume,
  write,
} from '../support/given.ts'
import type { History } from '../support/history.ts'
import { type Canary, mark, plant } from './canary.ts'
import { at, restoring, view } from './views.ts'

/** Whatever a copy moves into the source, `harm` is done with it. */
function withCopy(harm: (history: History) => void): Step {
  return (history) => {
    const { map } = history.world.volumes[0]!
    const copy = map.copy.bind(map)
    map.copy = (...range) => {
      copy(...range)
      harm(history)
    }
  }
}

const own = [...restoring, write(2, at(1))]
const twoClones = [
  ...[volume('disk'), volume('clone'), volume('other'), session(), pair('p'), pair('q', 1, 3), write(1)],
]
const held = [...cloned, write(1), backup('b'), write(2, { at: 1 })]

export const compositionCanaries: readonly Canary[] = [
  {
    rule: 'S2-I6',
    what: 'a copy of a restore deletes an entry of a view',
    past: own,
    fault: [withCopy(({ world }) => void overlayOf(world, view)!.table.clear(1)), copyEnds(1, 0), read(9)],
    sound: [copyEnds(1, 0), read(9)],
  },
  {
    rule: 'S3-I10',
    what: 'a copy of a restore marks its extent as written by a host',
    past: own,
    fault: [withCopy(({ world }) => void restoresOf(world).byTag.get(1)!.prm.set(0)), copied],
    sound: [copied],
  },
  {
    rule: 'S3-I9',
    what: 'of two pairs of a source one forgets a write',
    past: twoClones,
    fault: [({ world }) => void pairsOf(world).byTag.get(2)!.cdm.clear(0), read(9)],
    sound: [read(9)],
  },
  {
    rule: 'G-I9',
    what: 'a restore refused because of held writes marks an extent',
    past: held,
    fault: [plant(restore('p')), mark(3, true), plant(...refusal(restore('p'), 'E_BUSY_HOLD').slice(1))],
    sound: [restore('p')],
  },
]
