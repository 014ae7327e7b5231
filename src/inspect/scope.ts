/**
 * A scope: which requests a question is about, by volume, session, kind and the stretch of the record that submitted
 * them. What becomes of a request later belongs to it wherever it happens.
 */

import type { Event } from '../events/columns.ts'
import type { Kind, Op } from '../events/kind.ts'

export interface ScopeAsk {
  /** Numbers of volumes; all when left out. */
  readonly volumes?: readonly number[]
  /** Numbers of sessions; all when left out. */
  readonly sessions?: readonly number[]
  readonly kinds?: ReadonlySet<Kind>
  /** The first and the last event. */
  readonly from?: number
  readonly to?: number
}

const opOf: Readonly<Partial<Record<Kind, Op>>> = {
  'io.read': 'read',
  'io.write': 'write',
  'io.zeroes': 'zeroes',
  'io.discard': 'discard',
  'io.flush': 'flush',
}

export class Scope {
  readonly from: number
  readonly to: number
  readonly #volumes: ReadonlySet<number> | undefined
  readonly #sessions: ReadonlySet<number> | undefined
  readonly #kinds: ReadonlySet<Kind> | undefined
  readonly #ops: ReadonlySet<Op>

  constructor({ volumes, sessions, kinds, from = 0, to = Number.MAX_SAFE_INTEGER }: ScopeAsk = {}) {
    this.from = from
    this.to = to
    this.#volumes = volumes === undefined ? undefined : new Set(volumes)
    this.#sessions = sessions === undefined ? undefined : new Set(sessions)
    this.#kinds = kinds
    this.#ops = new Set([...(kinds ?? [])].flatMap((kind) => opOf[kind] ?? []))
  }

  /** True when an event is in the scope, or what it tells is about a request that is. */
  has(event: Event): boolean {
    const io = event.about === 0 ? event.seq : event.about
    return io >= this.from && io <= this.to && this.isOf(event)
  }

  /** The same without regard to the stretch. */
  isOf({
    kind,
    op,
    about,
    volume,
    session,
  }: Pick<Event, 'kind' | 'op' | 'about' | 'volume' | 'session'>): boolean {
    if (this.#volumes?.has(volume) === false || this.#sessions?.has(session) === false) return false
    if (this.#kinds === undefined || this.#kinds.has(kind)) return true
    return about !== 0 && this.#ops.has(op)
  }
}
