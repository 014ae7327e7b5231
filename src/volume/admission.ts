/**
 * The admission matrix (SPEC 7.2): which command is refused because of what is already going on where.
 *
 * A row is the role in which a command is about a volume, a column what is active on that volume. The first cell
 * that refuses answers; conditions of the command's own object (unknown pair, wrong state) are its layer's.
 */

import type { Code } from '../events/code.ts'
import type { Mark, Target } from '../layers/layer.ts'

type Row = Readonly<Record<Mark, Code>>

export const admission: Readonly<Record<Target['role'], Row>> = {
  backup: {
    held: 'ok',
    'held-writes': 'ok',
    'restore-source': 'ok',
    'restore-clone': 'ok',
    'restore-u-source': 'ok',
    'restore-u-clone': 'E_BUSY_RESTORE',
    'sync-source': 'ok',
    'sync-clone': 'E_BUSY_SYNC',
  },
  pair: {
    held: 'ok',
    'held-writes': 'ok',
    'restore-source': 'E_BUSY_RESTORE',
    'restore-clone': 'E_BUSY_RESTORE',
    'restore-u-source': 'E_BUSY_RESTORE',
    'restore-u-clone': 'E_BUSY_RESTORE',
    'sync-source': 'ok',
    'sync-clone': 'E_BUSY_SYNC',
  },
  'sync-source': {
    held: 'ok',
    'held-writes': 'ok',
    'restore-source': 'E_BUSY_RESTORE',
    'restore-clone': 'E_BUSY_RESTORE',
    'restore-u-source': 'E_BUSY_RESTORE',
    'restore-u-clone': 'E_BUSY_RESTORE',
    'sync-source': 'ok',
    'sync-clone': 'E_BUSY_SYNC',
  },
  'sync-clone': {
    held: 'E_BUSY_HOLD',
    'held-writes': 'E_BUSY_HOLD',
    'restore-source': 'E_BUSY_RESTORE',
    'restore-clone': 'E_BUSY_RESTORE',
    'restore-u-source': 'E_BUSY_RESTORE',
    'restore-u-clone': 'E_BUSY_RESTORE',
    'sync-source': 'E_BUSY_SYNC',
    'sync-clone': 'E_STATE',
  },
  'restore-source': {
    held: 'E_BUSY_HOLD',
    'held-writes': 'E_BUSY_HOLD',
    'restore-source': 'E_BUSY_RESTORE',
    'restore-clone': 'E_BUSY_RESTORE',
    'restore-u-source': 'E_BUSY_RESTORE',
    'restore-u-clone': 'E_BUSY_RESTORE',
    'sync-source': 'E_STATE',
    'sync-clone': 'E_STATE',
  },
  'restore-clone': {
    held: 'ok',
    'held-writes': 'E_BUSY_HOLD',
    'restore-source': 'E_BUSY_RESTORE',
    'restore-clone': 'E_BUSY_RESTORE',
    'restore-u-source': 'E_BUSY_RESTORE',
    'restore-u-clone': 'E_BUSY_RESTORE',
    'sync-source': 'E_STATE',
    'sync-clone': 'E_STATE',
  },
  'restore-u-clone': {
    held: 'E_BUSY_HOLD',
    'held-writes': 'E_BUSY_HOLD',
    'restore-source': 'E_BUSY_RESTORE',
    'restore-clone': 'E_BUSY_RESTORE',
    'restore-u-source': 'E_BUSY_RESTORE',
    'restore-u-clone': 'E_BUSY_RESTORE',
    'sync-source': 'E_STATE',
    'sync-clone': 'E_STATE',
  },
  fracture: {
    held: 'ok',
    'held-writes': 'ok',
    'restore-source': 'E_BUSY_RESTORE',
    'restore-clone': 'E_BUSY_RESTORE',
    'restore-u-source': 'E_BUSY_RESTORE',
    'restore-u-clone': 'E_BUSY_RESTORE',
    'sync-source': 'ok',
    'sync-clone': 'ok',
  },
  cancel: {
    held: 'E_BUSY_HOLD',
    'held-writes': 'E_BUSY_HOLD',
    'restore-source': 'ok',
    'restore-clone': 'ok',
    'restore-u-source': 'ok',
    'restore-u-clone': 'ok',
    'sync-source': 'ok',
    'sync-clone': 'ok',
  },
  change: {
    held: 'E_BUSY_HOLD',
    'held-writes': 'E_BUSY_HOLD',
    'restore-source': 'E_BUSY_RESTORE',
    'restore-clone': 'E_BUSY_RESTORE',
    'restore-u-source': 'E_BUSY_RESTORE',
    'restore-u-clone': 'E_BUSY_RESTORE',
    'sync-source': 'E_BUSY_SYNC',
    'sync-clone': 'E_BUSY_SYNC',
  },
}

/** The code of the first cell that refuses; ok when none does. */
export function admitted(targets: readonly Target[], marks: (volume: number) => readonly Mark[]): Code {
  for (const { role, volume } of targets) {
    for (const mark of marks(volume)) {
      const code = admission[role][mark]
      if (code !== 'ok') return code
    }
  }
  return 'ok'
}
