/**
 * Independence: a backup holds only what its command reaches, by name, by device, or as the source of a clone that
 * follows; a volume that shares no device with it goes on (X-I7).
 */

import { counts } from '../events/detail.ts'
import { reached } from '../layers/backup-scope.ts'
import type { MakeCheck } from './check.ts'

export const disjoint: MakeCheck = (report) => {
  let asked: ReadonlySet<number> = new Set()
  return {
    rules: ['X-I7'],
    before(event, world) {
      if (event.kind === 'backup.start') asked = new Set(reached(event.detail, world))
      if (event.kind !== 'backup.flag_set') return
      for (const volume of counts(event.detail, 'volumes')) {
        if (asked.has(volume)) continue
        const detail = `backup ${event.tag} holds volume ${volume}, which its command does not reach`
        report({ seq: event.seq, rule: 'X-I7', detail })
      }
    },
  }
}
