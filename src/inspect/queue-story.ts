/**
 * What waited over a history, in the hold queue and for copies: how long, how it ended, how many at a time; and what was
 * refused.
 *
 *     held ──▶ hold.released ──▶ (queued ──▶ cod.released)       held ──▶ hold.dropped, hold.failed
 *     queued ──▶ cod.released │ io.failed │ io.lost        forwarded ──▶ tap.released │ io.failed │ io.lost
 */

import type { Event } from '../events/columns.ts'
import type { Op } from '../events/kind.ts'
import { Scope } from './scope.ts'
import { Series } from './series.ts'
import { Spread, Top } from './spread.ts'
import type { Moment, Witness } from './witness.ts'

/** A request in one of the queues. */
export interface Waited extends Moment {
  readonly session: number
  readonly request: number
  readonly volume: number
  readonly op: Op
  readonly offset: number
  readonly length: number
  ns: number
  /** The kind of the event that ended the wait, and its code; still waiting without one. */
  end: string
  code: string
}

/** One of the two queues. */
export class QueueStory {
  readonly waits = new Spread()
  readonly longest = new Top<Waited>(10, ({ ns }) => ns)
  readonly ends = new Map<string, number>()
  readonly depth = new Series('level')
  most: (Moment & { readonly depth: number }) | undefined
  readonly waiting = new Map<number, Waited>()

  enter(io: number, event: Event, at: number): void {
    const { session, request, volume, op, offset, length } = event
    const asked = { seq: io, at, session, request, volume, op, offset, length }
    this.waiting.set(io, { ...asked, ns: 0, end: 'waiting', code: 'ok' })
    const depth = this.waiting.size
    this.depth.add(at, depth)
    if (this.most === undefined || depth > this.most.depth) this.most = { seq: event.seq, at, depth }
  }

  leave(event: Event, at: number): void {
    const waited = this.waiting.get(event.about)
    if (waited === undefined) return
    this.waiting.delete(event.about)
    this.depth.add(at, this.waiting.size)
    waited.ns = at - waited.at
    waited.end = event.kind
    waited.code = event.code
    this.waits.add(waited.ns)
    this.longest.add(waited)
    const end = event.code === 'ok' ? event.kind : `${event.kind} ${event.code}`
    this.ends.set(end, (this.ends.get(end) ?? 0) + 1)
  }
}

export class QueueStories implements Witness {
  readonly hold = new QueueStory()
  readonly copy = new QueueStory()
  readonly far = new QueueStory()
  /** Refused requests by code, with the first of each. */
  readonly refused = new Map<string, { count: number; readonly first: Moment; last: Moment }>()
  readonly #scope: Scope

  constructor(scope = new Scope()) {
    this.#scope = scope
  }

  see(event: Event, at: number): void {
    switch (event.kind) {
      case 'hold.released':
      case 'hold.dropped':
      case 'hold.failed':
        this.hold.leave(event, at)
        break
      case 'cod.released':
      case 'io.failed':
      case 'io.lost':
        this.copy.leave(event, at)
        this.far.leave(event, at)
        break
      case 'tap.released':
        this.far.leave(event, at)
        break
      default:
    }
    if (event.fate === 'none' || event.fate === 'passed' || !this.#scope.has(event)) return
    const io = event.about === 0 ? event.seq : event.about
    if (event.fate === 'held') this.hold.enter(io, event, at)
    else if (event.fate === 'queued') this.copy.enter(io, event, at)
    else if (event.fate === 'forwarded') this.far.enter(io, event, at)
    else this.#refuse(event, at)
  }

  #refuse({ code, seq }: Event, at: number): void {
    const moment = { seq, at }
    const known = this.refused.get(code)
    if (known === undefined) this.refused.set(code, { count: 1, first: moment, last: moment })
    else {
      known.count++
      known.last = moment
    }
  }
}
