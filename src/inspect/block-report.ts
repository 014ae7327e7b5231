/**
 * The report of a block's history: each step with who caused it, in words of the event, and the digests of the block's
 * bytes before and after. The keys are those of the printed JSON.
 */

import type { Event } from '../events/columns.ts'
import { flag } from '../events/kind.ts'
import type { BlockStep, Held } from './block-history.ts'
import { isoNs } from './event-record.ts'
import type { Roster } from './roster.ts'

/** In place of the digest of bytes that are missing or altered. */
export const unreadable = 'unreadable'

/** What a reader got at one time. */
export interface HeldRecord {
  /** `zeros`; 16 digits of the SHA-256 of the block's bytes; or why they are not known. */
  readonly digest: string
  /** own: the volume's own image; base, image-2: of a view; clone: not copied yet; outside: a clone never read there. */
  readonly image: string
  readonly of?: string
}

export interface BlockRecord {
  readonly seq: number
  readonly instant?: string
  readonly what: BlockStep['what']
  /** The event's kind; none when it was given up. */
  readonly kind?: string
  /** How it came about, in words. */
  readonly by: string
  readonly session?: number
  readonly host?: string
  readonly request?: number
  readonly before: HeldRecord
  readonly after: HeldRecord
  /** False for a change that left the bytes as they were. */
  readonly differs: boolean
}

/** What the report looks up. */
export interface Sources {
  readonly roster: Roster
  /** An event with its instant; undefined when it was given up. */
  event(seq: number): { readonly row: Event; readonly atNs: bigint } | undefined
  /** The digest of the block whose payload lies at a place. */
  digest(place: number): string
}

/** The record of one step of a block of `volume`. */
export function blockRecord(step: BlockStep, volume: number, sources: Sources): BlockRecord {
  const { seq, what } = step
  const before = heldRecord(step.before, volume, sources)
  const after = heldRecord(step.after, volume, sources)
  const told = before.digest !== after.digest || before.digest === unreadable
  const differs = what !== 'read' && told && step.before.place !== step.after.place
  const found = sources.event(seq)
  if (found === undefined || what === 'there') {
    const by = what === 'there' ? 'there when the journal begins' : 'an event that was given up'
    return { seq, what, by, before, after, differs }
  }
  const { row, atNs } = found
  const host = sources.roster.sessionName(row.session)
  return {
    seq,
    instant: isoNs(atNs),
    what,
    kind: row.kind,
    by: causeOf(row, volume, sources),
    ...(host !== undefined && { session: row.session, host }),
    ...(row.request > 0 && { request: row.request }),
    before,
    after,
    differs,
  }
}

/** The record of what a reader of a block of `volume` gets. */
export function heldRecord(
  held: Held,
  volume: number,
  { roster, digest }: Pick<Sources, 'roster' | 'digest'>,
): HeldRecord {
  const { place, image, volume: id } = held
  const of = id > 0 && id !== volume ? { of: roster.volumeName(id) } : {}
  if (place === undefined) return { digest: image === 'none' ? 'no volume' : 'not known', image, ...of }
  return { digest: place === 0 ? 'zeros' : digest(place), image, ...of }
}

/** What made an event change or read the block, in words. */
function causeOf(row: Event, volume: number, sources: Sources): string {
  const { roster } = sources
  const { kind, tag, about, op } = row
  const host = roster.sessionName(row.session)
  if (kind.startsWith('io.') && host !== undefined) return `${op} by ${host}${through(row, volume, roster)}`
  switch (kind) {
    case 'hold.released':
      return `${op} by ${host}, held since event ${about}${through(row, volume, roster)}`
    case 'cod.released':
      return `${op} by ${host}, queued since event ${about}${through(row, volume, roster)}`
    case 'tap.released':
      return `${op} by ${host}, forwarded since event ${about}${through(row, volume, roster)}`
    case 'copy.report':
      return copyText(row, sources)
    case 'restore.started':
      return `restore of pair ${roster.pairName(tag)} begins`
    case 'restore.cancelled':
      return `restore of pair ${roster.pairName(tag)} is cancelled`
    case 'branch.report':
      return `branch ${roster.volumeName(row.volume)} is made of the past`
    case 'branch.failed':
      return `branch ${roster.volumeName(row.volume)} is given up`
    case 'merge.block':
      return `merge of a view into ${roster.volumeName(row.volume)}`
    case 'fence.pattern_written':
      return `pattern of fence ${roster.fenceName(tag)}`
    case 'fence.meta_written':
    case 'fence.meta_restored':
      return `metadata behind fence ${roster.fenceName(tag)}`
    case 'mover.copied':
      return `data mover behind fence ${roster.fenceName(tag)}`
    default:
      return kind
  }
}

/** A write that reached this volume although it names another one. */
function through(row: Event, volume: number, roster: Roster): string {
  if (row.volume === volume) return ''
  const pair = roster.pairsFrom(row.volume).find(({ clone }) => clone === volume)
  const path = pair === undefined ? '' : `, through pair ${pair.name}`
  return ` to ${roster.volumeName(row.volume)}${path}`
}

function copyText(row: Event, { roster, event }: Sources): string {
  const pair = roster.pair(row.tag)
  const what = pair !== undefined && pair.clone === row.volume ? 'sync' : 'restore'
  const copy = `copied by the ${what} of pair ${roster.pairName(row.tag)}`
  const started = event(row.about)?.row
  if (started === undefined) return copy
  const demanded = (started.flags & flag.demand) !== 0
  if (demanded) return `${copy}, on demand of event ${started.about}`
  return what === 'sync' ? copy : `${copy}, in the background`
}
