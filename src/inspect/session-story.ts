/**
 * What a host did: its requests by operation and fate, how long they took as far as the record tells, what was refused,
 * what waited, and how it left.
 *
 *     write, flush   from submitted to durable: the frame in which it took effect, by the instant the next one notes
 *     read           resolved when it is decided: only one that was queued or forwarded took time that is on record
 */

import type { Event } from '../events/columns.ts'
import { text } from '../events/detail.ts'
import { changes } from '../events/kind.ts'
import { Spread, Top } from './spread.ts'
import type { Moment, Witness } from './witness.ts'

/** Counts of one operation. */
export interface OpPart {
  count: number
  bytes: number
  passed: number
  held: number
  queued: number
  /** Of a tapped volume. */
  forwarded?: number
  refused: number
  /** Ended without effect: dropped, failed or lost. */
  ended: number
}

interface Open extends Moment {
  /** When it came to wait for a copy, or a far server. */
  readonly queuedAt?: number
  readonly op: string
  readonly offset: number
  readonly length: number
}

export interface SlowRequest extends Open {
  readonly ns: number
}

/** More than so many requests without a noted end are not followed any further. */
const followedMost = 262_144

export class SessionStory implements Witness {
  name = ''
  opened: Moment | undefined
  closed: (Moment & { readonly code: string; readonly orderly: boolean }) | undefined
  /** The recorder began anew while the session was open: it ended there. */
  cutOff: Moment | undefined
  first: Moment | undefined
  last: Moment | undefined
  readonly ops = new Map<string, OpPart>()
  readonly volumes = new Map<number, number>()
  readonly refusals = new Map<string, number>()
  readonly ends = new Map<string, number>()
  readonly toDurable = new Spread()
  readonly held = new Spread()
  readonly queued = new Spread()
  /** How long far servers took to answer. */
  readonly forwarded = new Spread()
  readonly slowest = new Top<SlowRequest>(10, ({ ns }) => ns)
  readonly #session: number
  readonly #waiting = new Map<number, Open>()
  #pending: (Open & { readonly effect: number })[] = []
  #orderly = true

  constructor(session: number) {
    this.#session = session
  }

  see(event: Event, at: number): void {
    const { kind, seq } = event
    if (kind === 'engine.started' && this.opened !== undefined && this.closed === undefined) {
      this.cutOff ??= { seq, at }
    }
    if (event.session !== this.#session) return
    if (kind === 'session.opened') {
      this.opened = { seq, at }
      this.name = text(event.detail, 'name')
    } else if (kind === 'session.close') this.#orderly = event.detail.orderly === true
    else if (kind === 'session.closed') this.closed = { seq, at, code: event.code, orderly: this.#orderly }
    else if (event.op !== 'none' && event.about === 0) this.#asked(event, at)
    else if (event.about !== 0) this.#told(event, at)
  }

  durable(seq: number, at: number): void {
    let done = 0
    for (; done < this.#pending.length && this.#pending[done]!.effect <= seq; done++) {
      const { effect: _, ...open } = this.#pending[done]!
      const ns = at - open.at
      this.toDurable.add(ns)
      this.slowest.add({ ...open, ns })
    }
    if (done > 0) this.#pending = this.#pending.slice(done)
  }

  #asked(event: Event, at: number): void {
    const { seq, op, fate, length, volume, offset } = event
    const part = this.#part(op)
    this.first ??= { seq, at }
    this.last = { seq, at }
    part.count++
    if (op !== 'flush') part.bytes += length
    this.volumes.set(volume, (this.volumes.get(volume) ?? 0) + 1)
    const open = { seq, at, op, offset, length }
    if (fate === 'passed') {
      part.passed++
      if (changes(op) || op === 'flush') this.#effect(open, seq)
    } else if (fate === 'refused') {
      part.refused++
      this.refusals.set(event.code, (this.refusals.get(event.code) ?? 0) + 1)
    } else if (fate === 'held' || fate === 'queued' || fate === 'forwarded') {
      part[fate] = (part[fate] ?? 0) + 1
      this.#waiting.set(seq, open)
    }
  }

  /** An outcome about a request of this session. */
  #told(event: Event, at: number): void {
    const open = this.#waiting.get(event.about)
    if (open === undefined) return
    const ns = at - open.at
    if (event.kind === 'hold.released') {
      this.held.add(ns)
      if (event.fate === 'queued' || event.fate === 'forwarded') {
        this.#waiting.set(event.about, { ...open, queuedAt: at })
        return
      }
    } else if (event.kind === 'cod.released') this.queued.add(at - (open.queuedAt ?? open.at))
    else if (event.kind === 'tap.released') this.forwarded.add(at - (open.queuedAt ?? open.at))
    else if (event.code === 'ok') return
    this.#waiting.delete(event.about)
    if (event.fate === 'passed') {
      if (open.op === 'read') this.slowest.add({ ...open, ns })
      else this.#effect(open, event.seq)
    } else {
      this.#part(open.op).ended++
      const end = `${event.kind} ${event.code}`
      this.ends.set(end, (this.ends.get(end) ?? 0) + 1)
    }
  }

  #effect(open: Open, effect: number): void {
    if (this.#pending.length < followedMost) this.#pending.push({ ...open, effect })
  }

  #part(op: string): OpPart {
    let part = this.ops.get(op)
    if (part === undefined) {
      part = { count: 0, bytes: 0, passed: 0, held: 0, queued: 0, refused: 0, ended: 0 }
      this.ops.set(op, part)
    }
    return part
  }

  /** Requests that still waited when the record ended. */
  get waiting(): number {
    return this.#waiting.size
  }
}
