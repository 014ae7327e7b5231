/** What a command made: a session, a volume or view, a backup, a pair, a device or a fence, by its number. */

import type { NewEvent } from './columns.ts'

/** The number of what an outcome brings into being; 0 for outcomes that bring nothing. */
export function madeBy({ kind, session = 0, volume = 0, tag = 0 }: NewEvent): number {
  switch (kind) {
    case 'session.opened':
      return session
    case 'volume.created':
    case 'preserve.created':
    case 'branch.started':
      return volume
    case 'backup.flag_set':
    case 'pair.created':
    case 'device.created':
    case 'fence.requested':
      return tag
    default:
      return 0
  }
}
