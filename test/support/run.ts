/**
 * An engine at work on a journal in memory, with a clock that is moved by hand and copies that end when they are told
 * to. It notes the state after every frame, and holds the engine to its promise that no write is answered before its
 * frame is durable.
 */

import * as assert from 'uvu/assert'
import type { Answer, Ask, CommandAsk } from '../../src/engine/ask.ts'
import type { Copier, Copy } from '../../src/engine/effects.ts'
import type { Engine, EngineOptions } from '../../src/engine/engine.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import type { Code } from '../../src/events/code.ts'
import { worldAt } from '../../src/replay/at.ts'
import { stateHashText } from '../../src/volume/snapshot.ts'
import { type ManualClock, manualClock } from './clock.ts'
import { type Opened, openMemory } from './store.ts'

export const blockBytes = 4096

export interface RunOptions extends Partial<Omit<EngineOptions, 'journal' | 'payload' | 'clock'>> {
  readonly clock?: ManualClock
  readonly on?: Partial<Pick<Opened, 'store' | 'head'>>
}

/** A copy that runs until somebody ends it. */
export interface OpenCopy extends Copy {
  end(code: Code): void
}

export class Run {
  readonly engine: Engine
  readonly clock: ManualClock
  readonly opened: Opened
  readonly copies: OpenCopy[]
  /** The state after each frame, by its last event. */
  readonly states = new Map<number, string>()
  readonly answers: (Answer & { readonly ask: Ask })[] = []
  readonly errors: Error[] = []
  #requests = 0

  constructor(engine: Engine, clock: ManualClock, opened: Opened, copies: OpenCopy[]) {
    this.engine = engine
    this.clock = clock
    this.opened = opened
    this.copies = copies
    let sealed = ''
    engine.sealed$.subscribe((last) => {
      assert.is(engine.world.seq, last)
      sealed = `${last} ${stateHashText(engine.world)}`
    })
    engine.frames$.subscribe({
      next: ({ last }) => {
        const [seq, state] = sealed.split(' ')
        assert.is(Number(seq), last)
        this.states.set(last, state!)
      },
      error: () => undefined,
    })
  }

  /** Asks, and notes the answer or the error whenever it comes. */
  ask(ask: Ask): Promise<Answer | undefined> {
    const asked = this.engine.submit(ask).then(
      (answer) => {
        this.answers.push({ ...answer, ask })
        return answer
      },
      (error: Error) => {
        this.errors.push(error)
        return undefined
      },
    )
    return asked
  }

  /** A command that has to succeed, with what it made. */
  async must(kind: CommandAsk['kind'], detail: NonNullable<CommandAsk['detail']>): Promise<number> {
    const { code, made } = await this.engine.submit({ kind, detail })
    assert.is(code, 'ok', `${kind} was refused`)
    return made
  }

  /** A volume of so many blocks. */
  volume(name: string, blocks: number): Promise<number> {
    return this.must('volume.create', { name, size: blocks * blockBytes, block: blockBytes })
  }

  /** A request on whole blocks; a write fills them with `fill`. */
  io(kind: 'io.read' | 'io.write' | 'io.zeroes' | 'io.discard' | 'io.flush', place: IoPlace = {}) {
    const { session = 1, volume = 1, at = 0, count = 1, flags = 0 } = place
    const asked = { kind, session, volume, request: ++this.#requests, flags, offset: at * blockBytes }
    if (kind === 'io.flush') return this.ask({ kind, session, volume, request: this.#requests, flags })
    if (kind !== 'io.write') return this.ask({ ...asked, length: count * blockBytes })
    const data = new Uint8Array(count * blockBytes).fill(place.fill ?? (this.#requests % 255) + 1)
    return this.ask({ ...asked, data })
  }

  /** The same, when nobody waits for the answer: it comes later, or never. */
  post(kind: Parameters<Run['io']>[0], place: IoPlace = {}): void {
    this.io(kind, place).catch(() => undefined)
  }

  /** Ends the oldest copy that is running. */
  endCopy(code: Code = 'ok', index = 0): void {
    this.copies.splice(index % Math.max(1, this.copies.length), 1)[0]?.end(code)
  }

  /** Waits until all that was asked is durable, and what follows from it. */
  async settled(): Promise<void> {
    await this.engine.settled()
    await turn()
    await this.engine.settled()
  }
}

export interface IoPlace {
  readonly session?: number
  readonly volume?: number
  /** Block and count of blocks. */
  readonly at?: number
  readonly count?: number
  readonly flags?: number
  readonly fill?: number
}

/** Lets everything go on that waits for no disk, clock or copy. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Opens an engine on a journal in memory. Copies wait in `copies` unless `copier` says otherwise. */
export async function startRun(options: RunOptions = {}): Promise<Run> {
  const { clock = manualClock(), on = {}, ...rest } = options
  const opened = await openMemory(on)
  const copies: OpenCopy[] = []
  const copier: Copier = (copy) => new Promise((resolve) => copies.push({ ...copy, end: resolve }))
  const engine = await openEngine({ ...opened, clock, copier, worldAt, ...rest })
  return new Run(engine, clock, opened, copies)
}
