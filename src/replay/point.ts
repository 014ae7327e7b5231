/**
 * Points of a journal that people name: VOL[@POINT], where POINT is `seq:N`, `time:ISO`, `mark:LABEL`, `backup:NAME` or
 * `source:K`, the first K events of the trace that was recorded into the volume.
 */

import { BlockboxError } from '../core/errors.ts'
import { Columns, type Event } from '../events/columns.ts'
import { text } from '../events/detail.ts'
import { isInput } from '../events/kind.ts'
import { checkRows, type Frame } from '../journal/frame.ts'
import type { Journal } from '../journal/journal.ts'

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
const isInstant = /^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:?\d\d)$/

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
      if (isInstant.test(value) && !Number.isNaN(ms)) return { by, atNs: nanoseconds(value, ms) }
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
  const found = search.end(last)
  if (found !== undefined) return found
  const message = `the journal has no such point: ${search.what}${search.others?.() ?? ''}`
  throw new BlockboxError('NO_SUCH_POINT', message)
}

interface Search {
  readonly what: string
  /** The sequence number searched for, once it is known. */
  see(event: Event, frame: Frame): number | undefined
  end(last: number): number | undefined
  /** What there is instead, as the end of a sentence; '' for nothing. */
  others?(): string
}

/** So many names are told when another was not found. */
const mostTold = 20

/** The names there are of something, for who asked for one that is not there. */
function told(what: string, names: ReadonlySet<string>): string {
  if (names.size === 0) return `; it has no ${what}`
  const some = [...names].slice(0, mostTold).join(', ')
  return `; its ${what}s are ${some}${names.size > mostTold ? ', ...' : ''}`
}

function searchOf(point: Exclude<Point, { by: 'last' | 'seq' }>, volume: number): Search {
  switch (point.by) {
    case 'time':
      return bySearch(
        `time ${point.atNs} ns`,
        (event, frame) => frame.instantNs + BigInt(event.at) > point.atNs,
        true,
      )
    case 'mark':
      return byMark(point.name, volume)
    case 'backup':
      return byBackup(point.name)
    default:
      return bySource('number' in point ? point.number : 0, volume)
  }
}

/** The event before the first one that is past; everything when none is. */
function bySearch(what: string, past: (event: Event, frame: Frame) => boolean, toEnd: boolean): Search {
  return {
    what,
    see: (event, frame) => (isInput(event.kind) && past(event, frame) ? event.seq - 1 : undefined),
    end: (last) => (toEnd ? last : undefined),
  }
}

/** The first mark of that label on the volume; when it has none, the first of that label anywhere. */
function byMark(label: string, volume: number): Search {
  let elsewhere: number | undefined
  const known = new Set<string>()
  return {
    what: `mark ${label}`,
    see(event) {
      if (event.kind !== 'mark') return undefined
      const found = text(event.detail, 'label')
      if (found !== label) {
        if (known.size <= mostTold) known.add(found)
        return undefined
      }
      if (event.volume === volume) return event.seq
      elsewhere ??= event.seq
      return undefined
    },
    end: () => elsewhere,
    others: () => told('mark', known),
  }
}

function byBackup(name: string): Search {
  let tag = -1
  const known = new Set<string>()
  return {
    what: `a backup ${name} that reached its point in time`,
    see(event) {
      if (event.kind === 'backup.flag_set') {
        const found = text(event.detail, 'name')
        if (found === name) tag = event.tag
        else if (known.size <= mostTold) known.add(found)
      }
      return event.kind === 'backup.started' && event.tag === tag ? event.seq : undefined
    },
    end: () => undefined,
    others: () => told('other backup', known),
  }
}

/**
 * The end of the entry of the K-th event of the first session that recorded a trace into the volume. An event that
 * asks a volume for nothing left no request: then the end of what came before the next one.
 */
function bySource(number: number, volume: number): Search {
  let session = 0
  let seen = 0
  let lastOfEntry = 0
  return {
    what: `event ${number} of the recorded trace`,
    see(event) {
      if (lastOfEntry > 0) {
        if (isInput(event.kind)) return lastOfEntry
        lastOfEntry = event.seq
        return undefined
      }
      if (event.volume !== volume || event.request === 0 || !isInput(event.kind)) return undefined
      if (session === 0) {
        if (number === 0) return event.seq - 1
        session = event.session
      }
      if (event.session !== session || event.request <= seen) return undefined
      if (event.request > number) return event.seq - 1
      seen = event.request
      if (seen === number) lastOfEntry = event.seq
      return undefined
    },
    end: () => (lastOfEntry > 0 ? lastOfEntry : undefined),
  }
}
