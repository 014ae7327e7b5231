/**
 * The history of one block, from its touches: what its readers saw from when on, and which image answered them.
 *
 *     touches of the volume, of its base if it is a view, and of the clones it was restored from
 *        ─▶ own place, shown clone, image 2 or base  ─▶ steps: content before and after, reads
 *
 * It holds what a reader of the whole state would see (volume/content.ts), for one block alone.
 */

import type { Roster } from './roster.ts'
import { marks } from './touch.ts'

/** A touch that covers the block; `place` is the block's own, or a mark. */
export interface BlockTouch {
  readonly seq: number
  readonly volume: number
  readonly place: number
}

/** What a reader of the block gets. */
export interface Held {
  /** Place of the block's payload; 0: zeros. Undefined when it lies in a clone outside that was not read yet. */
  readonly place: number | undefined
  /** The image that answers. */
  readonly image: 'own' | 'base' | 'image-2' | 'clone' | 'outside' | 'none'
  /** The volume whose image that is; 0: none of them. */
  readonly volume: number
}

export interface BlockStep {
  readonly seq: number
  /** What happened to the block: see touch.ts. `changed` is a write of some kind to the image that readers see. */
  readonly what: 'there' | 'changed' | 'copied' | 'shown' | 'reverted' | 'based' | 'gone' | 'read'
  readonly before: Held
  readonly after: Held
}

const nobody: Held = { place: undefined, image: 'none', volume: 0 }

/** The volumes whose touches tell the history of a block of this one. */
export function relatedVolumes(roster: Roster, volume: number): number[] {
  const base = roster.volume(volume)?.base ?? 0
  const origins = base === 0 ? [volume] : [volume, base]
  const clones = origins.flatMap((id) => roster.pairsFrom(id).map(({ clone }) => clone))
  return [...new Set([...origins, ...clones])].filter((id) => id > 0)
}

/**
 * The steps of a block of `volume`.
 *
 * @param touches of the related volumes, by sequence number, those of one event in any order.
 * @param begins the event in front of the first: what was there by then was there before.
 */
export function blockSteps(
  roster: Roster,
  volume: number,
  touches: readonly BlockTouch[],
  begins = 0,
): BlockStep[] {
  const eye = new Eye(roster, volume)
  const steps: BlockStep[] = []
  const born = roster.createdWith(volume)
  for (let k = 0; k < touches.length; ) {
    const { seq } = touches[k]!
    const before = eye.held()
    const here: number[] = []
    for (; touches[k]?.seq === seq; k++) {
      const touch = touches[k]!
      eye.take(touch)
      if (touch.volume === volume) here.push(touch.place)
    }
    const after = eye.held()
    const what = seq < born ? undefined : seq <= begins ? 'there' : whatOf(here, before, after)
    if (what !== undefined) steps.push({ seq, what, before, after })
  }
  return steps
}

/** Undefined for what the readers of the block cannot tell from what was. */
function whatOf(here: readonly number[], before: Held, after: Held): BlockStep['what'] | undefined {
  if (here.includes(marks.gone)) return 'gone'
  if (here.includes(marks.copied)) return 'copied'
  if (here.includes(marks.shown)) return 'shown'
  if (here.some((place) => place >= 0)) return 'changed'
  if (here.includes(marks.read)) return 'read'
  const same = before.place === after.place && before.image === after.image && before.volume === after.volume
  if (same) return undefined
  if (here.includes(marks.own)) return 'reverted'
  return here.includes(marks.base) ? 'based' : 'changed'
}

/** What is known of the block on one volume. */
interface Own {
  place: number
  /** The clone that is shown: its volume, 0 when it lives outside; undefined when none is. */
  shown: number | undefined
  /** For a view: true when the block lies in image 2. */
  stored: boolean
  gone: boolean
}

class Eye {
  readonly #roster: Roster
  readonly #volume: number
  readonly #owns = new Map<number, Own>()
  readonly #restores: readonly { readonly seq: number; readonly tag: number }[]

  constructor(roster: Roster, volume: number) {
    this.#roster = roster
    this.#volume = volume
    this.#restores = roster.restores()
  }

  take({ seq, volume, place }: BlockTouch): void {
    const own = this.#own(volume)
    if (place >= 0) {
      own.place = place
      own.stored = true
      own.shown = undefined
    } else if (place === marks.copied || place === marks.own) own.shown = undefined
    else if (place === marks.shown) own.shown = this.#cloneOf(seq, volume)
    else if (place === marks.base) own.stored = false
    else if (place === marks.gone) own.gone = true
  }

  held(): Held {
    return this.#held(this.#volume)
  }

  #held(volume: number): Held {
    const own = this.#own(volume)
    if (own.gone) return nobody
    const base = this.#roster.volume(volume)?.base ?? 0
    if (base > 0) {
      if (own.stored) return { place: own.place, image: 'image-2', volume }
      const { image, ...held } = this.#held(base)
      return { ...held, image: image === 'own' ? 'base' : image }
    }
    if (own.shown === undefined) return { place: own.place, image: 'own', volume }
    if (own.shown === 0) return { place: undefined, image: 'outside', volume: 0 }
    return { place: this.#own(own.shown).place, image: 'clone', volume: own.shown }
  }

  #own(volume: number): Own {
    let own = this.#owns.get(volume)
    if (own === undefined) {
      own = { place: 0, shown: undefined, stored: false, gone: false }
      this.#owns.set(volume, own)
    }
    return own
  }

  /** The clone that the restore which began with event `seq` takes the content of. */
  #cloneOf(seq: number, volume: number): number {
    const begun = this.#restores.findLast((one) => {
      return one.seq <= seq && this.#roster.pair(one.tag)?.source === volume
    })
    return begun === undefined ? 0 : this.#roster.pair(begun.tag)!.clone
  }
}
