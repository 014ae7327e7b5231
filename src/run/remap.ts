/**
 * Remap: where the requests of a trace go on the volume they are played on.
 *
 *     device, operation ─▶ left out?      range ─▶ scaled ─▶ shifted ─▶ wrapped and cut ─▶ rounded out
 *
 * Each step may be missing. Scaling moves offsets and leaves lengths, as fio's replay_scale does. What still reaches
 * past the end of the volume is asked for all the same and refused on the record.
 */

import type { Range } from '../core/range.ts'
import type { TraceEvent } from '../trace/event.ts'

export interface Remap {
  /** The devices of the trace that are played, by its own names; empty: all. */
  readonly devices: readonly string[]
  /** Several devices may lie over each other on the volume; without it that is refused. */
  readonly mergeDevices: boolean
  /** The operations that are played; empty: all. */
  readonly only: readonly string[]
  /** The operations that are left out. */
  readonly skip: readonly string[]
  /** Offsets are multiplied by the first and divided by the second number, both whole and positive. */
  readonly scale: readonly [times: number, by: number]
  /** Bytes added to offsets; may be negative. */
  readonly shift: number
  /** Offsets modulo the size of the volume, ranges cut at its end. */
  readonly wrap: boolean
  /** Ranges are rounded out to multiples of this; 0 leaves them. */
  readonly align: number
}

export const plainRemap: Remap = {
  devices: [],
  mergeDevices: false,
  only: [],
  skip: [],
  scale: [1, 1],
  shift: 0,
  wrap: false,
  align: 0,
}

/** A range on the volume; `lead` bytes of it lie before what the trace asked for, `body` bytes are that. */
export interface Placed extends Range {
  readonly lead: number
  readonly body: number
}

/** False for events that are left out. */
export function isPlayed({ devices, only, skip }: Remap, { op, dev }: TraceEvent): boolean {
  if (devices.length > 0 && !devices.includes(dev ?? '')) return false
  return (only.length === 0 || only.includes(op)) && !skip.includes(op)
}

/** Where a range of the trace lies on a volume of `size` bytes. */
export function placed(remap: Remap, range: Range, size: number): Placed {
  const { shift, wrap, align } = remap
  let offset = scaled(range.offset, remap.scale) + shift
  let body = range.length
  if (wrap) {
    offset = ((offset % size) + size) % size
    body = Math.min(body, size - offset)
  }
  if (align === 0 || body === 0) return { offset, length: body, lead: 0, body }
  const from = Math.floor(offset / align) * align
  const to = Math.ceil((offset + body) / align) * align
  const end = offset + body <= size ? Math.min(to, size) : to
  return { offset: from, length: end - from, lead: offset - from, body }
}

/** Exact: the product may pass 2^53. */
function scaled(offset: number, [times, by]: Remap['scale']): number {
  const product = offset * times
  if (Number.isSafeInteger(product)) return Math.floor(product / by)
  return Number((BigInt(offset) * BigInt(times)) / BigInt(by))
}

/** Reads a scale: `2`, `0.25` or `1/3`; undefined for what is none. */
export function parseScale(text: string): readonly [times: number, by: number] | undefined {
  const form = /^(\d{1,9})(?:\.(\d{1,6})|\/(\d{1,9}))?$/.exec(text)
  if (form === null) return undefined
  const [, whole = '', fraction = '', divisor = '1'] = form
  const times = Number(whole + fraction)
  const by = Number(divisor) * 10 ** fraction.length
  return times > 0 && by > 0 ? [times, by] : undefined
}
