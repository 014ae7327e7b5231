/**
 * The exports of an engine: `NAME` for a live volume, `NAME@POINT` for a view of its past. Where there is one volume
 * alone the empty name means it.
 */

import { BlockboxError } from '../../core/errors.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Journal } from '../../journal/journal.ts'
import type { Volume } from '../../layers/layer.ts'
import type { PayloadStore } from '../../payload/payload.ts'
import { parseAddress } from '../../replay/point.ts'
import { volumeNamed } from '../../replay/volume-at.ts'
import type { ExportDescription } from '../protocol/export-description.ts'
import type { Catalog, Listed, OpenExport } from './exported.ts'
import { Marks } from './marks.ts'
import { describePast, PastExport } from './past-export.ts'
import { PastStates } from './past-states.ts'
import { describeVolume, openVolume } from './volume-export.ts'

export interface RecordedVolumes {
  readonly engine: Engine
  readonly journal: Journal
  readonly payload: PayloadStore
  /** True: nobody may write to a volume. */
  readonly readOnly?: boolean
  /** The volume whose live content is that of a far server, and how it is opened. */
  readonly tapped?: TappedVolume
}

/** A live export that is not the volume itself. */
export interface TappedVolume {
  readonly volume: number
  describe(): ExportDescription
  open(peer: string): Promise<OpenExport>
}

export class VolumeCatalog implements Catalog {
  readonly #of: RecordedVolumes
  readonly #past: PastStates
  readonly #marks: Marks

  constructor(of: RecordedVolumes) {
    this.#of = of
    this.#past = new PastStates(of.journal)
    this.#marks = new Marks(of.journal, of.engine)
  }

  /** Nobody is told of a volume before it is durable. */
  async list(): Promise<readonly Listed[]> {
    const live = await this.#of.engine.look(() => [...this.#live()])
    const volumes = live.map((volume) => listed(this.#describe(volume)))
    const views = this.#marks.known(live).map(({ name, seq }) => ({
      name,
      description: `as it was after event ${seq}, read-only`,
    }))
    return [...volumes, ...views]
  }

  async describe(name: string, signal: AbortSignal): Promise<ExportDescription> {
    const { volume, point } = this.#named(name)
    if (point.by === 'last') return this.#of.engine.look(() => this.#describe(volume))
    return describePast(name, (await this.#past.at(volume, point, signal)).volume)
  }

  async open(name: string, peer: string, signal: AbortSignal): Promise<OpenExport> {
    const { volume, point } = this.#named(name)
    if (point.by === 'last') {
      const { tapped, engine } = this.#of
      if (tapped?.volume === volume.id) return tapped.open(peer)
      return openVolume(engine, volume, peer, this.#readOnly)
    }
    const state = await this.#past.take(volume, point, signal)
    return new PastExport(name, state, this.#of.payload)
  }

  /** The names of the volumes there are. */
  volumes(): readonly string[] {
    return this.#live().map(({ name }) => name)
  }

  /** Stops learning about the journal. */
  close(): void {
    this.#marks.close()
  }

  #describe(volume: Volume): ExportDescription {
    const { tapped } = this.#of
    return tapped?.volume === volume.id ? tapped.describe() : describeVolume(volume, this.#readOnly)
  }

  get #readOnly(): boolean {
    return this.#of.readOnly === true
  }

  #live(): readonly Volume[] {
    return this.#of.engine.world.volumes.filter(({ gone }) => gone !== true)
  }

  /** Of volumes that are gone only views of the past are left. */
  #named(address: string) {
    const { volume: name, point } = parseAddress(address)
    const volume = name === '' ? this.#only() : volumeNamed(this.#of.engine.world, name)
    if (point.by === 'last' && volume.unfinished === true) {
      throw new BlockboxError('NBD_REFUSED', `branch ${volume.name} is being made: try again in a moment`)
    }
    if (point.by === 'last' && volume.gone === true) {
      throw new BlockboxError('NO_SUCH_VOLUME', `volume ${volume.name} is no more: name a point of its past`)
    }
    return { volume, point }
  }

  #only(): Volume {
    const [first, ...others] = this.#live()
    if (first !== undefined && others.length === 0) return first
    throw new BlockboxError('NO_SUCH_VOLUME', 'which volume? Ask for the list and name one')
  }
}

function listed({ name, description }: ExportDescription): Listed {
  return { name, description }
}
