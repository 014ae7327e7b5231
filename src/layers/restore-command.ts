/** The commands of a restore (start, pause, resume, cancel), and the reports of copies in either direction, decided. */

import { lanesText } from '../core/lanes.ts'
import type { NewEvent } from '../events/columns.ts'
import { countOr0, text } from '../events/detail.ts'
import { extentsOf } from './copy-gate.ts'
import { blocksIn, type Fence, fencesOf, fencesOn, isClosing, of } from './fence-state.ts'
import { type Command, type Decision, type Volume, volumeOf, type World } from './layer.ts'
import { named, type Pair, pairsOf, pairsOn } from './pair-state.ts'
import { endOf } from './request.ts'
import { lacks, neededCount, type Restore, type Restores, restoresOf } from './restore-state.ts'

/** A restore gives up background copying after this many failed copies in a row. */
const maxFailures = 3

/** What a command about restores, or a report, gets: outcomes, or the code of its refusal. */
export function decideRestore(state: Restores, command: Command, world: World): Decision {
  if (command.kind === 'copy.report') return reported(state, command, world)
  const pair = named(pairsOf(world), text(command.detail, 'pair'))
  if (pair === undefined) return 'E_NO_PAIR'
  if (command.kind === 'restore.start') return start(pair, command, world)
  const one = state.byTag.get(pair.tag)
  if (one === undefined) return 'E_NOT_ACTIVE'
  if (command.kind === 'restore.cancel') return decideCancel(pair, command, world)
  if (one.cancelling) return 'E_STATE'
  if (command.kind === 'restore.pause') {
    return one.paused ? 'E_ALREADY' : [{ kind: 'restore.paused', tag: one.tag }]
  }
  return one.paused || !one.background ? [resumed(one, pair)] : 'E_STATE'
}

/** The record of a restore that goes on, with how many extents are left. */
export function resumed(one: Restore, { cdm }: Pair): NewEvent {
  return { kind: 'restore.resumed', tag: one.tag, detail: { count: neededCount(one, cdm) } }
}

/**
 * A restore that is to end before its time. What is not copied by then shows its old content again: nobody may be
 * using the volumes (no session is open, or a fence keeps all out but its owner), or it must be forced (SPEC 5.3, 4).
 */
export function decideCancel(pair: Pair, command: Command, world: World): Decision {
  const one = restoresOf(world).byTag.get(pair.tag)
  if (one === undefined) return 'E_NOT_ACTIVE'
  if (one.cancelling) return 'E_ALREADY'
  const force = command.detail.force === true
  const fences = fencesOn(fencesOf(world), pair.source)
  const seen = world.sessions.size > 0 && !fences.some((fence) => keepsOut(fence))
  const mixes = seen && neededCount(one, pair.cdm) > 0
  return mixes && !force ? 'E_MIXED' : [{ kind: 'restore.cancel_accepted', tag: one.tag, detail: { force } }]
}

/** True when nobody but its owner reads anything of the volume. */
function keepsOut(fence: Fence): boolean {
  return fence.full && !fence.advisory && !isClosing(fence) && fence.phase !== 'lowering'
}

function start(one: Pair, { detail }: Command, world: World): Decision {
  if (one.phase !== 'fractured') return 'E_STATE'
  const isProtected = detail.protected === true
  if (one.external !== null && !isProtected) return 'E_READ_ONLY'
  const fences = fencesOn(fencesOf(world), one.source)
  if (fences.length > 0 && !isProtected) return 'E_FENCED'
  const others = pairsOn(pairsOf(world), one.source).filter((other) => other.phase === 'in-sync')
  const rate = countOr0(detail, 'rate')
  return [
    ...others.map((other): NewEvent => ({ kind: 'pair.fractured', tag: other.tag })),
    {
      kind: 'restore.started',
      tag: one.tag,
      detail: {
        protected: isProtected,
        cdmCount: one.cdm.count,
        cdmHash: lanesText(one.cdm.hashLow, one.cdm.hashHigh),
        cloneHash: cloneHashOf(one, world),
        ...(rate === 0 ? {} : { rate }),
      },
    },
    ...fences.flatMap((fence) => adopted(fence, volumeOf(world, one.clone))),
    ...(detail.paused === true ? [{ kind: 'restore.paused', tag: one.tag } as const] : []),
  ]
}

/** What the clone of a pair is, in one text: the set hash of its map, or the digest of the file outside. */
export function cloneHashOf({ clone, external }: Pair, world: World): string {
  if (external !== null) return external.sha256
  const { map } = volumeOf(world, clone)!
  return lanesText(map.hashLow, map.hashHigh)
}

/**
 * The clone's bytes of a fence's metadata: they wait beside the volume until the fence is lowered (SPEC 7.1, 5). Those
 * of a clone outside come with its copies.
 */
function adopted(fence: Fence, clone: Volume | undefined): NewEvent[] {
  if (clone === undefined) return []
  return fence.meta.ranges.flatMap((range) => {
    const { first, count } = blocksIn(fence, range)
    return clone.map.runs(first, count).map((run): NewEvent => {
      const { offset, length } = { offset: run.block * fence.block, length: run.count * fence.block }
      return { ...of(fence, 'fence.meta_buffered'), offset, length, payload: run.place }
    })
  })
}

/** The metadata in an extent that came from outside, for the fence that the restore goes on behind. */
function brought(source: number, command: Command, world: World): NewEvent[] {
  const fences = fencesOn(fencesOf(world), source).filter(({ pair }) => pair === command.tag)
  return fences.flatMap((fence) =>
    fence.meta.split(command).flatMap(({ inside, offset, length }): NewEvent[] => {
      const payload = command.payload === 0 ? 0 : command.payload + (offset - command.offset) / 512
      return inside ? [{ ...of(fence, 'fence.meta_buffered'), offset, length, payload }] : []
    }),
  )
}

/** A copy in either direction came back: who needs one that failed gets the error, and nobody else (SPEC S3-I11). */
function reported(state: Restores, command: Command, world: World): Decision {
  const pair = pairsOf(world).byTag.get(command.tag)
  if (pair === undefined) return 'E_NO_PAIR'
  const one = state.byTag.get(command.tag)
  const gate = command.volume === pair.clone ? pair.gate : one?.gate
  if (![pair.clone, pair.source].includes(command.volume) || !gate?.isOf(command)) return 'E_NOT_ACTIVE'
  if (command.code === 'ok') {
    if ((pair.external !== null) !== command.brought) return 'E_SIZE'
    return command.brought ? brought(pair.source, command, world) : []
  }
  const e = extentsOf(command, pair.extent).first
  const lost = gate.waitingOn(e).filter((request) => {
    return one === undefined || gate !== one.gate || lacks(one, pair.cdm, request, world, e)
  })
  const ends = lost.map((request) => endOf('io.failed', request, 'E_IO'))
  const last = one !== undefined && gate === one.gate && one.background && one.failures + 1 >= maxFailures
  return last ? [...ends, { kind: 'restore.failed', tag: one.tag, code: 'E_IO' }] : ends
}
