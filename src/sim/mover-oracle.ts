/**
 * What owners and movers bring to a fenced volume, by what they asked: an oracle that knows nothing of positions.
 *
 *     ask with bytes ─▶ its input's payload holds these bytes
 *     mover.report at [a, b) ─▶ each piece of it that is written or buffered at [c, d) is its bytes from c - a on
 *     fence.update ─▶ what the copy of the metadata takes is what the input brought, where it said
 */

import type { Check, MakeCheck } from '../check/check.ts'
import { sameBytes } from '../core/digest.ts'
import type { Event } from '../events/columns.ts'
import type { BytesAt } from './content-oracle.ts'

/** Bytes that an input brought: where they belong on the volume, and where they are. */
interface Brought {
  readonly offset: number
  readonly length: number
  readonly place: number
}

/** A mover is never so many reports ahead of what is written of them. */
const keptReports = 512

export class MoverOracle {
  readonly #bytesAt: BytesAt
  readonly #reports = new Map<number, Brought>()
  /** Inputs whose answers did not come yet. */
  readonly #unanswered = new Map<number, Brought>()
  #update: Brought | undefined
  #report: Parameters<MakeCheck>[0] = () => undefined

  constructor(bytesAt: BytesAt) {
    this.#bytesAt = bytesAt
  }

  /** The oracle as a check of a history. */
  readonly check: MakeCheck = (report): Check => {
    this.#report = report
    return { rules: ['content'], after: (event) => this.#after(event) }
  }

  /** An ask with these bytes was accepted as the input at `seq`. */
  answered(seq: number, data: Uint8Array): void {
    const brought = this.#unanswered.get(seq)
    if (brought === undefined) return
    this.#unanswered.delete(seq)
    if (!sameBytes(this.#bytes(brought.place, brought.length), data)) {
      this.#find(seq, 'the payload on record is not what was brought')
    }
  }

  /** The process is gone, and with it whoever waited. */
  crashed(): void {
    this.#unanswered.clear()
  }

  #after(event: Event): void {
    const { kind, seq, offset, length, payload: place, about } = event
    switch (kind) {
      case 'mover.report':
      case 'fence.update': {
        const brought = { offset, length, place }
        if (length > 0) this.#unanswered.set(seq, brought)
        if (kind === 'fence.update') this.#update = brought
        else if (length > 0) this.#keep(seq, brought)
        return
      }
      case 'fence.meta_updated': {
        const from = this.#update
        if (from?.offset === offset && from.length === length && from.place === place) return
        return this.#find(seq, 'the owner of the fence changed something else')
      }
      case 'fence.meta_restored':
      case 'fence.meta_buffered':
      case 'mover.copied':
        if (about > 0) this.#moved(event)
        return
      default:
    }
  }

  #keep(seq: number, brought: Brought): void {
    this.#reports.set(seq, brought)
    if (this.#reports.size <= keptReports) return
    for (const [oldest] of this.#reports) return void this.#reports.delete(oldest)
  }

  #moved({ kind, seq, about, offset, length, payload }: Event): void {
    const from = this.#reports.get(about)
    const inside = from !== undefined && offset >= from.offset && offset + length <= from.offset + from.length
    if (!inside) return this.#find(seq, `${kind} is about what report ${about} did not bring`)
    const at = offset - from.offset
    const expected = this.#bytes(from.place, from.length).subarray(at, at + length)
    if (sameBytes(this.#bytes(payload, length), expected)) return
    this.#find(seq, `${kind} at ${offset} is not what report ${about} brought for there`)
  }

  #bytes(place: number, length: number): Uint8Array {
    return place === 0 ? new Uint8Array(length) : this.#bytesAt(place, length)
  }

  #find(seq: number, detail: string): void {
    this.#report({ seq, rule: 'content', detail })
  }
}
