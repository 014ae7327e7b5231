/**
 * Rest: what a run does when nothing can be sent now.
 *
 *     a request is due later ─▶ until then, or an answer comes
 *     none is, all wait      ─▶ until everything is durable ─▶ paced: until the deadline of a backup
 *
 * Every wait has an end. What waits in the engine goes on by itself only where a backup has a deadline.
 */

import type { Engine } from '../engine/engine.ts'
import { holdQueueOf } from '../layers/hold-queue.ts'
import type { Host } from './host.ts'
import type { Timekeeper } from './pace.ts'
import type { PacedCopier } from './paced-copier.ts'

export interface RestOptions {
  readonly engine: Engine
  readonly copier: PacedCopier
  readonly time: Timekeeper
  readonly signal?: AbortSignal
}

/** Beyond a deadline, for what it causes to be written. */
const slackMs = 1000

export class Rest {
  readonly #options: RestOptions
  #answers = 0
  #wake: () => void = () => undefined

  constructor(options: RestOptions) {
    this.#options = options
  }

  /** An answer came: who rests goes on. */
  answered(): void {
    this.#answers++
    this.#wake()
  }

  /** Waits until a request of these hosts is due or an answer came; false when neither will be. */
  async take(hosts: readonly Host[]): Promise<boolean> {
    const { engine, time, copier } = this.#options
    const answers = this.#answers
    const due = Math.min(...hosts.map((host) => host.dueNs ?? Number.POSITIVE_INFINITY))
    if (due < Number.POSITIVE_INFINITY) {
      await this.#sleep((due - time.nowNs()) / 1e6)
      return true
    }
    await engine.settled()
    await nextTurn()
    const goesOn = () => this.#answers > answers || copier.waiting > 0
    if (goesOn() || !hosts.some((host) => host.paced)) return goesOn()
    const backups = [...holdQueueOf(engine.world).backups.values()]
    const deadlineMs = Math.max(0, ...backups.map((backup) => backup.deadlineMs))
    if (deadlineMs > 0) await this.#sleep(deadlineMs + slackMs)
    return goesOn()
  }

  async #sleep(ms: number): Promise<void> {
    const { signal, time } = this.#options
    const stop = new AbortController()
    this.#wake = () => stop.abort()
    const ends = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
    await time.sleep(Math.max(0, ms), ends)
    this.#wake = () => undefined
  }
}

/** Lets go on what waits for a disk. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
