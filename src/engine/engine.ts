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
 *
 * When an append fails, or a decision does, the engine ends: who waits gets the error, nobody is told of a change
 * that may not be there, and opening the journal again settles what was written.
 */

import { type Observable, Subject } from 'rxjs'
import type { Clock } from '../core/clock.ts'
import { BlockboxError } from '../core/errors.ts'
import type { OpenImage } from '../images/external.ts'
import { openExternal } from '../images/open-external.ts'
import { type Frame, frameFlags } from '../journal/frame.ts'
import type { Journal, Writer } from '../journal/journal.ts'
import { checkpointOf } from '../journal/state.ts'
import type { World } from '../layers/layer.ts'
import { stateHash } from '../volume/snapshot.ts'
import { type Answer, type Ask, askFault } from './ask.ts'
import { BranchEffects, type WorldAt } from './branch-effects.ts'
import { Decider, type DeciderOptions, type Waiting } from './decider.ts'
import { type Copier, Effects, internalCopier } from './effects.ts'
import { FenceEffects } from './fence-effects.ts'

export interface EngineOptions extends DeciderOptions {
  readonly journal: Journal
  readonly clock: Clock
  readonly copier?: Copier
  /** Opens the clones that live outside; files and NBD exports unless told otherwise. */
  readonly openImage?: OpenImage
  /** States of the past, for branches: replay/at.ts has it. */
  readonly worldAt?: WorldAt | undefined
  /** A checkpoint is made after this many events. */
  readonly checkpointEvery?: number
}

/** A frame is sealed when it holds this many events and something is waiting behind it. */
const frameEvents = 1024
/** More asks than this waiting in the inbox are turned away with E_QUEUE_FULL. */
export const maxInbox = 65_536

export class Engine {
  /** Each frame once it is durable; the state is then exactly the one after it. */
  readonly frames$: Observable<Frame>
  readonly #frames$ = new Subject<Frame>()
  readonly #options: EngineOptions
  readonly #writer: Writer
  readonly #world: World
  readonly #decider: Decider
  readonly #effects: Effects
  #inbox: Waiting[] = []
  #asked = false
  #committing: Promise<void> | undefined
  #durableNs = 0n
  #sinceCheckpoint = 0
  #closing: Promise<void> | undefined
  #ended: BlockboxError | undefined

  /** See `openEngine`, which recovers the state first. */
  constructor(options: EngineOptions, writer: Writer, world: World) {
    this.#options = options
    this.#writer = writer
    this.#world = world
    const { clock, payload, journal, worldAt, copier = internalCopier, openImage = openExternal } = options
    const submit = (ask: Ask) => {
      this.submit(ask).catch(() => undefined)
    }
    const fences = new FenceEffects(world, payload, clock, submit)
    const report = (ask: Ask) => this.submit(ask)
    const branches = new BranchEffects({ journal, worldAt, submit: report }, world)
    this.#effects = new Effects({ clock, copier, openImage, fences, branches }, world, submit)
    this.#decider = new Decider(options, world, this.#effects)
    this.frames$ = this.#frames$.asObservable()
  }

  /** The state after the last durable frame; only to be looked at, and not kept. */
  get world(): World {
    return this.#world
  }

  /** The last durable event, when the state is the one after it; undefined while a change waits for its frame. */
  get durableSeq(): number | undefined {
    if (this.#decider.dirty || this.#ended !== undefined) return undefined
    return this.#decider.builder.next - this.#decider.builder.count - 1
  }

  /**
   * Resolves with the answer. Rejects with USAGE when the ask cannot be recorded, with PAYLOAD_CORRUPT when what a
   * read would return is damaged, and with the reason of the end when the engine has ended or the journal fails.
   */
  submit(ask: Ask): Promise<Answer> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    if (this.#closing !== undefined) return Promise.reject(stopped())
    const fault = askFault(ask)
    if (fault !== undefined) return Promise.reject(new BlockboxError('USAGE', fault))
    if (this.#inbox.length >= maxInbox) return Promise.resolve({ code: 'E_QUEUE_FULL', seq: 0, made: 0 })
    return this.#enqueue(ask)
  }

  /** Takes up what a recovered state owes. */
  recovered(): void {
    this.#effects.owe(this.#world)
  }

  /** Resolves when all that was asked so far is decided and durable, reads included. */
  async settled(): Promise<void> {
    while (this.#inbox.length > 0 || this.#committing !== undefined || this.#decider.builder.count > 0) {
      if (this.#ended !== undefined) throw this.#ended
      if (this.#committing !== undefined) await this.#committing
      else {
        this.#decideAll()
        if (this.#decider.builder.count > 0) this.#commit(0)
      }
    }
  }

  /** Ends what waits, writes the closing frame and a checkpoint, closes the journal; asks are turned away from now. */
  close(): Promise<void> {
    this.#closing ??= this.#close().finally(() => this.#options.journal.close())
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#effects.stop()
    if (this.#ended !== undefined) return
    await this.settled()
    if (this.#ended !== undefined) throw this.#ended
    const answered = this.#enqueue({ kind: 'engine.stop' })
    this.#decideAll()
    this.#commit(frameFlags.closing)
    await answered
    await this.settled()
    await this.#writer.keep(checkpointOf(this.#world))
    this.#end(stopped())
    this.#frames$.complete()
  }

  #enqueue(ask: Ask): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#inbox.push({ ask, arrivedNs: this.#options.clock.nowNs(), resolve, reject })
      this.#soon()
    })
  }

  #soon(): void {
    if (this.#asked || this.#committing !== undefined) return
    this.#asked = true
    queueMicrotask(() => {
      this.#asked = false
      if (this.#committing === undefined && this.#ended === undefined) this.#turn()
    })
  }

  /** Decides what waits; commits when something changed, or when enough reads have gathered. */
  #turn(): void {
    this.#decideAll()
    if (this.#ended !== undefined) return
    if (this.#decider.dirty || this.#decider.builder.count >= frameEvents) this.#commit(0)
    else if (this.#inbox.length > 0) this.#soon()
  }

  #decideAll(): void {
    if (this.#inbox.length === 0) return
    const inbox = this.#inbox
    const { builder } = this.#decider
    builder.begin(this.#options.clock.nowNs())
    let taken = 0
    try {
      while (taken < inbox.length && builder.count < frameEvents) this.#decider.decide(inbox[taken++]!)
      this.#inbox = inbox.slice(taken)
    } catch (error) {
      inbox[taken - 1]?.reject(error as Error)
      this.#inbox = inbox.slice(taken)
      this.#fail(error as Error)
    }
  }

  #commit(flags: number): void {
    if (this.#ended !== undefined) return
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
    const { builder, replies } = this.#decider
    const { low, high } = stateHash(this.#world)
    const buffered = this.#options.ack === 'buffered' ? frameFlags.buffered : 0
    await this.#options.payload.sync()
    const frame = await this.#writer.append(
      {
        ...builder.seal(),
        durableNs: this.#durableNs,
        replied: replies.upTo,
        flags: flags | buffered,
        stateLow: low,
        stateHigh: high,
      },
      builder.next - builder.count,
    )
    this.#durableNs = this.#options.clock.nowNs()
    this.#sinceCheckpoint += frame.count
    this.#decider.durable(frame.last)
    this.#frames$.next(frame)
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
    this.#decider.replies.end(error)
    for (const waiting of this.#inbox) waiting.reject(error)
    this.#inbox = []
  }
}

function stopped(): BlockboxError {
  return new BlockboxError('ENGINE_STOPPED', 'the engine has stopped')
}
