/**
 * States of the past that somebody looks at: made from the journal one at a time, shared by all who look at the same
 * event, kept for a while when nobody does, and never more than a bounded number, for each holds whole block maps.
 */

import { BlockboxError } from '../../core/errors.ts'
import type { Journal } from '../../journal/journal.ts'
import { type Volume, volumeOf, type World } from '../../layers/layer.ts'
import { worldAt } from '../../replay/at.ts'
import { type Point, seqOf } from '../../replay/point.ts'

/** States kept that nobody looks at. */
const maxKept = 4
/** States looked at at once. */
const maxTaken = 16

interface Held {
  readonly world: World
  users: number
}

export interface PastVolume {
  readonly seq: number
  readonly world: World
  readonly volume: Volume
  /** Nobody looks at it any more through this. */
  release(): void
}

export class PastStates {
  #journal: Journal
  /** By event; the one asked for longest ago comes first. */
  readonly #states = new Map<number, Held>()
  #making: Promise<unknown> = Promise.resolve()

  constructor(journal: Journal) {
    this.#journal = journal
  }

  /** Resolves when none is being made, so that the journal may be closed. */
  async still(): Promise<void> {
    await this.#making
  }

  /** They are made from this journal from now on: the same one, opened anew. What is durable in it did not change. */
  goOn(journal: Journal): void {
    this.#journal = journal
  }

  /** A volume as it was, to be looked at now. Throws NO_SUCH_POINT, JOURNAL_TRUNCATED. */
  async at(volume: Volume, point: Point, signal: AbortSignal): Promise<Omit<PastVolume, 'release'>> {
    const past = await this.take(volume, point, signal)
    past.release()
    return past
  }

  /** The same, kept until it is released. Throws NBD_REFUSED when too many are looked at. */
  async take(volume: Volume, point: Point, signal: AbortSignal): Promise<PastVolume> {
    const seq = await this.#oneAtATime(() => seqOf(this.#journal, point, volume.id, signal))
    const held = this.#states.get(seq) ?? (await this.#oneAtATime(() => this.#make(seq, signal)))
    const then = volumeOf(held.world, volume.id)
    if (then === undefined) {
      const why = held.world.volumes[volume.id - 1] === undefined ? 'did not exist yet' : 'was no more'
      throw new BlockboxError('NO_SUCH_POINT', `volume ${volume.name} ${why} after event ${seq}`)
    }
    this.#states.delete(seq)
    this.#states.set(seq, held)
    held.users++
    let released = false
    const release = () => {
      if (!released) held.users--
      released = true
      this.#forget()
    }
    return { seq, world: held.world, volume: then, release }
  }

  async #make(seq: number, signal: AbortSignal): Promise<Held> {
    const there = this.#states.get(seq)
    if (there !== undefined) return there
    const taken = [...this.#states.values()].filter(({ users }) => users > 0)
    if (taken.length >= maxTaken) {
      const why = `${maxTaken} moments of the past are looked at already: close one first`
      throw new BlockboxError('NBD_REFUSED', why)
    }
    const held = { world: await worldAt(this.#journal, seq, signal), users: 0 }
    this.#states.set(seq, held)
    this.#forget()
    return held
  }

  /** Gives up what nobody looks at, the oldest first, down to what may be kept. */
  #forget(): void {
    let idle = [...this.#states.values()].filter(({ users }) => users === 0).length
    for (const [seq, { users }] of this.#states) {
      if (idle <= maxKept) return
      if (users > 0) continue
      this.#states.delete(seq)
      idle--
    }
  }

  /** Reading the journal is work: clients who ask for many moments wait for each other, and for nobody else. */
  #oneAtATime<T>(work: () => Promise<T>): Promise<T> {
    const made = this.#making.then(work)
    this.#making = made.catch(() => undefined)
    return made
  }
}
