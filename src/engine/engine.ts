/**
 * The engine: inputs become entries, entries frames, frames durable, and only then is anyone told of a change.
 *
 *     ask ─▶ inbox ─▶ decide ─▶ frame being filled ─▶ sealed ─▶ append ─▶ frames$ ─▶ replies, effects, views
 *              ▲                                                                        │
 *              └──────────────────────────── reports of effects ◀───────────────────────┘
 *
 * One commit is in flight at a time, without a timer: what arrives meanwhile is decided at once and is the next
 * frame. So the state runs ahead of the durable one by the frame in flight and the one being filled, and no further:
 * when that is full (draft.ts), what is asked waits in the inbox. Everything that must be the state at a frame (its
 * hash, a checkpoint, what views show) is taken when it is sealed. What each answer waits for: decider.ts. Reads
 * never cause a commit, they ride in the next frame.
 *
 * When an append fails, or a decision does, the engine ends: all that was decided since is void, who waits gets the
 * error, what is durable can be read on (remains.ts), and another engine takes over from the journal (succession.ts).
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
import { type Answer, type Ask, type Asker, askFault, maxInbox } from './ask.ts'
import { BranchEffects, type WorldAt } from './branch-effects.ts'
import { Decider, type DeciderOptions } from './decider.ts'
import type { Sealed } from './draft.ts'
import { type Copier, Effects, internalCopier } from './effects.ts'
import { FenceEffects } from './fence-effects.ts'
import { Forwarding, type TapTerms } from './forwarding.ts'
import { Inbox } from './inbox.ts'
import { type Recover, Remains } from './remains.ts'

export interface EngineOptions extends DeciderOptions {
  readonly journal: Journal
  readonly clock: Clock
  readonly copier?: Copier
  /** Opens the clones that live outside; files and NBD exports unless told otherwise. */
  readonly openImage?: OpenImage
  /** States of the past, for branches: replay/at.ts has it. */
  readonly worldAt?: WorldAt | undefined
  readonly tap?: TapTerms | undefined
  /** A checkpoint is made after this many events. */
  readonly checkpointEvery?: number
}

export class Engine {
  readonly #frames$ = new Subject<Frame>()
  readonly #sealed$ = new Subject<number>()
  /** Each frame once it is durable; the state may be further. */
  readonly frames$: Observable<Frame> = this.#frames$.asObservable()
  /** The last event of each frame when it is sealed: `world` is then exactly the state after it, durable or not. */
  readonly sealed$: Observable<number> = this.#sealed$.asObservable()
  readonly #options: EngineOptions
  readonly #writer: Writer
  readonly #world: World
  readonly #decider: Decider
  readonly #effects: Effects
  readonly #inbox = new Inbox()
  #asked = false
  /** When the first ask for the turn that comes arrived: the others arrive at that instant too. */
  #turnNs: bigint | undefined
  #committing: Promise<void> | undefined
  #durableNs = 0n
  #sinceCheckpoint = 0
  #closing: Promise<void> | undefined
  #ended: BlockboxError | undefined
  readonly #recover: Recover
  #remains: Remains | undefined

  /** See `openEngine`, which recovers the state first. */
  constructor(options: EngineOptions, writer: Writer, world: World, recover: Recover) {
    this.#options = options
    this.#writer = writer
    this.#recover = recover
    this.#world = world
    const { clock, payload, journal, worldAt, copier = internalCopier, openImage = openExternal } = options
    const submit = (ask: Ask): Promise<unknown> => this.submit(ask).catch(() => undefined)
    const fences = new FenceEffects(world, payload, clock, submit)
    const branches = new BranchEffects({ journal, worldAt, submit: (ask) => this.submit(ask) }, world)
    const forwarding = new Forwarding(options.tap, payload)
    this.#effects = new Effects({ clock, copier, openImage, fences, branches, forwarding }, world, submit)
    this.#decider = new Decider(options, world, this.#effects)
  }

  /** The state after all that was decided, to look at, not to keep; what may be told to anybody: `look`. */
  get world(): World {
    return this.#world
  }

  /** What can be read on when the engine has failed; undefined as long as it has not. */
  get remains(): Remains | undefined {
    return this.#remains
  }

  /** The last durable event, when the state is the one after it; undefined while a change waits for its frame. */
  get durableSeq(): number | undefined {
    const { filling, sealed } = this.#decider
    if (filling.dirty || sealed?.dirty === true || this.#ended !== undefined) return undefined
    return (sealed ?? filling).builder.first - 1
  }

  /** The last event of the frame in flight, when the state is the one after it. */
  get sealedSeq(): number | undefined {
    const { filling, sealed } = this.#decider
    if (filling.dirty || this.#ended !== undefined) return undefined
    return sealed === undefined ? undefined : sealed.builder.next - 1
  }

  /**
   * What `look` sees in the state as it is now, told when all of it is durable. It must not return parts of the state
   * itself, which go on changing. Where the engine fails it sees what remains; once it is closed, ENGINE_STOPPED.
   */
  async look<Seen>(look: (world: World) => Seen): Promise<Seen> {
    if (this.#remains !== undefined) return look(await this.#remains.world())
    if (this.#ended !== undefined) throw this.#ended
    const seen = look(this.#world)
    const { filling, sealed } = this.#decider
    const newest = filling.dirty ? filling : sealed?.dirty === true ? sealed : undefined
    if (newest === undefined) return seen
    for (const last = newest.builder.next - 1; this.#decider.replies.upTo < last; await this.#committing) {
      if (this.#ended !== undefined) return this.look(look)
    }
    return seen
  }

  /**
   * Resolves with the answer; E_AGAIN, on no record, where it may not be decided in the state there is, by `when`.
   * Rejects with USAGE when the ask cannot be recorded, with PAYLOAD_CORRUPT when what a read would return is damaged,
   * and with the reason of the end when the engine has ended or the journal fails.
   */
  submit(ask: Ask, when?: Asker['when']): Promise<Answer> {
    return new Promise((resolve, reject) => this.take(ask, { resolve, reject, when }))
  }

  /** The same for who asks much and needs no promise of each: `asker` is told, at once or later. */
  take(ask: Ask, asker: Asker): void {
    const fault = askFault(ask)
    if (this.#ended !== undefined) asker.reject(this.#ended)
    else if (this.#closing !== undefined) asker.reject(stopped())
    else if (fault !== undefined) asker.reject(new BlockboxError('USAGE', fault))
    else if (this.#inbox.length >= maxInbox) asker.resolve({ code: 'E_QUEUE_FULL', seq: 0, made: 0 })
    else this.#enqueue(ask, asker)
  }

  /** Takes up what a recovered state owes. */
  recovered(): void {
    this.#effects.owe(this.#world)
  }

  /** Resolves when all that was asked so far is decided and durable, reads included. */
  async settled(): Promise<void> {
    while (
      this.#inbox.length > 0 ||
      this.#committing !== undefined ||
      this.#decider.filling.builder.count > 0
    ) {
      if (this.#ended !== undefined) throw this.#ended
      if (this.#committing !== undefined) await this.#committing
      else {
        this.#decideAll()
        if (this.#decider.filling.builder.count > 0) this.#commit(0)
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
    const stop = { kind: 'engine.stop' } as const
    const answered = new Promise((resolve, reject) => this.#enqueue(stop, { resolve, reject }))
    this.#decideAll()
    this.#commit(frameFlags.closing)
    await answered
    await this.settled()
    await this.#writer.keep(checkpointOf(this.#world))
    this.#end(stopped())
    this.#frames$.complete()
  }

  #enqueue(ask: Ask, asker: Asker): void {
    this.#soon()
    const arrivedNs = this.#turnNs ?? this.#options.clock.nowNs()
    if (this.#asked) this.#turnNs = arrivedNs
    this.#inbox.add(ask, asker, arrivedNs)
  }

  /** True while nothing more can be decided: a frame is in flight and the next one is full. */
  get #isFull(): boolean {
    return this.#committing !== undefined && this.#decider.filling.isFull
  }

  #soon(): void {
    if (this.#asked || this.#isFull) return
    this.#asked = true
    queueMicrotask(() => {
      this.#asked = false
      this.#turnNs = undefined
      if (this.#ended === undefined) this.#turn()
    })
  }

  /** Decides what waits; commits when something changed, or when enough reads have gathered. */
  #turn(): void {
    this.#decideAll()
    if (this.#ended !== undefined) return
    const isOver = () => this.#effects.linger.isOver(this.#decider.filling, () => this.#soon())
    if (this.#committing === undefined && isOver()) this.#commit(0)
    if (this.#inbox.length > 0) this.#soon()
  }

  #decideAll(): void {
    if (this.#inbox.length === 0) return
    this.#decider.filling.builder.begin(this.#options.clock.nowNs())
    try {
      this.#inbox.decide(this.#decider)
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  #commit(flags: number): void {
    if (this.#ended !== undefined) return
    this.#committing = this.#append(this.#seal(flags)).then(
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

  /** Closes the frame being filled, with all that must be the state at its end. */
  #seal(flags: number): Sealed {
    const { low, high } = stateHash(this.#world)
    const { builder } = this.#decider.seal()
    this.#sinceCheckpoint += builder.count
    const due = this.#sinceCheckpoint >= (this.#options.checkpointEvery ?? 1_000_000)
    if (due) this.#sinceCheckpoint = 0
    const buffered = this.#options.ack === 'buffered' ? frameFlags.buffered : 0
    const parts = {
      ...builder.seal(),
      durableNs: this.#durableNs,
      replied: this.#decider.replies.upTo,
      flags: flags | buffered,
      stateLow: low,
      stateHigh: high,
    }
    const stored = this.#options.payload.sync()
    const checkpoint = due ? checkpointOf(this.#world) : undefined
    this.#sealed$.next(builder.next - 1)
    return { parts, stored, checkpoint }
  }

  async #append({ parts, stored, checkpoint }: Sealed): Promise<void> {
    await stored
    const frame = await this.#writer.append(parts, parts.first)
    if (this.#ended !== undefined) return
    this.#durableNs = this.#options.clock.nowNs()
    this.#decider.durable(frame.last)
    this.#frames$.next(frame)
    this.#effects.begin()
    if (checkpoint !== undefined) await this.#writer.keep(checkpoint)
  }

  #fail(error: Error): void {
    this.#effects.stop()
    const code = error instanceof BlockboxError ? error.code : 'ENGINE_STOPPED'
    const reason = new BlockboxError(code, error.message, { cause: error })
    const { filling, sealed } = this.#decider
    const broken = this.#options.ack === 'buffered' && (filling.dirty || sealed?.dirty === true)
    this.#remains ??= new Remains({ reason, broken, written: this.#committing }, this.#options, this.#recover)
    this.#end(reason)
    this.#frames$.error(error)
  }

  #end(error: BlockboxError): void {
    this.#ended = error
    this.#sealed$.complete()
    this.#decider.replies.end(error)
    this.#inbox.end(error)
  }
}

const stopped = () => new BlockboxError('ENGINE_STOPPED', 'the engine has stopped')
