/**
 * A host that plays a trace: each event becomes a request on one volume, numbered by its place in the trace, so that
 * the record leads back to it. Writes whose trace carries no payload get content made from (seed, volume, offset,
 * version).
 */

import { syntheticContent } from '../core/prng.ts'
import type { Ask, IoAsk } from '../engine/ask.ts'
import { flag } from '../events/kind.ts'
import type { TraceEvent } from '../trace/event.ts'
import { type Placed, placed, type Remap } from './remap.ts'

export interface TraceTarget {
  readonly session: number
  /** The volume's number and size in bytes. */
  readonly volume: number
  readonly size: number
  readonly seed: number
  /** Where requests go instead of where the trace has them; `isPlayed` is asked before. */
  readonly remap?: Remap
}

const kinds = {
  read: 'io.read',
  write: 'io.write',
  discard: 'io.discard',
  zero: 'io.zeroes',
  flush: 'io.flush',
} as const

/** The request an event asks for; undefined for events that ask a volume for nothing (open, close, wait ...). */
export function askOf(event: TraceEvent, target: TraceTarget): Ask | undefined {
  const { session, volume } = target
  const request = event.index + 1
  if (event.op === 'mark') {
    return { kind: 'mark', session, volume, request, detail: { label: (event.label ?? '').slice(0, 4096) } }
  }
  if (!(event.op in kinds)) return undefined
  const kind = kinds[event.op as keyof typeof kinds]
  const flags = (event.flags.includes('FUA') ? flag.fua : 0) | (event.flags.includes('META') ? flag.meta : 0)
  const asked = { kind, session, volume, request, flags } satisfies IoAsk
  if (kind === 'io.flush') return asked
  const place = placeOf(event, target)
  const { offset, length } = place
  if (kind !== 'io.write') return { ...asked, offset, length }
  return { ...asked, offset, data: contentOf(event, target, place) }
}

function placeOf(event: TraceEvent, { remap, size }: TraceTarget): Placed {
  const range = { offset: event.offset ?? 0, length: event.length ?? 0 }
  return remap === undefined ? { ...range, lead: 0, body: range.length } : placed(remap, range, size)
}

/** The payload of the trace where it has one; what a range was rounded out by, or has no payload, is made. */
function contentOf(event: TraceEvent, target: TraceTarget, place: Placed): Uint8Array {
  const { offset, length, lead, body } = place
  if (event.data !== undefined && length === body) return event.data.slice(0, length)
  const start = Math.floor(offset / 512) * 512
  const content = { seed: target.seed, volume: target.volume, offset: start, version: event.index + 1 }
  const sectors = Math.ceil((offset + length - start) / 512) * 512
  const made = syntheticContent(content, sectors).subarray(offset - start, offset - start + length)
  if (event.data !== undefined) made.set(event.data.subarray(0, body), lead)
  return made
}
