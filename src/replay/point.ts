/**
 * Points of a journal that people name: VOL[@POINT], where POINT is `seq:N`, `time:ISO`, `mark:LABEL`, `backup:NAME` or
 * `source:K`, the first K events of the trace that was recorded into the volume.
 */

import { BlockboxError } from '../core/errors.ts'
import { Columns } from '../events/columns.ts'
import { checkRows } from '../journal/frame.ts'
import type { Journal } from '../journal/journal.ts'
import { byBackup, byMark, bySource, byTime, type Search } from './point-search.ts'

export type Point =
  | { readonly by: 'last' }
  | { readonly by: 'seq' | 'source'; readonly number: number }
  | { readonly by: 'time'; readonly atNs: bigint }
  | { readonly by: 'mark' | 'backup'; readonly name: string }

/** Parses `VOL` or `VOL@POINT`. Throws USAGE. */
export function parseAddress(address: string): { readonly volume: string; readonly point: Point } {
  const at = address.indexOf('@')
  if (at < 0) return { volume: address, point: { by: 'last' } }
  return { volume: address.slice(0, at), point: parsePoint(address.slice(at + 1)) }
}

/** With its zone: without one the same text would be another instant on another machine. */
const isInstant = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)$/

/** Whether a calendar has the day of an instant: Date takes 31 November for 1 December. */
function isDay(iso: string): boolean {
  const [year, month, day] = (isInstant.exec(iso) ?? []).slice(1).map(Number)
  if (year === undefined || month === undefined || day === undefined) return false
  const date = new Date(Date.UTC(year, month - 1, day))
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
}

/** Parses POINT. Throws USAGE. */
export function parsePoint(point: string): Point {
  const colon = point.indexOf(':')
  const by = point.slice(0, colon)
  const value = point.slice(colon + 1)
  switch (by) {
    case 'seq':
    case 'source': {
      const number = Number(value)
      if (/^\d+$/.test(value) && Number.isSafeInteger(number)) return { by, number }
      break
    }
    case 'time': {
      const ms = Date.parse(value)
      if (isDay(value) && !Number.isNaN(ms)) return { by, atNs: nanoseconds(value, ms) }
      break
    }
    case 'mark':
    case 'backup':
      if (value.length > 0) return { by, name: value }
      break
    default:
  }
  const forms = 'seq:N, time:2026-01-31T12:00:00Z, mark:LABEL, backup:NAME or source:K'
  throw new BlockboxError('USAGE', `"${point}" is no point: write ${forms}`)
}

/** Fractions of a second beyond the milliseconds that Date knows. */
function nanoseconds(iso: string, ms: number): bigint {
  const fraction = /\.(\d+)/.exec(iso)?.[1] ?? ''
  const beyond = fraction.padEnd(9, '0').slice(3, 9)
  return BigInt(ms) * 1_000_000n + BigInt(beyond === '' ? 0 : beyond)
}

/** The sequence number a point names on volume `volume`. Throws NO_SUCH_POINT. */
export async function seqOf(
  journal: Journal,
  point: Point,
  volume: number,
  signal?: AbortSignal,
): Promise<number> {
  const { first, last } = journal.bounds()
  if (point.by === 'last') return last
  if (point.by === 'seq') return point.number
  const search = searchOf(point, volume)
  const columns = new Columns()
  for await (const frame of journal.read(first)) {
    signal?.throwIfAborted()
    const row = frame.open(columns)
    checkRows(frame, row)
    for (row.index = 0; row.index < frame.count; row.index++) {
      const found = search.see(row, frame)
      if (found !== undefined) return found
    }
  }
  return search.end(last)
}

function searchOf(point: Exclude<Point, { by: 'last' | 'seq' }>, volume: number): Search {
  switch (point.by) {
    case 'time':
      return byTime(point.atNs)
    case 'mark':
      return byMark(point.name, volume)
    case 'backup':
      return byBackup(point.name, volume)
    default:
      return bySource('number' in point ? point.number : 0, volume)
  }
}
