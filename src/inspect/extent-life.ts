/**
 * The life of one extent of a pair: its bits in the clone delta map (CDM), the copy-on-demand map (COD) and the
 * protected restore map (PRM) whenever one changes, its copies, and the requests that waited for it.
 */

import { overlap, type Range } from '../core/range.ts'
import type { Event } from '../events/columns.ts'
import { changes, flag } from '../events/kind.ts'
import type { World } from '../layers/layer.ts'
import { type Pair, pairsOf, rangeOfExtent } from '../layers/pair-state.ts'
import { restoresOf } from '../layers/restore-state.ts'
import { Scope } from './scope.ts'
import type { Moment, Witness } from './witness.ts'

/** The three bits, as they are after an event. */
export interface Bits {
  readonly cdm: boolean
  readonly cod: boolean
  readonly prm: boolean
}

export interface ExtentStep extends Moment, Bits {
  readonly kind: string
  readonly volume: number
  readonly session: number
  readonly about: number
  /** What happened, where the kind alone does not say it. */
  readonly note: string
}

export class ExtentLife implements Witness {
  readonly steps: ExtentStep[] = []
  /** Reads and writes of source and clone that went while no bit changed. */
  reads = 0
  writes = 0
  readonly #name: string
  readonly #extent: number
  readonly #scope: Scope
  #pair:
    | { readonly tag: number; readonly source: number; readonly clone: number; readonly range: Range }
    | undefined
  #range: Range | undefined
  #bits: Bits = { cdm: false, cod: false, prm: false }
  readonly #waiting = new Set<number>()

  /**
   * @param name of the pair.
   * @param scope the events that are told, wherever the requests were submitted that they are about.
   */
  constructor(name: string, extent: number, scope = new Scope()) {
    this.#scope = scope
    this.#name = name
    this.#extent = extent
  }

  /** The bytes of the extent; undefined when there never was such a pair or extent. */
  get range(): Range | undefined {
    return this.#range
  }

  after(event: Event, world: World, at: number): void {
    const pair = this.#pair === undefined ? this.#learn(world) : pairsOf(world).byTag.get(this.#pair.tag)
    if (this.#pair === undefined) return
    if (pair === undefined) return this.#deleted(event, at)
    const bits = this.#bitsOf(pair, world)
    const changed = bits.cdm !== this.#bits.cdm || bits.cod !== this.#bits.cod || bits.prm !== this.#bits.prm
    this.#bits = bits
    const note = this.#noteOf(event)
    if (!changed && note === undefined) return
    this.#tell(event, at, note ?? '')
  }

  #tell(event: Event, at: number, note: string): void {
    if (!this.#isTold(event)) return
    const { seq, kind, volume, session, about } = event
    this.steps.push({ seq, at, kind, volume, session, about, note, ...this.#bits })
  }

  #isTold(event: Event): boolean {
    return event.seq >= this.#scope.from && event.seq <= this.#scope.to && this.#scope.isOf(event)
  }

  /** The pair is no more; another one may get its name. */
  #deleted(event: Event, at: number): void {
    this.#bits = { cdm: false, cod: false, prm: false }
    this.#pair = undefined
    this.#waiting.clear()
    this.#tell(event, at, '')
  }

  #learn(world: World): Pair | undefined {
    for (const pair of pairsOf(world).byTag.values()) {
      if (pair.name !== this.#name || this.#extent >= Math.ceil(pair.size / pair.extent)) continue
      const { tag, source, clone } = pair
      this.#range = rangeOfExtent(pair, this.#extent)
      this.#pair = { tag, source, clone, range: this.#range }
      return pair
    }
    return undefined
  }

  #bitsOf(pair: Pair, world: World): Bits {
    const e = this.#extent
    const restore = restoresOf(world).byTag.get(pair.tag)
    return {
      cdm: pair.cdm.get(e),
      cod: pair.gate.copying.get(e) || restore?.gate.copying.get(e) === true,
      prm: restore?.prm.get(e) === true,
    }
  }

  /** What is worth a line although no bit changes; undefined for what is not about this extent. */
  #noteOf(event: Event): string | undefined {
    const { source, clone, range, tag } = this.#pair!
    const leaves = event.kind === 'cod.released' || event.kind === 'io.failed' || event.kind === 'io.lost'
    if (leaves && event.fate !== 'queued' && this.#waiting.delete(event.about)) {
      return event.code === 'ok' ? `${event.op} goes` : `request ends with ${event.code}`
    }
    const isHere = (event.volume === source || event.volume === clone) && overlap(range, event)
    if (!isHere) return undefined
    if (event.kind === 'copy.started' && event.tag === tag) {
      return (event.flags & flag.demand) === 0 ? 'in the background' : `on demand of event ${event.about}`
    }
    if (event.kind === 'copy.report' && event.tag === tag) return event.code === 'ok' ? 'copied' : event.code
    if (event.fate === 'queued') {
      this.#waiting.add(event.about === 0 ? event.seq : event.about)
      return `${event.op} waits`
    }
    if (event.fate === 'refused') return `${event.op} refused ${event.code}`
    if (!this.#isTold(event)) return undefined
    if (event.fate === 'passed' && event.op === 'read') this.reads++
    if (event.fate === 'passed' && changes(event.op)) this.writes++
    return undefined
  }
}
