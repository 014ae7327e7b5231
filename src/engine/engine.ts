/**
 * The engine: inputs become entries, entries frames, frames durable, and only then does anyone see a change.
 *
 *     ask ─▶ inbox ─▶ decide ─▶ frame ─▶ append (one in flight) ─▶ frames$ ─▶ replies, effects, views
 *              ▲                                                                  │
 *              └──────────────────────── reports of effects ◀─────────────────────┘
 *
 * One commit is in flight at a time, without a timer: what arrives meanwhile waits in the inbox and is the next
 * frame. So the state that views and reads see between commits is exactly the durable one. A read answers at once
 * unless its frame already holds a change; reads alone never cause a commit, they ride in the next frame.
 */

import { type Observable, Subject } from 'rxjs'
import type { Clock } from '../core/clock.ts'
import { sha256, shortHigh, shortLow } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import type { Event, NewEvent } from '../events/columns.ts'
import { flag, type Op } from '../events/kind.ts'
import { readContent } from '../images/content.ts'
import { type Frame, frameFlags } from '../journal/frame.ts'
import type { Journal, Writer } from '../journal/journal.ts'
import { checkpointOf } from '../journal/state.ts'
import { volumeOf, type World } from '../layers/layer.ts'
import type { PayloadStore } from '../payload/payload.ts'
import { enterCommand, enterIo, judgeNext } from '../volume/entry.ts'
import { stateHash } from '../volume/snapshot.ts'
import type { Answer, Ask, CommandAsk, IoAsk } from './ask.ts'
import { type Copier, Effects, internalCopier } from './effects.ts'
import { FrameBuilder } from './frame-builder.ts'
import { Replies } from './replies.ts'

export interface EngineOptions {
  readonly journal: Journal
  readonly payload: PayloadStore
  readonly clock: Clock
  /** `durable`: a write is answered when its frame is durable. `buffered`: when accepted; FLUSH and FUA wait. */
  readonly ack?: 'durable' | 'buffered'
  /** A digest of what a read returned goes on the record always, or where a layer is at work on the volume. */
  readonly readDigests?: 'always' | 'active'
  readonly copier?: Copier
  /** A checkpoint is made after this many events. */
  readonly checkpointEvery?: number
}

interface Waiting {
  readonly ask: Ask
  readonly arrivedNs: bigint
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

/** A frame is sealed when it holds this many events and something is waiting behind it. */
const frameEvents = 1024
/** More asks than this waiting in the inbox are turned away with E_QUEUE_FULL. */
const maxInbox = 65_536
const opOf: Readonly<Record<IoAsk['kind'], Op>> = {
  'io.read': 'read',
  'io.write': 'write',
  'io.zeroes': 'zeroes',
  'io.discard': 'discard',
  'io.flush': 'flush',
}

export class Engine {
  /** Each frame once it is durable; the state is then exactly the one after it. */
  readonly frames$: Observable<Frame>
  readonly #frames$ = new Subject<Frame>()
  readonly #options: EngineOptions
  readonly #writer: Writer
  readonly #world: World
  readonly #builder: FrameBuilder
  readonly #effects: Effects
  readonly #replies = new Replies()
  #inbox: Waiting[] = []
  #asked = false
  #committing: Promise<void> | undefined
  #dirty = false
  #durableNs = 0n
  #sinceCheckpoint = 0
  #ended: BlockboxError | undefined

  /** See `openEngine`, which recovers the state first. */
  constructor(options: EngineOptions, writer: Writer, world: World) {
    this.#options = options
    this.#writer = writer
    this.#world = world
    this.#builder = new FrameBuilder(world.seq + 1)
    this.#effects = new Effects(options.clock, options.copier ?? internalCopier, (ask) => {
      this.submit(ask).catch(() => undefined)
    })
    this.frames$ = this.#frames$.asObservable()
  }

  /** The state after the last durable frame; only to be looked at, and not kept. */
  get world(): World {
    return this.#world
  }

  /** Resolves with the answer; rejects when the engine has ended or the journal fails. */
  submit(ask: Ask): Promise<Answer> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    if (this.#inbox.length >= maxInbox) return Promise.resolve({ code: 'E_QUEUE_FULL', seq: 0, made: 0 })
    return new Promise((resolve, reject) => {
      this.#inbox.push({ ask, arrivedNs: this.#options.clock.nowNs(), resolve, reject })
      this.#soon()
    })
  }

  /** Takes up what a recovered state owes. */
  recovered(): void {
    this.#effects.owe(this.#world)
  }

  /** Resolves when all that was asked so far is decided and durable, reads included. */
  async settled(): Promise<void> {
    while (this.#inbox.length > 0 || this.#committing !== undefined || this.#builder.count > 0) {
      if (this.#ended !== undefined) throw this.#ended
      if (this.#committing !== undefined) await this.#committing
      else {
        this.#decideAll()
        if (this.#builder.count > 0) this.#commit(0)
      }
    }
  }

  /** Ends what waits, writes the closing frame and a checkpoint, closes the journal. */
  async close(): Promise<void> {
    this.#effects.stop()
    if (this.#ended === undefined) {
      await this.settled()
      const stopped = this.submit({ kind: 'engine.stop' })
      this.#decideAll()
      this.#commit(frameFlags.closing)
      await stopped
      await this.settled()
      await this.#writer.keep(checkpointOf(this.#world))
      this.#end(new BlockboxError('ENGINE_STOPPED', 'the engine has stopped'))
      this.#frames$.complete()
    }
    await this.#options.journal.close()
  }

  #soon(): void {
    if (this.#asked || this.#committing !== undefined) return
    this.#asked = true
    queueMicrotask(() => {
      this.#asked = false
      if (this.#committing !== undefined || this.#ended !== undefined) return
      try {
        this.#turn()
      } catch (error) {
        this.#fail(error as Error)
      }
    })
  }

  /** Decides what waits; commits when something changed, or when enough reads have gathered. */
  #turn(): void {
    this.#decideAll()
    if (this.#dirty || this.#builder.count >= frameEvents) this.#commit(0)
    else if (this.#inbox.length > 0) this.#soon()
  }

  #decideAll(): void {
    if (this.#inbox.length === 0) return
    const inbox = this.#inbox
    this.#builder.begin(this.#options.clock.nowNs())
    let taken = 0
    while (taken < inbox.length && this.#builder.count < frameEvents) this.#decide(inbox[taken++]!)
    this.#inbox = inbox.slice(taken)
  }

  #decide(waiting: Waiting): void {
    const { ask } = waiting
    const at = Number(waiting.arrivedNs - this.#builder.instantNs)
    const seq = this.#builder.next
    if (isIo(ask)) this.#decideIo(ask, at, seq, waiting)
    else this.#decideCommand(ask, at, seq, waiting)
  }

  #decideIo(ask: IoAsk, at: number, seq: number, waiting: Waiting): void {
    const { data, kind, session, volume } = ask
    const length = data === undefined ? (ask.length ?? 0) : data.length
    const { request = 0, flags = 0, offset = 0 } = ask
    const io: NewEvent = { kind, session, volume, request, flags, offset, length, op: opOf[kind], at }
    const verdict = judgeNext(this.#world, io)
    const write = kind === 'io.write' && verdict.fate !== 'refused'
    const placed = write ? { ...io, payload: this.#options.payload.put(data!) } : io
    const digest = write ? sha256(data!) : undefined
    const marked =
      digest === undefined
        ? placed
        : { ...placed, digestHigh: shortHigh(digest), digestLow: shortLow(digest) }
    this.#replies.expect(seq, kind, waiting)
    let first = true
    enterIo(this.#world, marked, verdict, (event) => {
      const recorded = this.#record(event, first ? digest : undefined)
      first = false
      return recorded
    })
    if (verdict.fate === 'passed' || verdict.fate === 'refused') this.#answerIo(seq, ask, verdict.code)
  }

  #decideCommand(ask: CommandAsk, at: number, seq: number, waiting: Waiting): void {
    this.#replies.expect(seq, ask.kind, waiting)
    const atUs = Number((this.#builder.instantNs + BigInt(at)) / 1000n)
    const code = enterCommand(this.#world, { ...ask, at }, atUs, (event) => this.#record(event))
    this.#dirty = true
    this.#replies.decided(seq, { code })
  }

  /** Puts an event on the record, and notes what it will cause. */
  #record(event: NewEvent, digest?: Uint8Array): Event {
    const recorded = this.#builder.record(event, digest)
    const { kind, fate } = recorded
    if (kind === 'io.read' || kind === 'io.flush') {
      if (fate === 'queued') this.#dirty = true
      return recorded
    }
    if (fate !== 'refused') this.#dirty = true
    this.#effects.note(recorded)
    this.#replies.note(recorded, () => this.#readReleased(recorded))
    return recorded
  }

  /** The bytes of a queued read at its release, and their digest on the record. */
  #readReleased(event: Event): Uint8Array | undefined {
    if (event.op !== 'read' || event.fate !== 'passed') return undefined
    return this.#read(event.volume, event.offset, event.length, this.#builder.count - 1, true)
  }

  #answerIo(seq: number, ask: IoAsk, code: Answer['code']): void {
    const row = seq - this.#builder.next + this.#builder.count
    const answered =
      ask.kind === 'io.read' && code === 'ok'
        ? { code, data: this.#read(ask.volume, ask.offset ?? 0, ask.length ?? 0, row, false) }
        : { code }
    const buffered = this.#options.ack === 'buffered'
    const waits = buffered ? ask.kind === 'io.flush' || ((ask.flags ?? 0) & flag.fua) !== 0 : true
    if (waits && this.#dirty) this.#replies.decided(seq, answered)
    else this.#replies.answerNow(seq, answered)
  }

  #read(volume: number, offset: number, length: number, row: number, always: boolean): Uint8Array {
    const data = readContent(volumeOf(this.#world, volume)!, this.#options.payload, offset, length)
    const active = this.#world.active[volume - 1]!.length > 0
    if (always || active || this.#options.readDigests === 'always') {
      const digest = sha256(data)
      this.#builder.answered(row, shortHigh(digest), shortLow(digest))
    }
    return data
  }

  #commit(flags: number): void {
    this.#committing = this.#append(flags).then(
      () => {
        this.#committing = undefined
        this.#soon()
      },
      (error: Error) => {
        this.#committing = undefined
        this.#fail(error)
      },
    )
  }

  async #append(flags: number): Promise<void> {
    const builder = this.#builder
    const { low, high } = stateHash(this.#world)
    const buffered = this.#options.ack === 'buffered' ? frameFlags.buffered : 0
    await this.#options.payload.sync()
    const frame = await this.#writer.append(
      {
        ...builder.seal(),
        durableNs: this.#durableNs,
        replied: this.#replies.upTo,
        flags: flags | buffered,
        stateLow: low,
        stateHigh: high,
      },
      builder.next - builder.count,
    )
    this.#durableNs = this.#options.clock.nowNs()
    this.#sinceCheckpoint += builder.count
    builder.restart()
    this.#dirty = false
    this.#frames$.next(frame)
    this.#replies.durable(frame.last)
    this.#effects.begin()
    if (this.#sinceCheckpoint >= (this.#options.checkpointEvery ?? 1_000_000)) {
      this.#sinceCheckpoint = 0
      await this.#writer.keep(checkpointOf(this.#world))
    }
  }

  #fail(error: Error): void {
    this.#effects.stop()
    const code = error instanceof BlockboxError ? error.code : 'ENGINE_STOPPED'
    this.#end(new BlockboxError(code, error.message, { cause: error }))
    this.#frames$.error(error)
  }

  #end(error: BlockboxError): void {
    this.#ended = error
    this.#replies.end(error)
    for (const waiting of this.#inbox) waiting.reject(error)
    this.#inbox = []
  }
}

function isIo(ask: Ask): ask is IoAsk {
  return ask.kind in opOf
}
