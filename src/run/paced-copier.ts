/** The copier of a run: copies end when the driver says so, so that a run is the same each time. */

import type { Copier } from '../engine/effects.ts'
import type { Code } from '../events/code.ts'

/** Copies that were started and wait for the driver to let them end. */
export class PacedCopier {
  readonly #waiting: ((code: Code) => void)[] = []

  /** To be given to the engine. */
  readonly copy: Copier = () => new Promise<Code>((resolve) => this.#waiting.push(resolve))

  get waiting(): number {
    return this.#waiting.length
  }

  /** Ends up to `count` copies, oldest first; says how many. */
  finish(count: number): number {
    const done = this.#waiting.splice(0, count)
    for (const resolve of done) resolve('ok')
    return done.length
  }
}
