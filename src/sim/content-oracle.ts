/**
 * What every volume holds, by plain arrays of bytes: an oracle that knows nothing of maps, bits and places.
 *
 *     write to a volume   its bytes, and those of every view of it (the mirror form of S2)
 *     write to a view     its bytes alone
 *     restore begins      the source is the clone at once; what lies beneath is kept for a cancel
 *     branch begins       what its source held after that event
 *     clone follows       a copy of the source, extent by extent, and then every write
 *
 * A host's bytes are made from its request's number, never read from the store. What a read must return is noted when
 * the read takes place; the answer is compared whenever it comes.
 */

import type { Check, MakeCheck } from '../check/check.ts'
import { sameBytes } from '../core/digest.ts'
import { type Event, takesEffect } from '../events/columns.ts'
import { count } from '../events/detail.ts'
import { fencedMeta } from '../layers/fence-state.ts'
import { volumeOf, type World } from '../layers/layer.ts'
import { type Pair, pairsOf, pairsOn } from '../layers/pair-state.ts'
import { overlayOf, preservesOf, viewsOf } from '../layers/preserve-state.ts'
import { isRunning, restoresOf } from '../layers/restore-state.ts'
import { touchedBlocks } from '../layers/sub-block.ts'
import { recentEvents } from './command-chance.ts'
import { stamped } from './io-chance.ts'

/** Bytes at a place of the payload store: for what the engine writes itself (patterns, metadata, moved images). */
export type BytesAt = (place: number, length: number) => Uint8Array
/** The content of the clone outside. */
export type Outside = (offset: number, length: number) => Uint8Array

/** What a volume held before an event changed it: a part, or all of it where that was put in place. */
interface Undo {
  readonly seq: number
  readonly volume: number
  /** -1: all of it. */
  readonly offset: number
  /** Undefined: it was not there. */
  readonly bytes: Uint8Array | undefined
}

interface Range {
  readonly offset: number
  readonly length: number
}

export class ContentOracle {
  readonly #bytesAt: BytesAt
  readonly #outside: Outside
  readonly #contents = new Map<number, Uint8Array>()
  /** Per view, the bytes that it does not share with its base. */
  readonly #own = new Map<number, Uint8Array>()
  /** Per restoring source, what its medium holds. */
  readonly #beneath = new Map<number, Uint8Array>()
  /** What changed with the last events, to be undone: branches begin at a moment that is not long ago. */
  readonly #undo: Undo[] = []
  #undone = 0
  #seq = 0
  readonly #expected = new Map<number, Uint8Array>()
  readonly #answered = new Map<number, Uint8Array>()
  #report: Parameters<MakeCheck>[0] = () => undefined

  constructor(bytesAt: BytesAt, outside: Outside) {
    this.#bytesAt = bytesAt
    this.#outside = outside
  }

  /** The oracle as a check of a history: it reports reads that returned anything else (`content`). */
  readonly check: MakeCheck = (report): Check => {
    this.#report = report
    return {
      rules: ['content'],
      before: (event, world) => {
        this.#seq = event.seq
        this.#forget(event.seq - recentEvents)
        this.#before(event, world)
      },
      after: (event, world) => this.#after(event, world),
    }
  }

  /** A read, the input at `seq`, was answered with these bytes. */
  answered(seq: number, data: Uint8Array): void {
    this.#answered.set(seq, data)
    this.#compare(seq)
  }

  /** True when these are the bytes of a volume after the last event it was told of. */
  holds(volume: number, offset: number, data: Uint8Array): boolean {
    const part = this.#contents.get(volume)?.subarray(offset, offset + data.length)
    return part !== undefined && sameBytes(part, data)
  }

  /** The process is gone: answers to reads whose events were lost mean nothing. */
  crashed(): void {
    this.#expected.clear()
    this.#answered.clear()
  }

  #compare(seq: number): void {
    const data = this.#answered.get(seq)
    const expected = this.#expected.get(seq)
    if (data === undefined || expected === undefined) return
    this.#answered.delete(seq)
    this.#expected.delete(seq)
    if (sameBytes(expected, data)) return
    const at = expected.findIndex((byte, k) => byte !== data[k])
    const detail = `the read returned ${data.length} bytes that differ at byte ${at} from what was written last`
    this.#report({ seq, rule: 'content', detail })
  }

  #before(event: Event, world: World): void {
    if (event.kind !== 'copy.report' || event.code !== 'ok') return
    const pair = pairsOf(world).byTag.get(event.tag)
    if (pair === undefined) return
    if (event.volume === pair.clone) {
      if (pair.phase !== 'syncing' || !pair.gate.isOf(event)) return
      this.#moved(pair.clone, event, this.#part(pair.source, event), world)
    } else if (isRunning(world, event)) {
      const beneath = this.#beneath.get(pair.source)!
      for (const piece of fencedMeta(world, pair.source).split(event)) {
        if (!piece.inside) beneath.set(this.#cloneOf(pair, piece), piece.offset)
      }
    }
  }

  #after(event: Event, world: World): void {
    const { kind, volume, detail } = event
    switch (kind) {
      case 'volume.created':
        this.#place(volume, new Uint8Array(count(detail, 'size')))
        return
      case 'preserve.created': {
        const base = this.#contents.get(count(detail, 'base'))!
        this.#place(volume, base.slice())
        this.#own.set(volume, new Uint8Array(base.length))
        return
      }
      case 'branch.started':
        this.#place(volume, this.#then(count(detail, 'from'), count(detail, 'seq')) ?? new Uint8Array(0))
        return
      case 'volume.resized': {
        const resized = new Uint8Array(count(detail, 'size'))
        resized.set(this.#contents.get(volume)!.subarray(0, resized.length))
        this.#place(volume, resized)
        return
      }
      case 'branch.failed':
      case 'volume.deleted':
      case 'preserve.dropped':
      case 'merge.finished':
        this.#place(volume, undefined)
        this.#own.delete(volume)
        return
      case 'restore.started':
        return this.#restoring(pairsOf(world).byTag.get(event.tag)!, world)
      case 'restore.completed':
        this.#beneath.delete(pairsOf(world).byTag.get(event.tag)!.source)
        return
      case 'restore.cancelled': {
        const { source } = pairsOf(world).byTag.get(event.tag)!
        const beneath = this.#beneath.get(source)!
        this.#beneath.delete(source)
        this.#moved(source, { offset: 0, length: beneath.length }, beneath, world)
        return
      }
      default:
    }
    if (takesEffect(event)) this.#written(event, world)
    else if (event.fate === 'passed' && event.op === 'read') {
      const seq = event.about || event.seq
      this.#expected.set(seq, this.#part(volume, event).slice())
      this.#compare(seq)
    }
  }

  /** Puts a whole content in place; undefined: the volume is gone. */
  #place(volume: number, bytes: Uint8Array | undefined): void {
    this.#undo.push({ seq: this.#seq, volume, offset: -1, bytes: this.#contents.get(volume) })
    if (bytes === undefined) this.#contents.delete(volume)
    else this.#contents.set(volume, bytes)
  }

  /** Changes a part. */
  #put(volume: number, bytes: Uint8Array, offset: number): void {
    const content = this.#contents.get(volume)!
    this.#undo.push({ seq: this.#seq, volume, offset, bytes: content.slice(offset, offset + bytes.length) })
    content.set(bytes, offset)
  }

  /** What a volume held after event `seq`, one of the last. */
  #then(volume: number, seq: number): Uint8Array | undefined {
    if (seq <= this.#seq - recentEvents) return undefined
    let then = this.#contents.get(volume)?.slice()
    for (let k = this.#undo.length - 1; k >= this.#undone && this.#undo[k]!.seq > seq; k--) {
      const { volume: changed, offset, bytes } = this.#undo[k]!
      if (changed !== volume) continue
      if (offset < 0) then = bytes?.slice()
      else then!.set(bytes!, offset)
    }
    return then
  }

  /** What events up to `seq` changed is not undone any more. */
  #forget(seq: number): void {
    while (this.#undone < this.#undo.length && this.#undo[this.#undone]!.seq <= seq) this.#undone++
    if (this.#undone < 1024) return
    this.#undo.splice(0, this.#undone)
    this.#undone = 0
  }

  #restoring(pair: Pair, world: World): void {
    const { source, size } = pair
    this.#beneath.set(source, this.#contents.get(source)!.slice())
    for (const piece of fencedMeta(world, source).split({ offset: 0, length: size })) {
      if (!piece.inside) this.#moved(source, piece, this.#cloneOf(pair, piece), world)
    }
  }

  #cloneOf(pair: Pair, { offset, length }: Range): Uint8Array {
    return pair.clone > 0 ? this.#part(pair.clone, { offset, length }).slice() : this.#outside(offset, length)
  }

  #part(volume: number, { offset, length }: Range): Uint8Array {
    return this.#contents.get(volume)!.subarray(offset, offset + length)
  }

  /**
   * A write as a host makes it: the views of a volume take the blocks that it touches too, whatever they had there; in a
   * view these are its own from now on.
   */
  #written(event: Event, world: World): void {
    const { volume, offset, length } = event
    const bytes = this.#bytesOf(event, world)
    const touched = touchedBlocks(event, volumeOf(world, volume)!.block)
    this.#put(volume, bytes, offset)
    if (overlayOf(world, volume) !== undefined) {
      this.#own.get(volume)!.fill(1, touched.offset, touched.offset + touched.length)
      return
    }
    this.#beneath.get(volume)?.set(bytes, offset)
    for (const { view } of viewsOf(preservesOf(world), volume)) {
      this.#put(view, this.#part(volume, touched), touched.offset)
      this.#own.get(view)!.fill(0, touched.offset, touched.offset + touched.length)
    }
    for (const pair of pairsOn(pairsOf(world), volume)) this.#followed(pair, { offset, length }, world)
  }

  /** A clone that follows its source, or is restored from without protection, takes the writes to it. */
  #followed(pair: Pair, { offset, length }: Range, world: World): void {
    const restore = restoresOf(world).byTag.get(pair.tag)
    const both = restore !== undefined && !restore.protected
    if (pair.clone === 0 || !(both || pair.phase === 'syncing' || pair.phase === 'in-sync')) return
    const first = Math.floor(offset / pair.extent)
    for (let e = first; e * pair.extent < offset + length; e++) {
      if (!both && pair.cdm.get(e)) continue
      const from = Math.max(offset, e * pair.extent)
      const piece = { offset: from, length: Math.min(offset + length, (e + 1) * pair.extent) - from }
      this.#moved(pair.clone, piece, this.#part(pair.source, piece), world)
    }
  }

  /** A medium changes beneath its views: they show it where they have nothing of their own. */
  #moved(volume: number, { offset }: Range, bytes: Uint8Array, world: World): void {
    this.#put(volume, bytes, offset)
    for (const { view } of viewsOf(preservesOf(world), volume)) {
      const shown = this.#part(view, { offset, length: bytes.length }).slice()
      const own = this.#own.get(view)!
      for (let k = 0; k < bytes.length; k++) if (own[offset + k] === 0) shown[k] = bytes[k]!
      this.#put(view, shown, offset)
    }
  }

  #bytesOf(event: Event, world: World): Uint8Array {
    const { kind, op, request, offset, length, payload, volume } = event
    if (op !== 'write') return new Uint8Array(length)
    if (kind === 'io.write' || kind === 'hold.released' || kind === 'cod.released') {
      return stamped(request, offset, length)
    }
    if (kind !== 'merge.block') return this.#bytesAt(payload, length).slice()
    const merging = viewsOf(preservesOf(world), volume).find(({ phase }) => phase === 'merging')!
    return this.#part(merging.view, { offset, length }).slice()
  }
}
