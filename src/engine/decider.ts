/**
 * The decider: asks become entries of the frame being filled, one after the other, each against the state that the
 * one before it left, whether that is durable or not.
 *
 *     ask ─▶ judge, decide ─▶ events on the record ─▶ state
 *                                └─▶ replies and effects noted, to be given and begun when the frame is durable
 *
 * What an answer waits for:
 *
 *     durable   a read      the newest frame that changed what it returns; none when all of it is durable
 *               the rest    the newest frame that changed anything: its own, for what changes something itself
 *     buffered  flush, FUA  the newest frame that changed anything; other requests wait for nothing
 *     either    commands, and what is released or ended later: the frame that says so
 *
 * An ask that cannot stand in the record at all is turned away with an error and leaves no event (ask.ts).
 */

import { assert } from '../core/assert.ts'
import { sha256, shortHigh, shortLow } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import { isZeros } from '../core/zeros.ts'
import type { Event, NewEvent } from '../events/columns.ts'
import { changes } from '../events/kind.ts'
import { mergedBlocks, unreadable } from '../images/merged.ts'
import { volumeOf, type World } from '../layers/layer.ts'
import { reached } from '../layers/preserve-state.ts'
import { isMerged, isWhole } from '../layers/sub-block.ts'
import { type PayloadStore, wholeUnits } from '../payload/payload.ts'
import { enterCommand, enterRequest, judgeNext, somethingFollows } from '../volume/entry.ts'
import { evolve } from '../volume.ts'
import { type Asker, type CommandAsk, type IoAsk, isIo, isSynced, keyedDetail, type Waiting } from './ask.ts'
import { Draft } from './draft.ts'
import type { Effects } from './effects.ts'
import { type FarAnswer, farAnswer } from './far-answer.ts'
import type { FrameBuilder } from './frame-builder.ts'
import { type IoRow, ioRow, type Placed } from './io-row.ts'
import { type Reading, readAnswer } from './read-answer.ts'
import { type Decided, Replies } from './replies.ts'

export interface DeciderOptions {
  readonly payload: PayloadStore
  /** `durable`: a write is answered when its frame is durable. `buffered`: when accepted; FLUSH and FUA wait. */
  readonly ack?: 'durable' | 'buffered'
  /** A digest of what a read returned goes on the record always, or where a layer is at work on the volume. */
  readonly readDigests?: 'always' | 'active'
}

export class Decider {
  readonly replies = new Replies()
  #filling: Draft
  #sealed: Draft | undefined
  /** The draft that is filled when this one is sealed. */
  #spare: Draft
  readonly #options: DeciderOptions
  readonly #world: World
  readonly #effects: Effects
  /** Of the payload that the next event on the record brings. */
  #digest: Uint8Array | undefined
  /** Of the far server whose report is decided. */
  #far: FarAnswer | undefined

  constructor(options: DeciderOptions, world: World, effects: Effects) {
    this.#options = options
    this.#world = world
    this.#effects = effects
    this.#filling = new Draft(world.seq + 1)
    this.#spare = new Draft(world.seq + 1)
  }

  /** The frame that takes what is decided now. */
  get filling(): Draft {
    return this.#filling
  }

  /** The frame in flight. */
  get sealed(): Draft | undefined {
    return this.#sealed
  }

  /** Decides one ask; its answer is given at once or noted for when the frame is durable. */
  decide(waiting: Waiting): void {
    const { ask, asker, arrivedNs } = waiting
    const at = Number(arrivedNs - this.#builder.instantNs)
    const seq = this.#builder.next
    if (isIo(ask)) this.#decideIo(ask, at, seq, asker)
    else this.#decideCommand(ask, at, seq, asker)
  }

  /** Closes the frame being filled, which is now in flight, and begins the next; the one before must be durable. */
  seal(): Draft {
    assert(this.#sealed === undefined, 'a frame is sealed while another one is in flight')
    const sealed = this.#filling
    this.#sealed = sealed
    this.#filling = this.#spare
    this.#filling.restart(sealed.builder.next)
    this.replies.seal()
    this.#effects.seal(sealed)
    return sealed
  }

  /** The frame in flight, which ends with `last`, is durable: its answers are given. */
  durable(last: number): void {
    this.#spare = this.#sealed!
    this.#sealed = undefined
    this.replies.durable(last)
  }

  #decideIo(ask: IoAsk, at: number, seq: number, asker: Asker): void {
    const world = this.#world
    const io = ioRow(ask, at)
    io.volume = reached(world, io.session, io.volume)
    let verdict = judgeNext(world, io)
    io.fate = verdict.fate
    let digest: Uint8Array | undefined
    if (changes(io.op) && verdict.fate !== 'refused') {
      try {
        digest = this.#place(io, ask.data)
      } catch (error) {
        verdict = unreadable(error)
        io.fate = verdict.fate
      }
    }
    io.code = verdict.code
    if (!somethingFollows(world, io.volume, verdict)) this.#pass(io, digest)
    else {
      this.#digest = digest
      const waits = verdict.fate !== 'passed' && verdict.fate !== 'refused'
      if (waits) this.replies.expect(seq, asker)
      enterRequest(world, io, verdict, this.#recorder)
      if (waits) return
    }
    if (ask.kind !== 'io.read' || verdict.code !== 'ok') {
      return this.#answer(seq, { code: verdict.code }, this.#newest(isSynced(ask)), asker)
    }
    const waitsFor = this.#newestOf(io, isSynced(ask))
    const lend = ask.lend === true && waitsFor === undefined
    this.#answer(seq, this.#answered(io, seq - this.#builder.first, false, lend), waitsFor, asker)
  }

  /** The way of nearly all requests: it takes effect, and nobody has to hear of it. */
  #pass(io: IoRow, digest: Uint8Array | undefined): void {
    const filling = this.#filling
    const recorded = filling.builder.record(io, digest)
    if (changes(io.op)) {
      filling.took(recorded)
      filling.changes.note(recorded, this.#world)
    }
    evolve(this.#world, recorded)
  }

  /**
   * Stores what a request brings, or the blocks that it leaves where it goes at once and covers some in part. The
   * request gets the place, and the short digest of the one returned. Throws what reading those blocks throws.
   */
  #place(io: Placed, data: Uint8Array | undefined): Uint8Array | undefined {
    const volume = volumeOf(this.#world, io.volume)!
    const { payload } = this.#options
    const bytes = isMerged(io, volume.block) ? mergedBlocks(this.#world, volume, payload, io, data) : data
    if (bytes === undefined || (io.op !== 'write' && isZeros(bytes))) return undefined
    const digest = sha256(bytes)
    io.payload = payload.put(wholeUnits(bytes))
    this.#filling.bytes += bytes.length
    io.digestHigh = shortHigh(digest)
    io.digestLow = shortLow(digest)
    return digest
  }

  /** A request that waited takes effect: where it covers a block in part it is merged with what is there now. */
  #merged(event: NewEvent): NewEvent {
    const { op = 'none', offset = 0, length = 0, volume = 0 } = event
    if (!changes(op) || isWhole({ offset, length }, volumeOf(this.#world, volume)!.block)) return event
    const io: Placed & NewEvent = { ...event, op, offset, length, volume, fate: 'passed' }
    try {
      const data = op === 'write' ? this.#options.payload.read(event.payload!, length).slice() : undefined
      this.#digest = this.#place(io, data)
      return io
    } catch (error) {
      return { ...event, ...unreadable(error) }
    }
  }

  #decideCommand(ask: CommandAsk, at: number, seq: number, asker: Asker): void {
    if ((ask.about ?? 0) >= seq) {
      asker.reject(new BlockboxError('USAGE', `${ask.kind} names event ${ask.about}, which is yet to come`))
      return
    }
    if (asker.when?.(this.#world) === false) return asker.resolve({ code: 'E_AGAIN', seq: 0, made: 0 })
    this.replies.expect(seq, asker)
    const atUs = Number((this.#builder.instantNs + BigInt(at)) / 1000n)
    if (ask.kind === 'tap.report') return this.#decideReport(ask, at, seq, atUs)
    const { data, key: _, ...command } = ask
    const detail = keyedDetail(ask)
    const digest = data === undefined ? undefined : sha256(data)
    const brought = data === undefined || digest === undefined ? {} : this.#brought(data, digest)
    this.#digest = (brought.payload ?? 0) > 0 ? digest : undefined
    const code = enterCommand(this.#world, { ...command, detail, ...brought, at }, atUs, this.#recorder)
    this.#filling.dirty = true
    this.replies.decided(seq, { code })
  }

  /** The answer of a far server. To a read it changes nothing: like other reads it causes no commit. */
  #decideReport(ask: CommandAsk, at: number, seq: number, atUs: number): void {
    const { data: _, ...report } = ask
    const far = farAnswer(ask, at)
    this.#far = far
    const code = enterCommand(this.#world, { ...report, ...far.returned?.short, at }, atUs, this.#recorder)
    this.#far = undefined
    this.replies.answerNow(seq, { code })
  }

  /** Where the bytes are that a command or report brought, and their digest; zeros take no place. */
  #brought(data: Uint8Array, digest: Uint8Array): Omit<NewEvent, 'kind'> {
    const payload = isZeros(data) ? 0 : this.#options.payload.put(data)
    this.#filling.bytes += data.length
    return { length: data.length, payload, digestHigh: shortHigh(digest), digestLow: shortLow(digest) }
  }

  /** Puts an event on the record, and notes what it will cause. */
  readonly #recorder = (decided: NewEvent): Event => {
    const released = (decided.about ?? 0) > 0 && decided.kind.endsWith('.released')
    const event = released && decided.fate === 'passed' ? this.#merged(decided) : decided
    const digest = this.#digest
    this.#digest = undefined
    const filling = this.#filling
    const far = this.#far
    const recorded = filling.builder.record(far === undefined ? event : { ...event, at: far.at }, digest)
    const { kind, fate } = recorded
    if (kind === 'io.read' || kind === 'io.flush') {
      if (fate === 'queued') filling.took(recorded)
      if (fate === 'queued' || fate === 'forwarded') this.#effects.note(recorded)
      return recorded
    }
    if (kind === 'tap.released' && recorded.op === 'read') return this.#returned(recorded)
    if (kind === 'tap.report' && far?.returned !== undefined) return recorded
    if (fate !== 'refused') {
      filling.took(recorded)
      filling.changes.note(recorded, this.#world)
    }
    this.#effects.note(recorded)
    if (kind === 'tap.released') {
      this.#answer(recorded.about, { code: recorded.code }, this.#newest(isSynced(recorded)))
      return recorded
    }
    this.replies.note(recorded, () => this.#released(recorded))
    return recorded
  }

  /** What the release of a request answers: the bytes of a queued read as they are now, and the code. */
  #released(event: Event): Decided {
    return event.op === 'read' ? this.#answered(event, this.#builder.count - 1, true, false) : { code: 'ok' }
  }

  /** A read that a far server answered: its bytes go to the host, their digest on the record. */
  #returned(released: Event): Event {
    const returned = this.#far?.returned
    assert(returned !== undefined, 'a read is answered with what the far server returned')
    const { data, short } = returned
    this.#builder.answered(this.#builder.count - 1, short.digestHigh, short.digestLow)
    this.#answer(released.about, { code: 'ok', data }, this.#newestOf(released, false))
    return released
  }

  get #builder(): FrameBuilder {
    return this.#filling.builder
  }

  #answer(seq: number, answered: Decided, waitsFor: Draft | undefined, asker?: Asker): void {
    if (waitsFor === this.#filling) waitsFor.urgent = true
    if (waitsFor === undefined) this.replies.answerNow(seq, answered, asker)
    else if (waitsFor === this.#filling) this.replies.decided(seq, answered, asker)
    else this.replies.decidedBySealed(seq, answered, asker)
  }

  /** The newest frame that changed anything and is not durable; buffered, only who is `synced` waits for it. */
  #newest(synced: boolean): Draft | undefined {
    if (this.#options.ack === 'buffered' && !synced) return undefined
    if (this.#filling.dirty) return this.#filling
    return this.#sealed?.dirty === true ? this.#sealed : undefined
  }

  /** The newest of those that changed what a read returns. */
  #newestOf(io: Placed, synced: boolean): Draft | undefined {
    if (this.#options.ack === 'buffered') return this.#newest(synced)
    if (this.#filling.changes.touches(io.volume, io)) return this.#filling
    return this.#sealed?.changes.touches(io.volume, io) === true ? this.#sealed : undefined
  }

  /** What a read answers; its digest goes on the record at `row`. */
  #answered(of: Reading, row: number, always: boolean, lend: boolean): Decided {
    const { payload, readDigests } = this.#options
    const world = this.#world
    const answered = readAnswer(world, payload, of, lend)
    const wanted = always || world.active[of.volume - 1]!.length > 0 || readDigests === 'always'
    if (wanted && answered.data !== undefined) {
      const digest = sha256(answered.data)
      this.#builder.answered(row, shortHigh(digest), shortLow(digest))
    }
    return answered
  }
}
