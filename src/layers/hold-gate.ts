/** The gate of the hold queue: what becomes of a write, and what must hold of one, whoever decided it. */

import { must } from '../core/assert.ts'
import type { Event, NewEvent } from '../events/columns.ts'
import { changes } from '../events/kind.ts'
import { aborted } from './backup.ts'
import {
  askingBackups,
  coveringBackups,
  type Held,
  type HoldQueue,
  isBehind,
  isCovered,
  joined,
  left,
} from './hold-queue-state.ts'
import { inFlightOf } from './in-flight.ts'
import { pass, refuse, type Verdict, type World } from './layer.ts'
import { reached } from './preserve-state.ts'
import { endOf, type Request, requestOf } from './request.ts'

/**
 * Held is what a backup asks for, and what would overtake a held write. The session of a backup is turned away
 * instead: it would wait for its own stop.
 */
export function admit(state: HoldQueue, request: Request, world: World): Verdict {
  const held = state.flagged.get(request.volume)
  if (held === undefined || !changes(request.op)) return pass
  const asking = askingBackups(state, request, world)
  if (asking.length === 0 && !isBehind(held, request)) return pass
  if (asking.some((backup) => backup.overdue)) return refuse('E_DEADLINE')
  const { session, volume } = request
  const own = session !== 0 && coveringBackups(state, volume).some((backup) => backup.session === session)
  return own ? refuse('E_BUSY_HOLD') : bounded(state, held, request)
}

/** A write to be held, and what follows when a bound is reached: the mildest policy among those that are. */
function bounded(state: HoldQueue, held: Held, request: Request): Verdict {
  const covering = coveringBackups(state, request.volume)
  const full = covering.filter(
    (backup) => held.writes.length >= backup.maxEntries || held.bytes + request.length > backup.maxBytes,
  )
  const has = (policy: string) => full.some((backup) => backup.policy === policy)
  if (has('backpressure')) return refuse('E_AGAIN')
  let outcomes: NewEvent[] = []
  if (has('error-writes')) {
    outcomes = [...held.writes, request].map((write) => endOf('hold.failed', write, 'E_BOUND'))
  } else if (full.length > 0) outcomes = covering.map((backup) => aborted(backup, 'E_BOUND'))
  return { fate: 'held', code: 'ok', outcomes }
}

/** A write that was submitted: held in its order, or below the gate because nobody asked for it. */
export function submitted(state: HoldQueue, event: Event, world: World): void {
  if (event.fate !== 'held' && event.fate !== 'queued') return
  const held = state.flagged.get(event.volume)
  const write = requestOf(event)
  const asked = askingBackups(state, write, world).length > 0
  if (event.fate === 'queued') {
    return must(!asked, 'S1-I2', `write ${event.seq} is queued below the gate while its flag is set`)
  }
  const before = held?.writes.last()
  must(before === undefined || before.io < write.io, 'S1-I1', `write ${write.io} is held out of order`)
  must(
    held !== undefined && (asked || isBehind(held, write)),
    'S1-I6',
    `write ${event.seq} is held though no backup of volume ${event.volume} asks for it`,
  )
  joined(held, write)
}

/** A write took effect on a volume whose flag is set. */
export function tookEffect(state: HoldQueue, event: Event, world: World): void {
  const asking = askingBackups(state, requestOf(event), world)
  if (asking.length === 0) return
  const waited = event.about > 0 && event.kind.endsWith('.released')
  must(waited, 'S1-I2', `write ${event.seq} passed the gate of volume ${event.volume} while its flag is set`)
  const image = asking.find((backup) => backup.phase === 'holding')
  must(image === undefined, 'S1-I3', `event ${event.seq} changes volume ${event.volume} during a backup`)
}

/** A held write goes down to the layers below. */
export function released(state: HoldQueue, event: Event, world: World): void {
  const from = inFlightOf(world).held.get(event.about)?.volume ?? event.volume
  if (from !== event.volume && reached(world, event.session, from) === event.volume) {
    return redirected(state.flagged.get(from), event)
  }
  must(!isCovered(state, event.volume), 'S1-I9', `write ${event.about} is released during a backup`)
  takeOldest(state, event)
}

/** A write held on a base leaves for the view its session was rebound to, in order, while the base stays held. */
function redirected(held: Held | undefined, event: Event): void {
  const next = held?.leaving.shift()
  must(
    next?.io === event.about,
    'S1-I4',
    `write ${event.about} leaves for volume ${event.volume} out of turn`,
  )
  if (held!.writes.peek()?.io === next.io) held!.writes.shift()
  else held!.writes.take(next.io)
  left(held!, next)
}

/** A held write fails, which only the policy error-writes does. */
export function failed(state: HoldQueue, event: Event): void {
  const covering = coveringBackups(state, event.volume)
  const allowed = covering.some((backup) => backup.policy === 'error-writes')
  must(allowed, 'S1-I7', `write ${event.about} fails while it is held, which no backup asks for`)
  takeOldest(state, event)
}

function takeOldest(state: HoldQueue, event: Event): void {
  const held = state.flagged.get(event.volume)
  const oldest = held?.writes.peek()
  const what = `write ${event.about} leaves the queue (${event.kind})`
  must(held !== undefined && oldest !== undefined, 'S1-I4', `${what}, nothing is held`)
  must(oldest.io === event.about, 'S1-I4', `${what} before write ${oldest.io}`)
  held.writes.shift()
  left(held, oldest)
}
