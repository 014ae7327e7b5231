/**
 * The row and the column that taps have in the admission matrix. The content of a tapped volume is another server's, so
 * nothing here may change it: no restore, clone, fence or merge into it; what only reads it goes on.
 */

import type { Code } from '../events/code.ts'
import type { Mark, Target } from '../layers/layer.ts'

type Role = Target['role']
type Row = Readonly<Record<Mark, Code>>

/** The matrix without taps. */
export type Others = Readonly<Record<Exclude<Role, 'tap'>, Omit<Row, 'tapped'>>>

/** What a tapped volume answers to a command about it, by the role it has there. */
const tapped: Readonly<Record<Role, Code>> = {
  backup: 'ok',
  'backup-physical': 'ok',
  pair: 'ok',
  'sync-source': 'ok',
  'sync-clone': 'E_TAPPED',
  'restore-source': 'E_TAPPED',
  'restore-clone': 'ok',
  'restore-u-clone': 'E_TAPPED',
  fracture: 'ok',
  preserve: 'ok',
  drop: 'ok',
  merge: 'E_TAPPED',
  rebind: 'E_TAPPED',
  cancel: 'ok',
  change: 'E_TAPPED',
  fence: 'E_TAPPED',
  tap: 'E_ALREADY',
}

/** What a volume answers that is to be tapped. A restore may go on: it may be what keeps the old content. */
const tap: Omit<Row, 'tapped'> = {
  held: 'E_BUSY_HOLD',
  'held-writes': 'E_BUSY_HOLD',
  'overlay-base': 'ok',
  'overlay-view': 'E_CHAIN',
  merging: 'E_BUSY_MERGE',
  'restore-source': 'ok',
  'restore-clone': 'E_BUSY_RESTORE',
  'restore-u-source': 'E_BUSY_RESTORE',
  'restore-u-clone': 'E_BUSY_RESTORE',
  'sync-source': 'E_BUSY_SYNC',
  'sync-clone': 'E_BUSY_SYNC',
  fenced: 'E_FENCED',
  'fenced-own': 'E_FENCED',
  'fenced-own-full': 'E_FENCED',
}

/** The whole matrix. */
export function withTaps(others: Others): Readonly<Record<Role, Row>> {
  const rows = Object.entries({ ...others, tap }) as [Role, Omit<Row, 'tapped'>][]
  return Object.fromEntries(rows.map(([role, row]) => [role, { ...row, tapped: tapped[role] }])) as Record<
    Role,
    Row
  >
}
