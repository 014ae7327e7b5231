/**
 * The timeline of a history: what lasted, as spans with how each ended; what happened at a moment, as points; and how
 * many requests there were and waited, by interval.
 *
 *     backup ├──────┤ stopped     restore ├───╌╌(paused)╌╌────┤ completed     recorder ├───────┤ crashed
 *                     mark ◆      refused command ◆
 */

import type { Event } from '../events/columns.ts'
import { count, counts, text } from '../events/detail.ts'
import { changes, type Kind } from '../events/kind.ts'
import type { Names } from './names.ts'
import { Scope } from './scope.ts'
import { Series } from './series.ts'
import { beginnings, endings, noted, type SpanKind, savedNote } from './span-kind.ts'
import type { Moment, Witness } from './witness.ts'

export interface Span {
  readonly what: SpanKind
  readonly name: string
  readonly volumes: readonly string[]
  /** Undefined for what was there when the journal begins. */
  readonly begin: Moment | undefined
  end: Moment | undefined
  /** `running` as long as it has no end. */
  outcome: string
  /** What happened on the way: pauses, failures, writes held and released. */
  readonly notes: string[]
}

/** Something that lasted no time. */
export interface Point extends Moment {
  readonly what: 'mark' | 'refused' | 'crash' | 'created' | 'deleted'
  readonly name: string
  readonly volumes: readonly string[]
}

/** The most points that are kept; more are counted. */
const pointsMost = 100_000

export class Timeline implements Witness {
  readonly spans: Span[] = []
  readonly points: Point[] = []
  /** Points that were not kept. */
  morePoints = 0
  readonly reads = new Series('sum')
  readonly writes = new Series('sum')
  readonly waiting = new Series('level')
  /** Since when the series count: the first event of the scope, or 0. */
  begin = 0
  #begun = false
  #waits = 0
  readonly #names: Names
  readonly #scope: Scope
  readonly #open = new Map<string, Span>()
  /** Volumes by session: their numbers, and their names in its span. */
  readonly #usedBy = new Map<number, { readonly ids: Set<number>; readonly volumes: string[] }>()
  readonly #held = new Map<string, HeldSum>()
  /** Backups that ended and held writes still: those leave later. */
  readonly #leaving = new Map<Span, HeldSum>()
  /** The event before. */
  #last: Moment | undefined

  /**
   * @param names those who were there before the first event.
   * @param scope the requests that the series count.
   */
  constructor(names: Names, scope = new Scope()) {
    this.#names = names
    this.#scope = scope
  }

  see(event: Event, at: number): void {
    if (!this.#begun && event.seq >= this.#scope.from) this.#beginSeries(at)
    const before = this.#last
    this.#last = { seq: event.seq, at }
    if (event.op !== 'none' || event.about !== 0) this.#count(event, at)
    if (event.op !== 'none') return
    this.#names.note(event)
    const moment = { seq: event.seq, at }
    if (event.kind === 'engine.started') this.#restart(moment, before ?? moment)
    const begins = beginnings[event.kind]
    if (begins !== undefined) this.#begin(begins, event, moment)
    const ends = endings[event.kind]
    if (ends !== undefined) this.#end(ends[0], ends[1], event, moment)
    const note = noted[event.kind]
    if (note !== undefined)
      this.#open.get(keyOf(note[0], event))?.notes.push(`${note[1]} at event ${event.seq}`)
    this.#point(event, moment)
  }

  #count(event: Event, at: number): void {
    const { kind, fate, op, about } = event
    if (kind.startsWith('io.') && about === 0) {
      if (event.session > 0) this.#used(event)
      if (this.#begun && this.#scope.isOf(event)) {
        if (op === 'read') this.reads.add(at - this.begin, 1)
        else if (changes(op)) this.writes.add(at - this.begin, 1)
      }
    }
    const enters = about === 0 && (fate === 'held' || fate === 'queued' || fate === 'forwarded')
    const leaves =
      (about > 0 && kind.endsWith('.released') && fate !== 'queued' && fate !== 'forwarded') ||
      enders.has(kind)
    if ((enters || leaves) && this.#scope.isOf(event)) {
      this.#waits = enters ? this.#waits + 1 : Math.max(0, this.#waits - 1)
      if (this.#begun) this.waiting.add(at - this.begin, this.#waits)
    }
    if (fate === 'held') this.#backups((sum) => sum.held++)
    else if (kind === 'hold.released') this.#backups((sum) => sum.released++)
    else if (kind === 'hold.dropped' || kind === 'hold.failed') this.#backups((sum) => sum.dropped++)
    if (this.#leaving.size > 0 && isHeldEnd(kind)) this.#leaves(event)
  }

  /** From here on the series count; those who wait already do. */
  #beginSeries(at: number): void {
    this.#begun = true
    if (this.#scope.from > 0) this.begin = at
    if (this.#waits > 0) this.waiting.add(0, this.#waits)
  }

  /** A session is about the volumes that it asks for something. */
  #used({ session, volume }: Event): void {
    const used = this.#usedBy.get(session)
    if (used === undefined || volume === 0 || used.ids.has(volume)) return
    used.ids.add(volume)
    used.volumes.push(this.#names.volume(volume))
  }

  #backups(change: (sum: HeldSum) => void): void {
    for (const [key, span] of this.#open) {
      if (span.what !== 'backup') continue
      const sum = this.#held.get(key) ?? { held: 0, released: 0, dropped: 0 }
      change(sum)
      this.#held.set(key, sum)
    }
  }

  /** A write leaves the queue of a backup that expired or was aborted before: its last note says how many did. */
  #leaves({ kind, volume }: Event): void {
    const name = this.#names.volume(volume)
    for (const [span, sum] of this.#leaving) {
      if (!span.volumes.includes(name)) continue
      if (kind === 'hold.released') sum.released++
      else sum.dropped++
      span.notes[span.notes.length - 1] = heldText(sum)
      if (sum.released + sum.dropped >= sum.held) this.#leaving.delete(span)
    }
  }

  #begin(what: SpanKind, event: Event, begin: Moment): void {
    const name = this.#nameOf(what, event)
    const span: Span & { readonly volumes: string[] } = {
      what,
      name,
      volumes: this.#volumesOf(what, event),
      begin,
      end: undefined,
      outcome: 'running',
      notes: [],
    }
    if (event.kind === 'restore.started') {
      const kind = event.detail.protected === true ? 'protected' : 'unprotected'
      span.notes.push(`${kind}, ${count(event.detail, 'cdmCount')} extents differ`)
    }
    if (what === 'session') this.#usedBy.set(event.session, { ids: new Set(), volumes: span.volumes })
    this.#open.set(keyOf(what, event), span)
    this.spans.push(span)
  }

  /** Ends what runs; what began before the record is told with its end alone. */
  #end(what: SpanKind, outcome: string, event: Event, end: Moment): void {
    const key = keyOf(what, event)
    let span = this.#open.get(key)
    if (span === undefined) {
      if (event.kind === 'pair.fractured' || event.kind === 'session.closed') return
      const volumes = this.#volumesOf(what, event)
      span = { what, name: this.#nameOf(what, event), volumes, begin: undefined, end, outcome, notes: [] }
      this.spans.push(span)
    }
    if (event.kind === 'fence.aborted' && span.notes.some((note) => note.startsWith(savedNote))) {
      span.notes.push(`aborted ${event.code} at event ${event.seq}`)
      return
    }
    this.#open.delete(key)
    span.end = end
    span.outcome = event.code === 'ok' ? outcome : `${outcome} ${event.code}`
    const sum = this.#held.get(key)
    if (sum !== undefined) {
      span.notes.push(heldText(sum))
      this.#held.delete(key)
      if (sum.released + sum.dropped < sum.held) this.#leaving.set(span, sum)
    }
  }

  /** The recorder begins: one that did not stop crashed, and its sessions with it, after the last event it wrote. */
  #restart(start: Moment, end: Moment): void {
    this.#waits = 0
    for (const [key, span] of this.#open) {
      if (span.what === 'recorder')
        this.#addPoint({ ...start, what: 'crash', name: 'found at the next start', volumes: [] })
      const outcome = endedByCrash[span.what]
      if (outcome === undefined) continue
      span.end = end
      span.outcome = outcome
      this.#open.delete(key)
    }
  }

  #point(event: Event, moment: Moment): void {
    const { kind, detail, code, volume } = event
    const volumes = volume === 0 ? [] : [this.#names.volume(volume)]
    if (kind === 'volume.deleted' || kind === 'pair.deleted') this.#deleted(event, moment)
    else if (kind === 'mark')
      this.#addPoint({ ...moment, what: 'mark', name: text(detail, 'label'), volumes })
    else if (kind === 'command.refused') {
      this.#addPoint({ ...moment, what: 'refused', name: `${text(detail, 'command')} ${code}`, volumes })
    } else if (kind === 'volume.created' || kind === 'branch.started' || kind === 'pair.created') {
      const what = kind === 'pair.created' ? `pair ${text(detail, 'name')}` : `volume ${text(detail, 'name')}`
      this.#addPoint({ ...moment, what: 'created', name: what, volumes: this.#volumesOf('sync', event) })
    }
  }

  #deleted(event: Event, moment: Moment): void {
    const isPair = event.kind === 'pair.deleted'
    const name = isPair
      ? `pair ${this.#names.subject(event.kind, event.tag)}`
      : `volume ${this.#names.volume(event.volume)}`
    this.#addPoint({ ...moment, what: 'deleted', name, volumes: this.#volumesOf('sync', event) })
  }

  #addPoint(point: Point): void {
    if (this.points.length < pointsMost) this.points.push(point)
    else this.morePoints++
  }

  #nameOf(what: SpanKind, event: Event): string {
    const { detail, session } = event
    if (what === 'recorder') return detail.epoch === undefined ? '' : `epoch ${count(detail, 'epoch')}`
    if (what === 'recovery') return ''
    if (what === 'run') return text(detail, 'scenario')
    if (what === 'session')
      return detail.name === undefined ? `#${session}` : `${text(detail, 'name')} (${session})`
    if (what === 'tap') return detail.uri === undefined ? '' : text(detail, 'uri')
    if (what === 'view' || what === 'merge') return this.#names.volume(event.volume)
    return this.#names.subject(event.kind, event.tag)
  }

  #volumesOf(what: SpanKind, event: Event): string[] {
    if (event.kind === 'preserve.created') return [this.#names.volume(count(event.detail, 'base'))]
    if (event.kind === 'backup.flag_set')
      return counts(event.detail, 'volumes').map((id) => this.#names.volume(id))
    if (event.volume > 0) return [this.#names.volume(event.volume)]
    const isTagged = what === 'sync' || what === 'restore' || what === 'backup' || what === 'fence'
    return isTagged ? this.#names.volumesOf(event.kind, event.tag) : []
  }
}

interface HeldSum {
  held: number
  released: number
  dropped: number
}

function heldText({ held, released, dropped }: HeldSum): string {
  return `${held} writes held, ${released} released, ${dropped} dropped`
}

function isHeldEnd(kind: Kind): boolean {
  return kind === 'hold.released' || kind === 'hold.dropped' || kind === 'hold.failed'
}

/** What a crash makes of what was going on; the rest goes on when the recorder begins anew. */
const endedByCrash: Readonly<Partial<Record<SpanKind, string>>> = {
  recorder: 'crashed',
  recovery: 'crashed',
  session: 'cut off',
  run: 'cut off',
  tap: 'cut off',
}

const enders: ReadonlySet<Kind> = new Set<Kind>(['hold.dropped', 'hold.failed', 'io.failed', 'io.lost'])

/** What a span is told apart by while it is open. */
function keyOf(what: SpanKind, event: Event): string {
  if (what === 'recorder' || what === 'recovery' || what === 'run') return what
  if (what === 'session') return `session ${event.session}`
  if (what === 'view' || what === 'merge' || what === 'tap') return `${what} ${event.volume}`
  return `${what} ${event.tag}`
}
