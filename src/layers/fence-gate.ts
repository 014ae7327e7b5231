/**
 * The gate of a fence: whom it stops, and what of those who went through it must be true.
 *
 *                       OTHERS: read metadata  write metadata  covered data   OWNER: writes covered data
 *     closing ... raising       refused        refused         refused               try again
 *     fenced, ready, stuck      pattern        refused         refused               begin the operation first
 *     operating                 pattern        refused         refused               go
 *     lowering                  as it is       refused         refused               try again
 *
 * An advisory fence lets others through and records what they do once it is up; before, it refuses metadata writes
 * alone, which lowering would otherwise revert. A request that touches a fence with one block is refused whole.
 */

import { must } from '../core/assert.ts'
import type { Range } from '../core/range.ts'
import type { Code } from '../events/code.ts'
import type { Event } from '../events/columns.ts'
import { changes, type Op } from '../events/kind.ts'
import { type Fence, isClosing, type Trespass } from './fence-state.ts'

interface Asked extends Range {
  readonly session: number
  readonly op: Op
}

/** Why a request is stopped; undefined when it is not. */
export function barred(fence: Fence, request: Asked): Code | undefined {
  if (request.op === 'flush') return undefined
  const metadata = fence.meta.touches(request)
  const data = fence.data.touches(request)
  if (!metadata && !data) return undefined
  const write = changes(request.op)
  const closing = isClosing(fence)
  if (request.session === fence.owner) {
    if (!write) return undefined
    if (closing || fence.phase === 'lowering') return 'E_AGAIN'
    if (metadata) return 'E_FENCED'
    return fence.phase === 'operating' ? undefined : 'E_STATE'
  }
  if (fence.advisory) return closing && write && metadata ? 'E_FENCED' : undefined
  return closing || write || data ? 'E_FENCED' : undefined
}

/** A refusal for the sake of a fence must be of a request that touches one. */
export function refusedBy(fences: readonly Fence[], event: Event): void {
  const touched = fences.some(({ meta, data }) => meta.touches(event) || data.touches(event))
  must(touched, 'S0-I6', `request ${event.request} is refused though it touches no fence`)
}

/** A read went, or a request waits below: others are noted where the fence is advisory. */
export function passedBy(fence: Fence, event: Event): void {
  if (event.session === fence.owner || event.op === 'flush') return
  if (event.op === 'read') return looked(fence, event)
  if (fence.meta.touches(event) || fence.data.touches(event)) intruded(fence, event)
}

function looked(fence: Fence, event: Event): void {
  const early = isClosing(fence)
  if (!fence.data.touches(event) && !(early && fence.meta.touches(event))) return
  must(fence.advisory, 'S0-I5', `read ${event.request} goes behind fence ${fence.name}`)
  if (!early) fence.trespasses.push(trespassOf(event))
}

/** A write of another takes its way: stopped by an enforced fence, recorded by an advisory one. */
function intruded(fence: Fence, event: Event): void {
  const early = isClosing(fence)
  const allowed = fence.advisory && !(early && fence.meta.touches(event))
  must(allowed, 'S0-I5', `write ${event.request} goes behind fence ${fence.name}`)
  if (!early) fence.trespasses.push(trespassOf(event))
}

function trespassOf({ seq, session, request, offset, length }: Event): Trespass {
  return { io: seq, session, request, offset, length }
}

/** Something takes effect on the volume: what may, and what the fence learns from it. */
export function effectOn(fence: Fence, event: Event): void {
  const metadata = fence.meta.touches(event)
  const data = fence.data.touches(event)
  if (!metadata && !data) return
  const { kind, name } = { kind: event.kind, name: fence.name }
  const host = kind.startsWith('io.')
  if (!host && kind !== 'hold.released' && kind !== 'cod.released') {
    const own = event.tag === fence.tag && (kind.startsWith('fence.') || kind === 'mover.copied')
    return must(own, 'S0-I4', `${kind} writes behind fence ${name}`)
  }
  if (event.session === fence.owner) {
    must(!metadata || fence.phase === 'closing', 'S0-I4', `the owner writes metadata of fence ${name}`)
    if (fence.phase === 'closing' && !host) return
    must(!isClosing(fence), 'S0-I2', `the owner writes data before fence ${name} is raised`)
    must(fence.phase !== 'lowering', 'S0-I3', `the owner writes data while fence ${name} is lowered`)
    must(
      fence.phase === 'operating' || !host,
      'S0-I2',
      `the owner writes before its operation behind ${name}`,
    )
    fence.dirty = true
    if (fence.phase === 'fenced') fence.phase = 'stuck'
    return
  }
  if (host) return intruded(fence, event)
  const drained = fence.phase === 'closing' || fence.advisory
  must(drained, 'S0-I5', `write ${event.about} takes effect behind fence ${name}`)
}
