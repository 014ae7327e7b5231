/**
 * The witness: follows a journal frame by frame, across crashes, and holds the engine to all it promises.
 *
 *     frame ─▶ dense, chained ─▶ decided again, folded, every invariant and property ─▶ state hash
 *     answer ─▶ is about what was asked (asked.ts); its write took effect in a durable frame, a read returned the oracle's
 *               bytes, durable ones
 *     recovery ─▶ nothing acknowledged is gone, nothing is invented
 */

import { checks } from '../check/all.ts'
import type { Check, Finding } from '../check/check.ts'
import { hex, sameBytes } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import type { Answer, Ask, IoAsk } from '../engine/ask.ts'
import { Columns, takesEffect } from '../events/columns.ts'
import { ioKinds, isInput } from '../events/kind.ts'
import type { Frame } from '../journal/frame.ts'
import type { Journal } from '../journal/journal.ts'
import type { World } from '../layers/layer.ts'
import { reached } from '../layers/preserve-state.ts'
import { Player } from '../replay/replay.ts'
import { stateHashText } from '../volume/snapshot.ts'
import { newWorld } from '../volume.ts'
import { Asked } from './asked.ts'
import { BufferedAnswers } from './buffered-answers.ts'
import { type BytesAt, ContentOracle, type Outside } from './content-oracle.ts'
import { MoverOracle } from './mover-oracle.ts'
import type { RunMode } from './run-mode.ts'

/** No opening takes back more frames than a few of what the one before it found. */
const keptEnds = 64
const nothing = new Uint8Array(0)

export class Witness {
  readonly world: World = newWorld()
  readonly findings: Finding[] = []
  frames = 0
  /** Events that came from outside. */
  inputs = 0
  readonly #player: Player
  readonly #oracle: ContentOracle
  readonly #movers: MoverOracle
  readonly #asked = new Asked()
  readonly #columns = new Columns()
  /** Inputs of writes that took effect and whose answers did not come yet. */
  readonly #effects = new Set<number>()
  readonly #buffered: BufferedAnswers | undefined
  #acknowledged = 0
  /** The last position of any answer of this process. */
  #answered = 0
  #head: Uint8Array = new Uint8Array(32)
  /** Ends of the frames since the machine began, and of some before, with their hashes. */
  readonly #seen = new Map<number, Uint8Array>()

  constructor(bytesAt: BytesAt, outside: Outside, ack: RunMode['ack'] = 'durable') {
    this.#buffered = ack === 'buffered' ? new BufferedAnswers() : undefined
    const oracle = new ContentOracle(bytesAt, outside)
    this.#oracle = oracle
    this.#movers = new MoverOracle(bytesAt)
    const effects = (): Check => ({
      rules: [],
      after: (event) => {
        if (isInput(event.kind)) this.inputs++
        if (takesEffect(event)) this.#effects.add(event.about || event.seq)
      },
    })
    const own = [oracle.check, this.#movers.check, this.#asked.check]
    this.#player = new Player(this.world, { checks: [effects, ...checks, ...own] })
  }

  /** Hash of the last frame it saw, in hexadecimal. */
  get head(): string {
    return hex(this.#head)
  }

  get failed(): boolean {
    return this.findings.length + this.#player.findings.length > 0
  }

  /** All that was found, oldest first. */
  all(): Finding[] {
    return [...this.findings, ...this.#player.findings]
  }

  find(rule: string, detail: string, seq = this.world.seq): void {
    this.findings.push({ seq, rule, detail })
  }

  /** A frame became durable. */
  frame(frame: Frame): void {
    const { seq } = this.world
    if (frame.first !== seq + 1) this.find('order', `frame ${frame.first} follows event ${seq}`)
    else if (!sameBytes(frame.previous, this.#head)) this.find('chain', `frame ${frame.first} is not chained`)
    else this.#reading(() => this.#player.play(frame, this.#columns))
    this.#asked.framed()
    this.#head = frame.hash.slice()
    this.#seen.set(frame.last, this.#head)
    this.frames++
    for (const write of this.#buffered?.durable(this.world.seq) ?? []) this.#tookEffect(write)
  }

  /** A frame that no vocabulary allows, and payload that is not what was stored, are findings like any other. */
  #reading(look: () => void): void {
    try {
      look()
    } catch (error) {
      if (!(error instanceof BlockboxError)) throw error
      this.find(error.code, error.message, error.seq)
    }
  }

  /** True when a journal that ends with `last` lacks something that was durable. */
  isBehind(last: number): boolean {
    return last < Math.max(this.world.seq, this.#acknowledged)
  }

  /** True when a frame that ended with `last` had this hash, or the first one is yet to come. */
  saw(last: number, hash: string): boolean {
    const seen = this.#seen.get(last)
    return last === 0 || (seen !== undefined && hex(seen) === hash)
  }

  /** The last event that somebody was told is durable. */
  get acknowledged(): number {
    return this.#acknowledged
  }

  /** Expects what another witness saw acknowledged. */
  expect(acknowledged: number): void {
    this.#acknowledged = Math.max(this.#acknowledged, acknowledged)
  }

  /** Somebody asks: whatever was answered before this comes before it in the journal too. */
  asked(): number {
    return this.#answered
  }

  /**
   * Somebody was answered, who asked when `after` was the last position answered. The journal is the witness of one
   * order that every answer agrees with (linearizability, Herlihy and Wing 1990): it must keep the order of real time,
   * and each read returns what the oracle has at its own position.
   */
  answer(ask: Ask, answer: Answer, after = 0): void {
    this.#reading(() => this.#answer(ask, answer, after))
  }

  #answer(ask: Ask, answer: Answer, after: number): void {
    const { code, seq, data } = answer
    this.#asked.answered(ask, answer)
    if (code !== 'ok' || seq === 0) return
    if (seq <= after) this.find('linear', `${ask.kind} ${seq} was asked after ${after} was answered`, seq)
    this.#answered = Math.max(this.#answered, seq)
    const wrong = this.#buffered?.wrong(ask, seq, this.world.seq)
    if (wrong !== undefined) this.find('early', wrong, seq)
    if (this.#buffered?.mayCome(ask, seq, this.world.seq) === true) {
      return ask.kind === 'io.read' ? this.#oracle.answered(seq, data!) : undefined
    }
    if (ask.kind === 'io.read') {
      if (seq > this.world.seq) this.#durablyRead(ask, seq, data!)
      return this.#oracle.answered(seq, data!)
    }
    if (ask.kind === 'io.flush') return
    if (ask.kind === 'mover.report' || ask.kind === 'fence.update') {
      this.#movers.answered(seq, ask.data ?? nothing)
    }
    this.#acknowledged = Math.max(this.#acknowledged, seq)
    if (seq > this.world.seq) this.find('early', `event ${seq} is answered before its frame is durable`, seq)
    const isIo = (ioKinds as readonly string[]).includes(ask.kind)
    if (isIo) this.#tookEffect(seq)
  }

  #tookEffect(write: number): void {
    if (this.#effects.delete(write)) return
    this.find('early', `write ${write} is answered before it took effect`, write)
  }

  /** A read that is answered before its own event is durable: the bytes it returned have to be. */
  #durablyRead(ask: IoAsk, seq: number, data: Uint8Array): void {
    if (this.holds(ask, data)) return
    this.find('early', `read ${seq} returned bytes of volume ${ask.volume} that are not durable yet`, seq)
  }

  /** True when a read returns these bytes in the state after the last durable event. */
  holds({ session, volume, offset = 0 }: IoAsk, data: Uint8Array): boolean {
    return this.#oracle.holds(reached(this.world, session, volume), offset, data)
  }

  /** The journal was opened again after a crash: what was written and not yet published is caught up with. */
  async recovered(journal: Journal): Promise<void> {
    this.#oracle.crashed()
    this.#movers.crashed()
    this.#asked.crashed()
    this.#buffered?.crashed()
    this.#effects.clear()
    this.#answered = 0
    const { last } = journal.bounds()
    const { seq } = this.world
    if (this.isBehind(last)) {
      const durable = Math.max(seq, this.#acknowledged)
      this.find('lost', `the journal ends with event ${last}; event ${durable} was durable`)
      return
    }
    for (const end of [...this.#seen.keys()].slice(0, -keptEnds)) this.#seen.delete(end)
    for await (const frame of journal.read(seq + 1)) this.frame(frame)
  }

  /** The durable state of the engine must be the one the frames lead to. */
  agrees(durableSeq: number | undefined, world: World): void {
    if (durableSeq !== this.world.seq) return
    const [own, theirs] = [stateHashText(this.world), stateHashText(world)]
    if (own !== theirs) this.find('state', `the engine's state is ${theirs}, its frames lead to ${own}`)
  }

  end(): void {
    this.#player.end()
  }
}
