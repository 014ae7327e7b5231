/**
 * A backup as the hold queue knows it: what it covers and which writes it asks to be held, how long and how much it
 * may hold and what happens then, how far it is (SPEC 3.2, 3.6).
 */

import type { Range } from '../core/range.ts'
import type { Code } from '../events/code.ts'
import type { Event, NewEvent } from '../events/columns.ts'
import { count, counts, countsIfAny, type Detail, text, textOr } from '../events/detail.ts'
import type { Command } from './layer.ts'

/** What a backup reads: volumes as their readers see them, or the media, which then nobody at all may write. */
export const modes = ['logical', 'physical'] as const
/** Which writes are held: all, those that change metadata, those that touch the blocks under backup. */
export const scopes = ['all', 'metadata', 'blocks'] as const
/** What a deadline or a full queue does: end the backup, fail the held writes, turn new ones away. */
export const policies = ['abort-backup', 'error-writes', 'backpressure'] as const
/** What a crash does to held writes. */
export const crashes = ['drop', 'requeue'] as const

export interface Backup {
  readonly tag: number
  readonly name: string
  /** The session that asked for it; 0: none. It is never made to wait for its own backup. */
  readonly session: number
  /** Everything that is covered, however it was named. */
  readonly volumes: readonly number[]
  readonly devices: readonly number[]
  readonly mode: (typeof modes)[number]
  readonly scope: (typeof scopes)[number]
  readonly policy: (typeof policies)[number]
  readonly crash: (typeof crashes)[number]
  /** Blocks under backup by volume, in whole blocks. */
  readonly ranges: ReadonlyMap<number, readonly Range[]>
  /** Where the metadata of a volume lies, in whole blocks. */
  readonly layout: ReadonlyMap<number, readonly Range[]>
  readonly deadlineMs: number
  readonly maxEntries: number
  readonly maxBytes: number
  /** When the flag was set, microseconds since the Unix epoch: the deadline counts from here. */
  readonly atUs: number
  /** The detail it was made of. */
  readonly terms: Detail
  phase: 'quiescing' | 'holding' | 'stopping'
  /** The deadline passed and writes fail from now on (policy error-writes). */
  overdue: boolean
}

/** Deadline, entries and bytes a backup gets where its command leaves them 0. Hosts time out after 10 to 60 s. */
export const holdDefaults = { deadlineMs: 10_000, maxEntries: 65_536, maxBytes: 256 * 2 ** 20 } as const

/** What a backup covers, as its command says it. */
export interface Cover {
  readonly volumes: readonly number[]
  readonly devices: readonly number[]
  /** Volume, offset and length of each range, one after the other. */
  readonly ranges: readonly number[]
  readonly layout: readonly number[]
}

/** What a start command asks for, with the defaults filled in: the detail of its backup.flag_set. */
export function termsOf(command: Command, cover: Cover): Detail {
  const { detail } = command
  const given = (field: keyof typeof holdDefaults) => count(detail, field) || holdDefaults[field]
  const list = (field: 'devices' | 'ranges' | 'layout') =>
    cover[field].length === 0 ? {} : { [field]: [...cover[field]] }
  const choice = (field: string, usual: string) => {
    const value = textOr(detail, field, usual)
    return value === usual ? {} : { [field]: value }
  }
  return {
    name: text(detail, 'name'),
    volumes: [...cover.volumes],
    deadlineMs: given('deadlineMs'),
    maxEntries: given('maxEntries'),
    maxBytes: given('maxBytes'),
    atUs: command.atUs,
    ...list('devices'),
    ...list('ranges'),
    ...list('layout'),
    ...choice('mode', modes[0]),
    ...choice('scope', scopes[0]),
    ...choice('policy', policies[0]),
    ...choice('crash', crashes[0]),
  }
}

/** The backup that a backup.flag_set begins. */
export function backupOf({ tag, session, detail }: Pick<Event, 'tag' | 'session' | 'detail'>): Backup {
  return {
    tag,
    session,
    name: text(detail, 'name'),
    volumes: [...counts(detail, 'volumes')],
    devices: [...countsIfAny(detail, 'devices')],
    mode: textOr(detail, 'mode', modes[0]) as Backup['mode'],
    scope: textOr(detail, 'scope', scopes[0]) as Backup['scope'],
    policy: textOr(detail, 'policy', policies[0]) as Backup['policy'],
    crash: textOr(detail, 'crash', crashes[0]) as Backup['crash'],
    ranges: byVolume(countsIfAny(detail, 'ranges')),
    layout: byVolume(countsIfAny(detail, 'layout')),
    deadlineMs: count(detail, 'deadlineMs'),
    maxEntries: count(detail, 'maxEntries'),
    maxBytes: count(detail, 'maxBytes'),
    atUs: count(detail, 'atUs'),
    terms: detail,
    phase: 'quiescing',
    overdue: false,
  }
}

function byVolume(triples: readonly number[]): Map<number, Range[]> {
  const ranges = new Map<number, Range[]>()
  for (let k = 0; k + 2 < triples.length; k += 3) {
    const range = { offset: triples[k + 1]!, length: triples[k + 2]! }
    ranges.set(triples[k]!, [...(ranges.get(triples[k]!) ?? []), range])
  }
  return ranges
}

/** A backup ends before its stop: its image is no point in time. */
export function aborted(backup: Backup, code: Code): NewEvent {
  return { kind: 'backup.aborted', tag: backup.tag, code }
}

/** Plain values for a checkpoint. */
export function saveBackup({ tag, session, terms, phase, overdue }: Backup): unknown {
  return { tag, session, terms, phase, overdue }
}

export function loadBackup(saved: unknown): Backup {
  const { tag, session, terms, phase, overdue } = saved as Backup
  return { ...backupOf({ tag, session, detail: terms }), phase, overdue }
}
