/**
 * Turns: of two requests that overlap, the one that came later is sent when the earlier one is answered, unless both
 * only read. What is sent at once never overlaps, so the order of answers is the order in which they took effect, and
 * the record says what the far disk holds.
 *
 *     taken ─ overlaps an earlier one that changes, or that it changes ─▶ waits ─ all of those are done ─▶ sent ─▶ done
 *         └──────────────────────────────────────────────────────────────────────────────────────────────▲
 */

import type { Range } from '../../core/range.ts'
import { RangeIndex } from '../../core/range-index.ts'

export class Turns {
  readonly #index = new RangeIndex<Turn>()
  #count = 0
  #going = 0

  /** Requests that are not done. */
  get going(): number {
    return this.#going
  }

  /** Takes a request; `send` is called when it may go: now, or when the last one before it is done. */
  take(range: Range, changes: boolean, send: () => void): Turn {
    const turn = new Turn(++this.#count, range, changes, send)
    this.#going++
    if (range.length > 0) {
      for (const before of this.#index.overlapping(range)) {
        if (before.changes || changes) before.hold(turn)
      }
      this.#index.add(turn)
    }
    turn.begin()
    return turn
  }

  /** A request is answered, or given up. */
  done(turn: Turn): void {
    this.#going--
    if (turn.length > 0) this.#index.remove(turn)
    turn.end()
  }
}

/** A request in its turn; a flush has no range and waits for nobody. */
export class Turn implements Range {
  /** Its place in the order. */
  readonly io: number
  readonly offset: number
  readonly length: number
  readonly changes: boolean
  readonly #send: () => void
  readonly #behind: Turn[] = []
  /** How many it waits for; itself, until it has begun. */
  #waits = 1

  constructor(io: number, { offset, length }: Range, changes: boolean, send: () => void) {
    this.io = io
    this.offset = offset
    this.length = length
    this.changes = changes
    this.#send = send
  }

  /** A later one waits for this one. */
  hold(later: Turn): void {
    later.#waits++
    this.#behind.push(later)
  }

  begin(): void {
    this.#passed()
  }

  end(): void {
    for (const later of this.#behind) later.#passed()
  }

  #passed(): void {
    if (--this.#waits === 0) this.#send()
  }
}
