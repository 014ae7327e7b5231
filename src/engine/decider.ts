/**
 * The decider: asks become entries of the frame being built, one after the other, each against the state that the
 * one before it left.
 *
 *     ask ─▶ judge, decide ─▶ events on the record ─▶ state
 *                                └─▶ replies and effects noted, to be given and begun when the frame is durable
 *
 * An ask that cannot stand in the record at all is turned away with an error and leaves no event (ask.ts).
 */

import { sha256, shortHigh, shortLow } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import type { Event, NewEvent } from '../events/columns.ts'
import { flag, type Op } from '../events/kind.ts'
import { readContent } from '../images/content.ts'
import { volumeOf, type World } from '../layers/layer.ts'
import type { PayloadStore } from '../payload/payload.ts'
import { addressed, enterCommand, enterIo, judgeNext } from '../volume/entry.ts'
import { type Ask, type CommandAsk, type IoAsk, isIo, keyedDetail } from './ask.ts'
import type { Effects } from './effects.ts'
import { FrameBuilder } from './frame-builder.ts'
import { type Asker, type Decided, Replies } from './replies.ts'

export interface DeciderOptions {
  readonly payload: PayloadStore
  /** `durable`: a write is answered when its frame is durable. `buffered`: when accepted; FLUSH and FUA wait. */
  readonly ack?: 'durable' | 'buffered'
  /** A digest of what a read returned goes on the record always, or where a layer is at work on the volume. */
  readonly readDigests?: 'always' | 'active'
}

/** An ask that waits to be decided, and whom to tell. */
export interface Waiting extends Asker {
  readonly ask: Ask
  readonly arrivedNs: bigint
}

const opOf: Readonly<Record<IoAsk['kind'], Op>> = {
  'io.read': 'read',
  'io.write': 'write',
  'io.zeroes': 'zeroes',
  'io.discard': 'discard',
  'io.flush': 'flush',
}

export class Decider {
  readonly builder: FrameBuilder
  readonly replies = new Replies()
  /** True when the frame being built holds a change: the state is then ahead of the durable one. */
  dirty = false
  readonly #options: DeciderOptions
  readonly #world: World
  readonly #effects: Effects

  constructor(options: DeciderOptions, world: World, effects: Effects) {
    this.#options = options
    this.#world = world
    this.#effects = effects
    this.builder = new FrameBuilder(world.seq + 1)
  }

  /** Decides one ask; its answer is given at once or noted for when the frame is durable. */
  decide(waiting: Waiting): void {
    const { ask } = waiting
    const at = Number(waiting.arrivedNs - this.builder.instantNs)
    const seq = this.builder.next
    if (isIo(ask)) this.#decideIo(ask, at, seq, waiting)
    else this.#decideCommand(ask, at, seq, waiting)
  }

  /** The frame that ends with `last` is durable: its answers are given and the next frame begins. */
  durable(last: number): void {
    this.builder.restart()
    this.dirty = false
    this.replies.durable(last)
  }

  #decideIo(ask: IoAsk, at: number, seq: number, waiting: Waiting): void {
    const { data, kind, session, volume, request = 0, flags = 0 } = ask
    const asked = { kind, session, volume, request, flags, op: opOf[kind], at }
    const io = addressed(this.#world, kind === 'io.flush' ? asked : { ...asked, ...rangeOf(ask) })
    const verdict = judgeNext(this.#world, io)
    const write = data !== undefined && verdict.fate !== 'refused'
    const digest = write ? sha256(data) : undefined
    const placed = write ? { ...io, payload: this.#options.payload.put(data) } : io
    const marked =
      digest === undefined
        ? placed
        : { ...placed, digestHigh: shortHigh(digest), digestLow: shortLow(digest) }
    this.replies.expect(seq, kind, waiting)
    let first = true
    enterIo(this.#world, marked, verdict, (event) => {
      const recorded = this.#record(event, first ? digest : undefined)
      first = false
      return recorded
    })
    if (verdict.fate !== 'passed' && verdict.fate !== 'refused') return
    const row = seq - this.builder.next + this.builder.count
    const reads = kind === 'io.read' && verdict.code === 'ok'
    this.#answer(
      seq,
      ask,
      reads ? this.#answered(io.volume!, io.offset!, io.length!, row, false) : { code: verdict.code },
    )
  }

  #decideCommand(ask: CommandAsk, at: number, seq: number, waiting: Waiting): void {
    if ((ask.about ?? 0) >= seq) {
      waiting.reject(new BlockboxError('USAGE', `${ask.kind} names event ${ask.about}, which is yet to come`))
      return
    }
    this.replies.expect(seq, ask.kind, waiting)
    const atUs = Number((this.builder.instantNs + BigInt(at)) / 1000n)
    const { data, key: _, ...command } = ask
    const detail = keyedDetail(ask)
    const digest = data === undefined ? undefined : sha256(data)
    const brought = data === undefined || digest === undefined ? {} : this.#brought(data, digest)
    let first = true
    const code = enterCommand(this.#world, { ...command, detail, ...brought, at }, atUs, (event) => {
      const recorded = this.#record(event, first && (event.payload ?? 0) > 0 ? digest : undefined)
      first = false
      return recorded
    })
    this.dirty = true
    this.replies.decided(seq, { code })
  }

  /** Where the bytes are that a command or report brought, and their digest; zeros take no place. */
  #brought(data: Uint8Array, digest: Uint8Array): Brought {
    const payload = data.every((byte) => byte === 0) ? 0 : this.#options.payload.put(data)
    return { length: data.length, payload, digestHigh: shortHigh(digest), digestLow: shortLow(digest) }
  }

  /** Puts an event on the record, and notes what it will cause. */
  #record(event: NewEvent, digest?: Uint8Array): Event {
    const recorded = this.builder.record(event, digest)
    const { kind, fate } = recorded
    if (kind === 'io.read' || kind === 'io.flush') {
      if (fate === 'queued') {
        this.dirty = true
        this.#effects.note(recorded)
      }
      return recorded
    }
    if (fate !== 'refused') this.dirty = true
    this.#effects.note(recorded)
    this.replies.note(recorded, () => this.#released(recorded))
    return recorded
  }

  /** What the release of a request answers: the bytes of a queued read as they are now, and the code. */
  #released({ op, volume, offset, length }: Event): Decided {
    return op === 'read'
      ? this.#answered(volume, offset, length, this.builder.count - 1, true)
      : { code: 'ok' }
  }

  #answer(seq: number, ask: IoAsk, answered: Decided): void {
    const buffered = this.#options.ack === 'buffered'
    const waits = buffered ? ask.kind === 'io.flush' || ((ask.flags ?? 0) & flag.fua) !== 0 : true
    if (waits && this.dirty) this.replies.decided(seq, answered)
    else this.replies.answerNow(seq, answered)
  }

  /** What a read answers; its digest goes on the record at `row`. Damaged payload is an error to this reader alone. */
  #answered(volume: number, offset: number, length: number, row: number, always: boolean): Decided {
    const world = this.#world
    let data: Uint8Array
    try {
      data = readContent(world, volumeOf(world, volume)!, this.#options.payload, offset, length)
    } catch (error) {
      if (error instanceof BlockboxError) return { code: 'E_IO', error }
      throw error
    }
    if (always || world.active[volume - 1]!.length > 0 || this.#options.readDigests === 'always') {
      const digest = sha256(data)
      this.builder.answered(row, shortHigh(digest), shortLow(digest))
    }
    return { code: 'ok', data }
  }
}

type Brought = Pick<NewEvent, 'length' | 'payload' | 'digestHigh' | 'digestLow'>

/** The range of a request; adding zero makes -0 a plain 0. */
function rangeOf(ask: IoAsk): { readonly offset: number; readonly length: number } {
  const length = ask.data === undefined ? (ask.length ?? 0) : ask.data.length
  return { offset: (ask.offset ?? 0) + 0, length: length + 0 }
}
