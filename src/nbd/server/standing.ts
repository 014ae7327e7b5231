/**
 * What a connection stands on when it has a live volume open, and how it gets that again from another engine: a new
 * session under the name it had, reaching the views that the old one reached. What cannot be had again is not replaced by
 * something else: the requests of such a connection fail, and its client has to come anew.
 *
 *     live, by a session ── the engine fails, the journal is closed ──▶ live, by another session
 *             ▲                      └── it cannot be written ──▶ what remains, read-only ──┐
 *             └─────────────────────────────────────────────────────────────────────────────┘
 */

import { BlockboxError } from '../../core/errors.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Reign } from '../../engine/succession.ts'
import { advice } from '../../events/code.ts'
import { type Volume, volumeOf, type World } from '../../layers/layer.ts'
import { preservesOf, reached } from '../../layers/preserve-state.ts'
import type { OpenExport } from './exported.ts'
import { RemainingExport } from './remaining-export.ts'
import { openVolume, type VolumeExport } from './volume-export.ts'

/** What every connection on a volume is opened with. */
export interface StandingTerms {
  /** The volume, by its number. */
  readonly volume: number
  readonly peer: string
  readonly readOnly: boolean
  /** The volume as an export of what remains of an engine that failed. Throws when it may not be read so. */
  readonly remaining: (volume: Volume, world: World, reign: Reign) => OpenExport
}

export class Standing {
  readonly #terms: StandingTerms
  /** The session, as long as the engine that gave it is the one of now. */
  #session = 0
  /** Volumes by number that the session's requests for others reach: its views. */
  #moved: ReadonlyMap<number, number> = new Map()
  #lost: string | undefined
  /** It was told that it may write. */
  #wasLive = false

  constructor(terms: StandingTerms) {
    this.#terms = terms
  }

  /** Notes what the session has, which goes with the engine: to be called while what remains of that can be read. */
  async note(engine: Engine): Promise<void> {
    const session = this.#session
    this.#session = 0
    if (session === 0) return
    try {
      this.#moved = await engine.look((world) => new Map(preservesOf(world).rebound.get(session) ?? []))
    } catch {
      this.#lost = 'which views it reached cannot be read any more'
    }
  }

  /** Opens the volume. Throws ENGINE_STOPPED when it cannot be had as it was, and what opening a session throws. */
  async take(reign: Reign): Promise<OpenExport> {
    const { engine } = reign
    const { volume: id, remaining } = this.#terms
    if (this.#lost !== undefined) throw gone(this.#lost)
    const world = await engine.remains?.world()
    const volume = volumeOf(world ?? engine.world, world === undefined ? id : (this.#moved.get(id) ?? id))
    if (volume === undefined || volume.gone === true) throw gone('its volume is no more')
    if (world !== undefined) {
      const read = remaining(volume, world, reign)
      return this.#wasLive ? new RemainingExport(read, () => engine.remains!.reason) : read
    }
    const opened = await openVolume(engine, volume, this.#terms.peer, this.#terms.readOnly)
    await this.#move(engine, opened)
    this.#session = opened.session
    this.#wasLive = true
    return opened
  }

  /** Nothing is asked through a session before it reaches what the one before it reached. */
  async #move(engine: Engine, opened: VolumeExport): Promise<void> {
    const { session } = opened
    for (const [from, to] of this.#moved) {
      if (reached(engine.world, session, from) === to) continue
      const { code } = await engine.submit({ kind: 'session.rebind', session, detail: { from, to } })
      if (code === 'ok') continue
      await opened.close(false)
      this.#lost = `a view that it reached was refused: ${code}: ${advice[code]}`
      throw gone(this.#lost)
    }
  }
}

function gone(why: string): BlockboxError {
  const message = `the journal was opened anew, and ${why}: connect again`
  return new BlockboxError('ENGINE_STOPPED', message)
}
