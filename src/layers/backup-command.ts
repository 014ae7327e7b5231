/** The commands of backups, decided: start, stop, and the deadline that passed. */

import type { NewEvent } from '../events/columns.ts'
import { countsIfAny, isName, text, textOr } from '../events/detail.ts'
import { aborted, type Backup, crashes, modes, policies, scopes, termsOf } from './backup.ts'
import { coverOf, namedBy, reached, sourcesOf } from './backup-scope.ts'
import { volumesOn } from './device.ts'
import type { HoldQueue } from './hold-queue-state.ts'
import type { Command, Decision, Target, World } from './layer.ts'
import { endOf } from './request.ts'
import { decideMetadata } from './request-log.ts'
import { restoresOf } from './restore-state.ts'

/**
 * What a command about backups gets: outcomes, or the code of its refusal. A restore that was told to end is waited for:
 * its end shows old content again, which no point in time may do.
 */
export function decideBackup(state: HoldQueue, command: Command, world: World): Decision {
  if (command.kind === 'deadline.reached') return passedDeadline(state, state.backups.get(command.tag))
  if (command.kind === 'fsmeta.commit') return decideMetadata(state, command, world)
  const { detail } = command
  const name = text(detail, 'name')
  const active = [...state.backups.values()].find((backup) => backup.name === name)
  if (command.kind === 'backup.stop') {
    if (active === undefined || active.phase === 'stopping') return 'E_NOT_ACTIVE'
    return [{ kind: 'backup.stopping', tag: active.tag }]
  }
  if (!isName(name)) return 'E_NAME'
  if (active !== undefined) return 'E_ALREADY'
  const known = (field: string, values: readonly string[]) =>
    values.includes(textOr(detail, field, values[0]!))
  const sound = known('mode', modes) && known('scope', scopes) && known('policy', policies)
  if (!sound || !known('crash', crashes)) return 'E_UNSUPPORTED'
  const cover = coverOf(detail, world)
  if (typeof cover === 'string') return cover
  const { bySource } = restoresOf(world)
  if (cover.volumes.some((volume) => bySource.get(volume)?.cancelling === true)) return 'E_BUSY_RESTORE'
  const set = { kind: 'backup.flag_set', tag: state.begun + 1, session: command.session } as const
  return [{ ...set, detail: termsOf(command, cover) }]
}

/** The volumes a start is admitted for. A clone in sync that its device brings in is covered through its source. */
export function targetsOf(command: Command, world: World): Target[] {
  const { detail } = command
  if (command.kind !== 'backup.start') return []
  const role = textOr(detail, 'mode', modes[0]) === 'physical' ? 'backup-physical' : 'backup'
  const named = namedBy(detail)
  const brought = volumesOn(world, countsIfAny(detail, 'devices')).filter(
    (volume) => !named.includes(volume) && sourcesOf(world, volume).length > 0,
  )
  const volumes = reached(detail, world).filter((volume) => !brought.includes(volume))
  return volumes.map((volume) => ({ role, volume }))
}

/** The deadline of a backup: its held writes fail, or it ends, and with it every backup of its volumes. */
function passedDeadline(state: HoldQueue, late: Backup | undefined): Decision {
  if (late === undefined || late.phase === 'stopping' || late.overdue) return 'E_NOT_ACTIVE'
  if (late.policy === 'error-writes') {
    const held = late.volumes.flatMap((volume) => [...(state.flagged.get(volume)?.writes ?? [])])
    held.sort((a, b) => a.io - b.io)
    return held.map((write) => endOf('hold.failed', write, 'E_DEADLINE'))
  }
  const others = [...state.backups.values()].filter(
    (backup) => backup !== late && backup.volumes.some((volume) => late.volumes.includes(volume)),
  )
  const expired: NewEvent = { kind: 'backup.expired', tag: late.tag }
  return [expired, ...others.map((backup) => aborted(backup, 'E_DEADLINE'))]
}
