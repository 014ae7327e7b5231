/**
 * Clients that give their commands keys, and ask again what they do not know the end of: after a crash, or because they
 * are impatient. Now and then one takes another's key for something else.
 */

import type { Ask, CommandAsk } from '../engine/ask.ts'
import { count, noDetail } from '../events/detail.ts'
import type { World } from '../layers/layer.ts'
import { recentEvents } from './command-chance.ts'
import type { Dice } from './dice.ts'

/** So many commands may still be asked again. */
const kept = 8

export class Retries {
  /** Commands with keys, oldest first. */
  readonly #asked: CommandAsk[] = []
  readonly #unanswered = new Set<Ask>()

  /** The command, given a key or not; or one that was asked before. */
  next(dice: Dice, command: CommandAsk, world: World): CommandAsk {
    if (dice.once(16)) {
      const before = dice.pick(this.#recent(world))
      if (before?.key !== undefined) return dice.once(6) ? { ...command, key: before.key } : before
    }
    if (!dice.once(8)) return command
    const keyed = { ...command, key: `k${dice.below(2 ** 30)}` }
    this.#asked.push(keyed)
    if (this.#asked.length > kept) this.#unanswered.delete(this.#asked.shift()!)
    this.#unanswered.add(keyed)
    return keyed
  }

  told(ask: Ask): void {
    this.#unanswered.delete(ask)
  }

  /** What nobody answered before the recorder was gone; and now and then something whose answer got lost on the way. */
  again(dice: Dice, world: World): CommandAsk[] {
    const asked = this.#recent(world)
    const lost = dice.once(2) ? dice.pick(asked) : undefined
    return asked.filter((ask) => ask === lost || this.#unanswered.has(ask))
  }

  /** What may be asked again: of a moment that the oracle of contents has forgotten there is no branch. */
  #recent({ seq }: World): CommandAsk[] {
    return this.#asked.filter(({ kind, detail = noDetail }) => {
      return kind !== 'volume.branch' || count(detail, 'seq') > seq - recentEvents / 2
    })
  }
}
