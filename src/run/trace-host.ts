/**
 * A host that plays a trace: each event becomes a request on one volume, numbered by its place in the trace, so that
 * the record leads back to it. Writes whose trace carries no payload get content made from (seed, volume, offset,
 * version).
 */

import { syntheticContent } from '../core/prng.ts'
import type { Ask, IoAsk } from '../engine/ask.ts'
import { flag } from '../events/kind.ts'
import type { TraceEvent } from '../trace/event.ts'

export interface TraceTarget {
  readonly session: number
  /** The volume's number and size in bytes. */
  readonly volume: number
  readonly size: number
  readonly seed: number
  /** Offsets past the end are taken modulo the size, and ranges cut at the end. */
  readonly wrap?: boolean
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
  const { offset, length } = rangeOf(event, target)
  if (kind !== 'io.write') return { ...asked, offset, length }
  return { ...asked, offset, data: contentOf(event, target, offset, length) }
}

function rangeOf(event: TraceEvent, target: TraceTarget): { offset: number; length: number } {
  const offset = event.offset ?? 0
  const length = event.length ?? 0
  if (target.wrap !== true) return { offset, length }
  const wrapped = offset % target.size
  return { offset: wrapped, length: Math.min(length, target.size - wrapped) }
}

function contentOf(event: TraceEvent, target: TraceTarget, offset: number, length: number): Uint8Array {
  if (event.data !== undefined) return event.data.slice(0, length)
  const start = Math.floor(offset / 512) * 512
  const content = { seed: target.seed, volume: target.volume, offset: start, version: event.index + 1 }
  const sectors = Math.ceil((offset + length - start) / 512) * 512
  return syntheticContent(content, sectors).subarray(offset - start, offset - start + length)
}
