/**
 * How many background copies from outside are on their way at once. Their bytes go through the journal that writes
 * wait for: while hosts write, or wait for copies of their own, one at a time goes beside them; else as many as the window
 * holds. Reads of what is there wait for no frame.
 *
 *     background copy ─▶ waits ── room in the window ──▶ on its way ─▶ its report is durable: room again
 *                          └──── a host comes to need it ──▲
 */

import { overlap, type Range } from '../core/range.ts'

/** Bytes on their way in the background while nobody else is there; one copy always is. */
const windowBytes = 2 ** 18

interface Waiting extends Range {
  readonly tag: number
  /** Resolves when the copy has ended, well or not. Never rejects. */
  readonly begin: () => Promise<void>
}

export class CopyWindow {
  readonly #writes: () => number
  #waiting: Waiting[] = []
  /** Writes of hosts there had been when a copy last began. */
  #seen = 0
  #copies = 0
  #bytes = 0
  #demanded = 0

  /** @param writes how many changes of hosts the journal took so far. */
  constructor(writes: () => number) {
    this.#writes = writes
  }

  /** Begins a copy of pair `tag` in the background when there is room for it. */
  take(tag: number, { offset, length }: Range, begin: () => Promise<void>): void {
    this.#waiting.push({ tag, offset, length, begin })
    this.#fill()
  }

  /** Begins a copy that a host waits for. */
  demand(begin: () => Promise<void>): void {
    this.#demanded++
    void begin().then(() => {
      this.#demanded--
      this.#fill()
    })
  }

  /** A host needs a range of one of the pairs: copies of it that wait begin. */
  hurry(tags: readonly number[], range: Range): void {
    const needed = this.#waiting.filter((one) => tags.includes(one.tag) && overlap(one, range))
    this.#waiting = this.#waiting.filter((one) => !needed.includes(one))
    for (const { begin } of needed) this.demand(begin)
  }

  /** Nothing begins any more. */
  stop(): void {
    this.#waiting = []
  }

  #fill(): void {
    const alone = this.#demanded === 0 && this.#writes() === this.#seen
    for (let [next] = this.#waiting; next !== undefined; [next] = this.#waiting) {
      if (this.#copies > 0 && !(alone && this.#bytes + next.length <= windowBytes)) return
      this.#waiting.shift()
      this.#begin(next)
    }
  }

  #begin({ length, begin }: Waiting): void {
    this.#seen = this.#writes()
    this.#copies++
    this.#bytes += length
    void begin().then(() => {
      this.#copies--
      this.#bytes -= length
      this.#fill()
    })
  }
}
