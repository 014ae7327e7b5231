/**
 * What each volume holds, byte for byte, by the record of what took effect and the bytes that hosts sent: one plain
 * array of bytes a volume, told of every recorded event in order. A view is a mirror: of a write to its base it takes
 * the whole blocks that it touches.
 */

import * as assert from 'uvu/assert'
import { type Event, takesEffect } from '../../src/events/columns.ts'
import { count } from '../../src/events/detail.ts'

interface Pair {
  readonly source: number
  readonly clone: number
  /** Every write to the source is one to the clone. */
  both: boolean
}

export class ByteOracle {
  /** By volume. */
  readonly held = new Map<number, Uint8Array>()
  /** How many reads were compared, and how many changes covered a block in part. */
  reads = 0
  odd = 0
  readonly #block: number
  /** By session and the host's number of a write: what it brought. */
  readonly #sent: ReadonlyMap<number, Uint8Array>
  /** By the sequence number of a read: what it got. */
  readonly #got: ReadonlyMap<number, Uint8Array>
  readonly #pairs = new Map<number, Pair>()
  /** By view, its base. */
  readonly #bases = new Map<number, number>()

  constructor(block: number, sent: ReadonlyMap<number, Uint8Array>, got: ReadonlyMap<number, Uint8Array>) {
    this.#block = block
    this.#sent = sent
    this.#got = got
  }

  take(event: Event): void {
    const pair = this.#pairs.get(event.tag)
    switch (event.kind) {
      case 'volume.created':
        this.held.set(event.volume, new Uint8Array(count(event.detail, 'size')))
        return
      case 'preserve.created':
        this.#bases.set(event.volume, count(event.detail, 'base'))
        this.held.set(event.volume, this.#of(count(event.detail, 'base')).slice())
        return
      case 'preserve.dropped':
      case 'merge.finished':
        this.#bases.delete(event.volume)
        this.held.delete(event.volume)
        return
      case 'pair.created': {
        const { source, clone } = event.detail as unknown as Pair
        this.#pairs.set(event.tag, { source, clone, both: false })
        return
      }
      case 'sync.finished':
        this.#of(pair!.clone).set(this.#of(pair!.source))
        pair!.both = true
        return
      case 'pair.fractured':
        pair!.both = false
        return
      case 'restore.started':
        this.#of(pair!.source).set(this.#of(pair!.clone))
        for (const [view, base] of this.#bases) assert.is.not(base, pair!.source, `view ${view} of a source`)
        pair!.both = event.detail.protected === false
        return
      default:
    }
    if (event.fate === 'passed' && event.op === 'read') this.#read(event)
    if (takesEffect(event)) this.#write(event)
  }

  #of(volume: number): Uint8Array {
    return this.held.get(volume)!
  }

  #read(event: Event): void {
    const got = this.#got.get(event.about === 0 ? event.seq : event.about)
    if (got === undefined) return
    const { offset, length, seq } = event
    same(got, this.#of(event.volume).subarray(offset, offset + length), `read at event ${seq}`)
    this.reads++
  }

  #write(event: Event): void {
    const { volume, offset, length, op, kind, request } = event
    const own = this.#of(volume)
    const merging = kind === 'merge.block' ? this.#merging(volume) : 0
    let bytes = new Uint8Array(length)
    if (merging > 0) bytes = this.#of(merging).slice(offset, offset + length)
    else if (op === 'write') bytes.set(this.#sent.get(request)!)
    own.set(bytes, offset)
    if (offset % this.#block !== 0 || length % this.#block !== 0) this.odd++
    for (const { source, clone, both } of this.#pairs.values()) {
      if (both && source === volume) this.#of(clone).set(bytes, offset)
    }
    const from = Math.floor(offset / this.#block) * this.#block
    const to = Math.ceil((offset + length) / this.#block) * this.#block
    for (const [view, base] of this.#bases) {
      if (base === volume) this.#of(view).set(own.subarray(from, to), from)
    }
  }

  /** The view that is merged into a volume: there is one at most in these runs. */
  #merging(base: number): number {
    for (const [view, of] of this.#bases) if (of === base) return view
    return 0
  }
}

/** Demands that two stretches of bytes are the same; says the first that is not. */
export function same(found: Uint8Array, right: Uint8Array, what: string): void {
  assert.is(found.length, right.length, what)
  const at = found.findIndex((byte, k) => byte !== right[k])
  assert.is(
    at < 0 ? undefined : [at, found[at], right[at]].join(' '),
    undefined,
    `${what}: byte, found, right`,
  )
}
