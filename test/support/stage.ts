/**
 * Stories: what is said of the past in given.ts, asked of a real engine on a journal in memory. Each ask is settled
 * before the next, so that what it caused is on record; whoever waits is not waited for.
 */

import type { Ask, CommandAsk } from '../../src/engine/ask.ts'
import type { NewEvent } from '../../src/events/columns.ts'
import { ioKinds } from '../../src/events/kind.ts'
import type { Frame } from '../../src/journal/frame.ts'
import { manualClock } from './clock.ts'
import { type Run, startRun } from './run.ts'
import { cutAfter, framesOf } from './store.ts'

/** An input, or something done with the stage. */
export type Act = NewEvent | ((stage: Stage) => Promise<void> | void)

export class Stage {
  #run: Run

  constructor(run: Run) {
    this.#run = run
  }

  /** The engine at work; another one after a crash. */
  get run(): Run {
    return this.#run
  }

  async play(acts: readonly Act[]): Promise<void> {
    for (const act of acts) {
      if (typeof act === 'function') await act(this)
      else void this.#run.ask(asked(act))
      await this.settled()
    }
  }

  /** Until nothing follows any more: patterns, flushes and reports take a turn each. */
  async settled(): Promise<void> {
    for (let k = 0; k < 4; k++) await this.#run.settled()
  }

  frames(): Promise<Frame[]> {
    return framesOf(this.#run.opened.store)
  }

  /** The process goes without a word, and another one opens what it left. */
  async crash(): Promise<void> {
    const { engine, opened } = this.#run
    const left = await cutAfter(opened.store, (await this.frames()).at(-1)!)
    await engine.close()
    this.#run = await startRun({ on: left })
  }
}

/** A stage on a journal in memory. */
export async function stage(): Promise<Stage> {
  return new Stage(await startRun({ clock: manualClock(), checkpointEvery: 7 }))
}

/** What an input asks of an engine; a place becomes bytes that are its own. */
export function asked(input: NewEvent): Ask {
  const { kind, payload = 0, op: _op, fate: _fate, length = 0, ...rest } = input
  const data = payload === 0 ? {} : { data: bytesOf(payload, length) }
  const given = 'data' in data || length === 0 ? rest : { ...rest, length }
  if ((ioKinds as readonly string[]).includes(kind)) return { kind, ...given, ...data } as Ask
  return { kind, ...given, ...data } as CommandAsk
}

function bytesOf(place: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, k) => (place + 17 * Math.floor(k / 512) + k) % 251)
}

/** Every copy that runs, and every one that follows, ends well. */
export async function copies(on: Stage): Promise<void> {
  for (await on.settled(); on.run.copies.length > 0; await on.settled()) on.run.endCopy()
}

/** The oldest copy that runs ends badly. */
export function copyFails(on: Stage): void {
  on.run.endCopy('E_IO')
}

export function copyEnds(on: Stage): void {
  on.run.endCopy()
}

/** So much time passes. */
export function passes(ms: number): Act {
  return (on) => on.run.clock.advance(ms)
}

export const crashes: Act = (on) => on.crash()
