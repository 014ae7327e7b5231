/**
 * A host request as the layers see it, and as it waits: everything needed to judge it again and to let it take
 * effect later, without looking back at its input.
 */

import type { Code } from '../events/code.ts'
import type { Event, NewEvent } from '../events/columns.ts'
import type { Fate, Op } from '../events/kind.ts'

export interface Request {
  /** Sequence number of the input that submitted it: its identity and its place in the order. */
  readonly io: number
  readonly session: number
  /** The host's own number of the request. */
  readonly request: number
  readonly volume: number
  readonly op: Op
  readonly flags: number
  readonly offset: number
  readonly length: number
  readonly payload: number
}

/** The request that an I/O input, or its release, is about. */
export function requestOf(event: Event): Request {
  return {
    io: event.about === 0 ? event.seq : event.about,
    session: event.session,
    request: event.request,
    volume: event.volume,
    op: event.op,
    flags: event.flags,
    offset: event.offset,
    length: event.length,
    payload: event.payload,
  }
}

/**
 * The columns a release repeats, so that its row alone says what takes effect, and what the gates said. Where merged
 * blocks take effect, whoever records it puts their place in (sub-block.ts).
 */
export function releaseOf(
  kind: 'hold.released' | 'cod.released' | 'tap.released',
  request: Request,
  fate: Fate,
  code: Code,
): NewEvent {
  const { io, session, request: number, volume, op, flags, offset, length, payload } = request
  return { kind, fate, code, about: io, session, request: number, volume, op, flags, offset, length, payload }
}

/** The columns of an outcome that ends a waiting request without effect. */
export function endOf(
  kind: 'hold.dropped' | 'hold.failed' | 'io.lost' | 'io.failed',
  request: Request,
  code: NonNullable<NewEvent['code']>,
): NewEvent {
  const { io, session, volume } = request
  return { kind, session, request: request.request, volume, code, about: io }
}
