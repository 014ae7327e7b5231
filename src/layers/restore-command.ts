/** The command that starts a restore, and the reports of copies in either direction, decided. */

import { lanesText } from '../core/lanes.ts'
import type { NewEvent } from '../events/columns.ts'
import { text } from '../events/detail.ts'
import { extentsOf } from './copy-gate.ts'
import { blocksIn, type Fence, fencesOf, fencesOn, of } from './fence-state.ts'
import { type Command, type Decision, type Volume, volumeOf, type World } from './layer.ts'
import { named, pairsOf, pairsOn } from './pair-state.ts'
import { endOf } from './request.ts'
import type { Restores } from './restore-state.ts'

/** A restore gives up background copying after this many failed copies in a row. */
const maxFailures = 3

/** What a command about restores, or a report, gets: outcomes, or the code of its refusal. */
export function decideRestore(state: Restores, command: Command, world: World): Decision {
  if (command.kind === 'copy.report') return reported(state, command, world)
  const one = named(pairsOf(world), text(command.detail, 'pair'))
  if (one === undefined) return 'E_NO_PAIR'
  if (command.detail.protected !== true) return 'E_UNSUPPORTED'
  if (one.phase !== 'fractured') return 'E_STATE'
  const others = pairsOn(pairsOf(world), one.source).filter((other) => other.phase === 'in-sync')
  const clone = volumeOf(world, one.clone)!
  return [
    ...others.map((other): NewEvent => ({ kind: 'pair.fractured', tag: other.tag })),
    {
      kind: 'restore.started',
      tag: one.tag,
      detail: {
        protected: true,
        cdmCount: one.cdm.count,
        cdmHash: lanesText(one.cdm.hashLow, one.cdm.hashHigh),
        cloneHash: lanesText(clone.map.hashLow, clone.map.hashHigh),
      },
    },
    ...fencesOn(fencesOf(world), one.source).flatMap((fence) => adopted(fence, clone)),
  ]
}

/** The clone's bytes of a fence's metadata: they wait beside the volume until the fence is lowered (SPEC 7.1, 5). */
function adopted(fence: Fence, clone: Volume): NewEvent[] {
  return fence.meta.ranges.flatMap((range) => {
    const { first, count } = blocksIn(fence, range)
    return clone.map.runs(first, count).map((run): NewEvent => {
      const { offset, length } = { offset: run.block * fence.block, length: run.count * fence.block }
      return { ...of(fence, 'fence.meta_buffered'), offset, length, payload: run.place }
    })
  })
}

/** A copy in either direction came back: who waited for one that failed gets the error (SPEC S3-I11). */
function reported(state: Restores, command: Command, world: World): Decision {
  const pair = pairsOf(world).byTag.get(command.tag)
  if (pair === undefined) return 'E_NO_PAIR'
  const one = state.byTag.get(command.tag)
  const gate = command.volume === pair.clone ? pair.gate : one?.gate
  if (![pair.clone, pair.source].includes(command.volume) || !gate?.isOf(command)) return 'E_NOT_ACTIVE'
  const e = extentsOf(command, pair.extent).first
  if (command.code === 'ok') return []
  const ends = gate.waitingOn(e).map((request) => endOf('io.failed', request, 'E_IO'))
  const last = one !== undefined && gate === one.gate && one.background && one.failures + 1 >= maxFailures
  return last ? [...ends, { kind: 'restore.failed', tag: one.tag, code: 'E_IO' }] : ends
}
