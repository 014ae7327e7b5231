/**
 * The exports of an engine: `NAME` for a live volume, `NAME@POINT` for a view of its past. Where there is one volume
 * alone the empty name means it. When the engine has failed, `NAME` is what is durable of it, and can only be read; where
 * another one takes over (engine/succession.ts) the exports that are open go on with it.
 */

import { BlockboxError } from '../../core/errors.ts'
import { Pause } from '../../engine/pause.ts'
import type { Heir, Reign } from '../../engine/succession.ts'
import { fencesOf, fencesOn } from '../../layers/fence-state.ts'
import type { Volume, World } from '../../layers/layer.ts'
import { parseAddress } from '../../replay/point.ts'
import { volumeNamed } from '../../replay/volume-at.ts'
import type { ExportDescription } from '../protocol/export-description.ts'
import type { Catalog, Listed, OpenExport } from './exported.ts'
import { LastingExport, type LastingTerms } from './lasting-export.ts'
import { Marks } from './marks.ts'
import { describePast, PastExport } from './past-export.ts'
import { PastStates } from './past-states.ts'
import { Standing } from './standing.ts'
import { describeVolume } from './volume-export.ts'

export interface RecordedVolumes extends Reign {
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

export class VolumeCatalog implements Catalog, Heir {
  #of: RecordedVolumes
  readonly #past: PastStates
  #marks: Marks
  readonly #open = new Set<LastingExport>()
  readonly #pause = new Pause()

  constructor(of: RecordedVolumes) {
    this.#of = of
    this.#past = new PastStates(of.journal)
    this.#marks = new Marks(of.journal, of.engine)
  }

  /** Nobody is told of a volume before it is durable. */
  async list(): Promise<readonly Listed[]> {
    await this.#pause.over()
    const live = await this.#of.engine.look(liveVolumes)
    const volumes = live.map((volume) => listed(this.#describe(volume)))
    const views = this.#marks.known(live).map(({ name, seq }) => ({
      name,
      description: `as it was after event ${seq}, read-only`,
    }))
    return [...volumes, ...views]
  }

  async describe(name: string, signal: AbortSignal): Promise<ExportDescription> {
    await this.#pause.over()
    const { world, volume, point } = await this.#named(name)
    if (point.by === 'last' && world !== undefined) return describeRemaining(volume, world)
    if (point.by === 'last') return this.#of.engine.look(() => this.#describe(volume))
    return describePast(name, (await this.#past.at(volume, point, signal)).volume)
  }

  async open(name: string, peer: string, signal: AbortSignal): Promise<OpenExport> {
    await this.#pause.over()
    const of = this.#of
    const { world, volume, point } = await this.#named(name)
    if (point.by === 'last') {
      if (world === undefined && of.tapped?.volume === volume.id) return of.tapped.open(peer)
      const readOnly = this.#readOnly
      const remaining = (...what: [Volume, World, Reign]) => this.#remaining(...what)
      const standing = new Standing({ volume: volume.id, peer, readOnly, remaining })
      const note = ({ engine }: Reign) => standing.note(engine)
      return this.#lasting(of, await standing.take(of), (reign) => standing.take(reign), note)
    }
    const state = await this.#past.take(volume, point, signal)
    const about = describePast(name, state.volume)
    const again = async ({ payload }: Reign) => new PastExport(about, state, payload)
    return this.#lasting(of, await again(of), again)
  }

  /** Rests until `goOn`: nothing here reads the journal when it resolves. */
  async pause(): Promise<void> {
    const reign = this.#of
    const reason =
      reign.engine.remains?.reason ?? new BlockboxError('ENGINE_STOPPED', 'the engine has stopped')
    this.#pause.begin(reason)
    this.#marks.close()
    await Promise.all([this.#past.still(), ...[...this.#open].map((one) => one.pause(reason, reign))])
  }

  /** Every export that is open is opened again where that can be done soundly; who waits for one is let in. */
  async goOn({ engine, journal, payload }: Reign): Promise<void> {
    this.#of = { ...this.#of, engine, journal, payload }
    this.#past.goOn(journal)
    this.#marks = new Marks(journal, engine)
    await Promise.all([...this.#open].map((one) => one.goOn(this.#of)))
    this.#pause.end()
  }

  /** The names of the volumes there are. */
  volumes(): readonly string[] {
    return liveVolumes(this.#of.engine.world).map(({ name }) => name)
  }

  /** Stops learning about the journal. */
  close(): void {
    this.#marks.close()
  }

  /** An export that goes on with the engine of now, if need be already here: it was opened on what was that then. */
  async #lasting(
    on: Reign,
    inner: OpenExport,
    again: LastingTerms['again'],
    note: LastingTerms['note'] = async () => undefined,
  ): Promise<OpenExport> {
    const closed = () => void this.#open.delete(lasting)
    const lasting: LastingExport = new LastingExport(inner, { again, note, closed })
    try {
      for (let reign = on; ; await lasting.goOn(reign)) {
        await this.#pause.over()
        if (reign.payload === this.#of.payload) break
        reign = this.#of
      }
    } catch (error) {
      await lasting.close(false)
      throw error
    }
    this.#open.add(lasting)
    return lasting
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
  #remaining(volume: Volume, world: World, { payload }: Reign): OpenExport {
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
    return new PastExport(description, past, payload)
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
