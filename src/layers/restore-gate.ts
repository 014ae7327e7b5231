/** What must hold of a request at the gate of a restoring source, whoever decided it. */

import { must } from '../core/assert.ts'
import type { Event } from '../events/columns.ts'
import type { World } from './layer.ts'
import { requestOf } from './request.ts'
import { blockers, deltaMapOf, isBehind, type Restore } from './restore-state.ts'

/** What a request must have found when it passed the gate. */
export function checkPassed(one: Restore, event: Event, world: World): void {
  const request = requestOf(event)
  const cdm = deltaMapOf(world, one.tag)
  for (const e of blockers(one, cdm, request, world)) {
    must(!one.gate.copying.get(e), 'S3-I3', `request ${request.io} passed extent ${e} during its copy`)
    must(false, 'S3-I4', `request ${request.io} passed extent ${e}, which still needs its copy`)
  }
}

/** What a request must have found when it was queued. */
export function mayWait(one: Restore, event: Event, world: World): void {
  const request = requestOf(event)
  const waits = blockers(one, deltaMapOf(world, one.tag), request, world).length > 0 || isBehind(one, request)
  must(waits, 'S3-I8', `request ${request.io} is queued though nothing it touches is waited for`)
}
