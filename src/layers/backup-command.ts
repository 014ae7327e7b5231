/** The commands of backups, decided: start, stop, and the deadline that passed. */

import { counts, isName, maxList, text } from '../events/detail.ts'
import { aborted, termsOf } from './backup.ts'
import type { HoldQueue } from './hold-queue-state.ts'
import { type Command, type Decision, volumeOf, type World } from './layer.ts'
import { heldTogether } from './preserve-state.ts'

/** What a command about backups gets: outcomes, or the code of its refusal. */
export function decideBackup(state: HoldQueue, command: Command, world: World): Decision {
  if (command.kind === 'deadline.reached') {
    const expired = state.backups.get(command.tag)
    if (expired === undefined || expired.phase === 'stopping') return 'E_NOT_ACTIVE'
    const others = [...state.backups.values()].filter(
      (backup) => backup !== expired && backup.volumes.some((volume) => expired.volumes.includes(volume)),
    )
    return [
      { kind: 'backup.expired', tag: expired.tag },
      ...others.map((backup) => aborted(backup, 'E_DEADLINE')),
    ]
  }
  const name = text(command.detail, 'name')
  const active = [...state.backups.values()].find((backup) => backup.name === name)
  if (command.kind === 'backup.stop') {
    if (active === undefined || active.phase === 'stopping') return 'E_NOT_ACTIVE'
    return [{ kind: 'backup.stopping', tag: active.tag }]
  }
  if (!isName(name)) return 'E_NAME'
  if (active !== undefined) return 'E_ALREADY'
  const volumes = counts(command.detail, 'volumes')
  if (volumes.length === 0 || new Set(volumes).size !== volumes.length) return 'E_NO_VOLUME'
  if (volumes.some((volume) => volumeOf(world, volume) === undefined)) return 'E_NO_VOLUME'
  const together = heldTogether(world, volumes)
  if (together.length > maxList) return 'E_BOUND'
  const detail = { ...termsOf(command), volumes: together }
  return [{ kind: 'backup.flag_set', tag: state.begun + 1, session: command.session, detail }]
}
