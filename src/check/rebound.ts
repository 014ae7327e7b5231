/** A session that was rebound to a view writes to its base no more (X-I8): image 1 stays as the backup reads it. */

import { takesEffect } from '../events/columns.ts'
import { reached } from '../layers/preserve-state.ts'
import type { MakeCheck } from './check.ts'

export const rebound: MakeCheck = (report) => ({
  rules: ['X-I8'],
  before(event, world) {
    if (!takesEffect(event) || event.session === 0) return
    const view = reached(world, event.session, event.volume)
    if (view === event.volume) return
    const detail = `a write of session ${event.session} reaches volume ${event.volume}, it was rebound to ${view}`
    report({ seq: event.seq, rule: 'X-I8', detail })
  },
})
