/** The commands of fences and their owners, and what the engine and the data mover report, decided. */

import type { NewEvent } from '../events/columns.ts'
import { count, counts, isName, text } from '../events/detail.ts'
import { isExpected, moverTarget } from './fence-mover.ts'
import {
  type Fence,
  type Fences,
  fencedRanges,
  fenceNamed,
  fencesOn,
  isClosing,
  isDraining,
  isQuiet,
  newestKind,
  of,
} from './fence-state.ts'
import { type Command, type Decision, volumeOf, type World } from './layer.ts'
import { restoresOf } from './restore-state.ts'

/** How long a fence may wait for requests that are on their way, where its command leaves it 0. */
const defaultDeadlineMs = 30_000

/** What a command about fences, or a report, gets: outcomes, or the code of its refusal. */
export function decideFence(state: Fences, command: Command, world: World): Decision {
  switch (command.kind) {
    case 'fence.raise':
      return raise(state, command, world)
    case 'fence.pattern':
    case 'fence.flushed':
      return isAwaited(state.byTag.get(command.tag), command) ? [] : 'E_NOT_ACTIVE'
    case 'mover.report':
      return report(state, command)
    default: {
      const name = text(command.detail, command.kind === 'mover.request' ? 'fence' : 'name')
      const fence = fenceNamed(state, name)
      if (fence === undefined) return 'E_NOT_ACTIVE'
      if (command.kind === 'fence.takeover') return takeover(fence, command, world)
      if (command.kind === 'fence.fail') return fail(fence, command)
      if (command.session !== fence.owner) return 'E_NOT_OWNER'
      return ofOwner(fence, command, world)
    }
  }
}

/** True for a report of the engine about the record that the fence waits for. */
export function isAwaited(
  fence: Fence | undefined,
  report: {
    readonly kind: string
    readonly about: number
    readonly length: number
    readonly payload?: number
  },
): fence is Fence {
  if (fence === undefined || fence.awaits === 0 || fence.awaits !== report.about) return false
  if (report.kind === 'fence.flushed') return fence.phase === 'lowering'
  const early = fence.phase === 'saving' || fence.phase === 'restoring'
  return early && report.length > 0 && report.length % fence.block === 0
}

function raise(state: Fences, command: Command, world: World): Decision {
  const { detail, session, volume: id } = command
  const name = text(detail, 'name')
  if (!isName(name)) return 'E_NAME'
  if (fenceNamed(state, name) !== undefined) return 'E_ALREADY'
  const volume = volumeOf(world, id)
  if (volume === undefined) return 'E_NO_VOLUME'
  const owner = world.sessions.get(session)
  if (owner === undefined) return 'E_NO_SESSION'
  const full = detail.full === true
  const asked = { meta: counts(detail, 'meta'), covered: counts(detail, 'covered'), full }
  const ranges = fencedRanges(asked, count(detail, 'last'), volume)
  if (ranges === undefined) return 'E_RANGE'
  const all = ranges.meta.with(ranges.data)
  if (fencesOn(state, id).some((other) => all.meets(other.meta.with(other.data)))) return 'E_BUSY_FENCE'
  return [
    {
      kind: 'fence.requested',
      tag: state.requested + 1,
      volume: id,
      session,
      detail: {
        name,
        owner,
        ...asked,
        meta: ranges.meta.counts(),
        covered: full ? [] : ranges.data.counts(),
        advisory: detail.advisory === true,
        metaFirst: detail.metaFirst === true,
        last: count(detail, 'last'),
        deadlineMs: count(detail, 'deadlineMs') || defaultDeadlineMs,
        atUs: command.atUs,
      },
    },
  ]
}

function takeover(fence: Fence, { session }: Command, world: World): Decision {
  const owner = world.sessions.get(session)
  if (owner === undefined) return 'E_NO_SESSION'
  if (isDraining(fence, world)) return 'E_AGAIN'
  return [{ ...of(fence, 'fence.taken_over'), session, detail: { owner } }]
}

/** The owner gives an operation up; or the deadline of a fence that is still closing passed. */
function fail(fence: Fence, { session, tag, code }: Command): Decision {
  const why = code === 'ok' ? 'E_IO' : code
  if (session === 0) {
    const late = tag === fence.tag && fence.phase === 'closing'
    return late ? [{ ...of(fence, 'fence.aborted'), code: why }] : 'E_NOT_ACTIVE'
  }
  if (session !== fence.owner) return 'E_NOT_OWNER'
  if (fence.phase !== 'operating') return 'E_STATE'
  if (fence.pair !== 0) return 'E_BUSY_RESTORE'
  return [{ ...of(fence, 'op.failed'), code: why }]
}

function ofOwner(fence: Fence, command: Command, world: World): Decision {
  const { kind } = command
  if (kind === 'fence.update') return update(fence, command)
  if (kind === 'fence.abort' && isClosing(fence)) return [of(fence, 'fence.aborted')]
  if (kind === 'fence.finish') {
    if (fence.phase !== 'operating' || fence.mover?.running === true) return 'E_STATE'
    return fence.pair === 0 ? [of(fence, 'op.finished')] : 'E_BUSY_RESTORE'
  }
  if (kind === 'mover.request') return request(fence, command, world)
  if (fence.phase === 'operating') return fence.pair === 0 ? 'E_STATE' : 'E_BUSY_RESTORE'
  if (!isQuiet(fence)) return 'E_STATE'
  if (restoresOf(world).byClone.has(fence.volume)) return 'E_CLONE_PROTECTED'
  if (kind !== 'fence.operate' && isDraining(fence, world)) return 'E_AGAIN'
  switch (kind) {
    case 'fence.operate':
      return [of(fence, 'op.started')]
    case 'fence.abort':
      return fence.dirty ? 'E_DIRTY' : [of(fence, 'fence.aborted')]
    case 'fence.lower':
      return fence.phase === 'stuck' ? 'E_DIRTY' : [lowering(fence)]
    case 'fence.force':
      return fence.phase === 'stuck' ? [of(fence, 'fence.forced'), lowering(fence)] : 'E_STATE'
    default:
      return 'E_UNSUPPORTED'
  }
}

/** The first record of a lowering. */
export function lowering(fence: Fence, kind = newestKind(fence)): NewEvent {
  return { ...of(fence, 'fence.lowering'), detail: { kind } }
}

/** The owner changes its copy of the metadata; the device keeps the pattern. */
function update(fence: Fence, { offset, length, payload }: Command): Decision {
  if (isClosing(fence) || fence.phase === 'lowering') return 'E_STATE'
  if (length === 0 || !fence.meta.covers({ offset, length })) return 'E_RANGE'
  if (offset % fence.block !== 0 || length % fence.block !== 0) return 'E_ALIGN'
  return [{ ...of(fence, 'fence.meta_updated'), offset, length, payload }]
}

/** A client asks for the restore of an image: its own operation, or the one that is running. */
function request(fence: Fence, { session, detail }: Command, world: World): Decision {
  const restoring = fence.phase === 'restoring' || fence.phase === 'operating'
  if (!isQuiet(fence) && (!restoring || fence.mover?.running === true)) return 'E_STATE'
  const { bySource, byClone } = restoresOf(world)
  if (bySource.has(fence.volume)) return 'E_BUSY_RESTORE'
  if (byClone.has(fence.volume)) return 'E_CLONE_PROTECTED'
  const size = count(detail, 'size')
  if (size === 0 || size > fence.size) return 'E_SIZE'
  const { fence: _, ...rest } = detail
  const asked: NewEvent[] = [
    { ...of(fence, 'mover.requested'), session, detail: rest },
    of(fence, 'mover.dispatched'),
  ]
  return restoring ? asked : [...asked, of(fence, 'op.started')]
}

function report(state: Fences, command: Command): Decision {
  const fence = state.byTag.get(command.tag)
  const mover = fence?.mover
  if (fence === undefined || mover?.running !== true || mover.ended) return 'E_NOT_ACTIVE'
  if (command.code !== 'ok') {
    const code = command.code
    return [
      fence.phase === 'restoring'
        ? { ...of(fence, 'fence.aborted'), code }
        : { ...of(fence, 'op.failed'), code },
    ]
  }
  if (command.detail.done === true) {
    const all = fence.phase === 'operating' && mover.sent === moverTarget(fence).bytes
    return all && command.length === 0 ? [] : 'E_STATE'
  }
  return isExpected(fence, command) ? [] : 'E_RANGE'
}
