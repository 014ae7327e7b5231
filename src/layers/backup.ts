/**
 * A backup as the hold queue knows it: which volumes it covers, how long and how much it may hold, how far it is.
 */

import type { Code } from '../events/code.ts'
import type { Event, NewEvent } from '../events/columns.ts'
import { count, counts, type Detail, text } from '../events/detail.ts'
import type { Command } from './layer.ts'

export interface Backup {
  readonly tag: number
  readonly name: string
  readonly volumes: readonly number[]
  readonly deadlineMs: number
  readonly maxEntries: number
  readonly maxBytes: number
  /** When the flag was set, microseconds since the Unix epoch: the deadline counts from here. */
  readonly atUs: number
  phase: 'quiescing' | 'holding' | 'stopping'
}

/** Deadline, entries and bytes a backup gets where its command leaves them 0. Hosts time out after 10 to 60 s. */
export const holdDefaults = { deadlineMs: 10_000, maxEntries: 65_536, maxBytes: 256 * 2 ** 20 } as const

/** What a start command asks for, with the defaults filled in: the detail of its backup.flag_set. */
export function termsOf(command: Command): Detail {
  const given = (field: keyof typeof holdDefaults) => count(command.detail, field) || holdDefaults[field]
  return {
    name: text(command.detail, 'name'),
    volumes: [...counts(command.detail, 'volumes')],
    deadlineMs: given('deadlineMs'),
    maxEntries: given('maxEntries'),
    maxBytes: given('maxBytes'),
    atUs: command.atUs,
  }
}

/** The backup that a backup.flag_set begins. */
export function backupOf(event: Event): Backup {
  return {
    tag: event.tag,
    name: text(event.detail, 'name'),
    volumes: [...counts(event.detail, 'volumes')],
    deadlineMs: count(event.detail, 'deadlineMs'),
    maxEntries: count(event.detail, 'maxEntries'),
    maxBytes: count(event.detail, 'maxBytes'),
    atUs: count(event.detail, 'atUs'),
    phase: 'quiescing',
  }
}

/** A backup ends before its stop: its image is no point in time. */
export function aborted(backup: Backup, code: Code): NewEvent {
  return { kind: 'backup.aborted', tag: backup.tag, code }
}
