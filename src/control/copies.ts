/** The copies that an open journal makes: those that run, and the last of those that have ended. */

import { BlockboxError } from '../core/errors.ts'
import type { Copy } from './copy.ts'

/** Copies that run at once: each holds the block maps of a whole state. */
const maxRunning = 4
/** Copies that have ended and are still told of. */
const maxKept = 64

export class Copies {
  readonly #all = new Map<number, Copy>()
  /** Targets of copies that are about to begin. */
  readonly #beginning = new Set<string>()
  #begun = 0
  #closed = false

  /**
   * Keeps what `make` makes, if it makes a copy; it is given a number. Throws what that throws, and USAGE when too many
   * run, or one to that target does.
   */
  async begin<Made extends { readonly copy?: Copy }>(
    target: string,
    make: (number: number) => Promise<Made>,
  ): Promise<Made> {
    if (this.#closed) throw new BlockboxError('ENGINE_STOPPED', 'the server is stopping')
    const running = [...this.#all.values()].filter(({ isOver }) => !isOver)
    const targets = [...running.map(({ terms }) => terms.note.target), ...this.#beginning]
    if (targets.includes(target)) {
      throw new BlockboxError('USAGE', `a copy to ${target} runs already: wait for its end, or cancel it`)
    }
    if (targets.length >= maxRunning) {
      throw new BlockboxError('USAGE', `${maxRunning} copies run already: wait for the end of one`)
    }
    this.#beginning.add(target)
    try {
      const made = await make(++this.#begun)
      if (made.copy !== undefined) this.#keep(made.copy)
      return made
    } finally {
      this.#beginning.delete(target)
    }
  }

  #keep(copy: Copy): void {
    for (const [number, { isOver }] of this.#all) {
      if (this.#all.size < maxKept) break
      if (isOver) this.#all.delete(number)
    }
    this.#all.set(copy.terms.number, copy)
    if (this.#closed) copy.cancel(stopped())
  }

  /** Throws NO_SUCH_COPY when it is not known, or not any more. */
  get(number: number): Copy {
    const copy = this.#all.get(number)
    if (copy !== undefined) return copy
    throw new BlockboxError('NO_SUCH_COPY', `there is no copy ${number}, or it ended long ago`)
  }

  /** How far each is, in the order they began. */
  records() {
    return [...this.#all.values()].map((copy) => copy.record())
  }

  /** Cuts off what runs, which can be gone on with, and waits for its end. */
  async close(): Promise<void> {
    this.#closed = true
    await this.cut(stopped())
  }

  /** The same for this reason; others may begin. */
  async cut(reason: Error): Promise<void> {
    for (const copy of this.#all.values()) copy.cancel(reason)
    await Promise.all([...this.#all.values()].map(({ ended }) => ended))
  }
}

function stopped(): BlockboxError {
  return new BlockboxError('ENGINE_STOPPED', 'the server stopped in the middle of the copy')
}
