/**
 * The exports of an engine: `NAME` for a live volume, `NAME@POINT` for a view of its past. Where there is one volume
 * alone the empty name means it. When the engine has failed, `NAME` is what is durable of it, and can only be read.
 */

import { BlockboxError } from '../../core/errors.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Journal } from '../../journal/journal.ts'
import { fencesOf, fencesOn } from '../../layers/fence-state.ts'
import type { Volume, World } from '../../layers/layer.ts'
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
    const live = await this.#of.engine.look(liveVolumes)
    const volumes = live.map((volume) => listed(this.#describe(volume)))
    const views = this.#marks.known(live).map(({ name, seq }) => ({
      name,
      description: `as it was after event ${seq}, read-only`,
    }))
    return [...volumes, ...views]
  }

  async describe(name: string, signal: AbortSignal): Promise<ExportDescription> {
    const { world, volume, point } = await this.#named(name)
    if (point.by === 'last' && world !== undefined) return describeRemaining(volume, world)
    if (point.by === 'last') return this.#of.engine.look(() => this.#describe(volume))
    return describePast(name, (await this.#past.at(volume, point, signal)).volume)
  }

  async open(name: string, peer: string, signal: AbortSignal): Promise<OpenExport> {
    const { world, volume, point } = await this.#named(name)
    if (point.by === 'last') {
      const { tapped, engine } = this.#of
      if (world !== undefined) return this.#remaining(volume, world)
      if (tapped?.volume === volume.id) return tapped.open(peer)
      return openVolume(engine, volume, peer, this.#readOnly)
    }
    const state = await this.#past.take(volume, point, signal)
    return new PastExport(describePast(name, state.volume), state, this.#of.payload)
  }

  /** The names of the volumes there are. */
  volumes(): readonly string[] {
    return liveVolumes(this.#of.engine.world).map(({ name }) => name)
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

  /** Of volumes that are gone only views of the past are left. With the state, when that changes no more. */
  async #named(address: string) {
    const { volume: name, point } = parseAddress(address)
    const { engine } = this.#of
    const remaining = await engine.remains?.world()
    const world = remaining ?? engine.world
    const volume = name === '' ? only(world) : volumeNamed(world, name)
    if (point.by === 'last' && volume.unfinished === true) {
      throw new BlockboxError('NBD_REFUSED', `branch ${volume.name} is being made: try again in a moment`)
    }
    if (point.by === 'last' && volume.gone) {
      throw new BlockboxError('NO_SUCH_VOLUME', `volume ${volume.name} is no more: name a point of its past`)
    }
    return { world: remaining, volume, point }
  }

  /** A volume of an engine that has failed. Behind a fence nobody can be told from its owner any more. */
  #remaining(volume: Volume, world: World): OpenExport {
    const description = describeRemaining(volume, world)
    if (this.#of.tapped?.volume === volume.id) {
      const why = `volume ${volume.name} lies at another server and nothing can be recorded: start this one again`
      throw new BlockboxError('NBD_REFUSED', why)
    }
    if (fencesOn(fencesOf(world), volume.id).length > 0) {
      const why = `a fence stands on volume ${volume.name} and nothing can be recorded: start the server again`
      throw new BlockboxError('NBD_REFUSED', why)
    }
    const past = { seq: world.seq, world, volume, release: () => undefined }
    return new PastExport(description, past, this.#of.payload)
  }
}

function describeRemaining(volume: Volume, { seq }: World): ExportDescription {
  const description = `volume ${volume.name} after event ${seq}, read-only: nothing can be recorded`
  return { ...describePast(volume.name, volume), description }
}

function liveVolumes({ volumes }: World): readonly Volume[] {
  return volumes.filter(({ gone }) => !gone)
}

function only(world: World): Volume {
  const [first, ...others] = liveVolumes(world)
  if (first !== undefined && others.length === 0) return first
  throw new BlockboxError('NO_SUCH_VOLUME', 'which volume? Ask for the list and name one')
}

function listed({ name, description }: ExportDescription): Listed {
  return { name, description }
}
