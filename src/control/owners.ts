/**
 * The owners of fences. A fence belongs to a session, and the API has none of its own: whoever commands fences says in
 * whose name, and one session stands for that name as long as the engine runs. What an owner left behind at a restart
 * is taken over. All of it is on record.
 *
 *     raise (session 1, "operator") ── the engine starts again ──▶ lower (session 2, "operator"): takeover, lower
 *                                                              ──▶ lower as "other": E_NOT_OWNER
 */

import { BlockboxError } from '../core/errors.ts'
import type { Engine } from '../engine/engine.ts'
import { advice } from '../events/code.ts'
import { fencesOf } from '../layers/fence-state.ts'

/** No more owners at once. */
const maxOwners = 256

export class Owners {
  readonly #engine: Engine
  readonly #sessions = new Map<string, Promise<number>>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** The session that acts for `owner`. Throws USAGE for what is no name, or when a fence cannot be taken over. */
  async session(owner: string): Promise<number> {
    const known = await this.#sessions.get(owner)?.catch(() => undefined)
    const open = known !== undefined && this.#engine.world.sessions.get(known) === owner
    if (!open) {
      if (this.#sessions.size >= maxOwners && !this.#sessions.has(owner)) {
        throw new BlockboxError('USAGE', `there are ${maxOwners} owners already: use one of them`)
      }
      const opening = this.#open(owner)
      this.#sessions.set(owner, opening)
      opening.catch(() => this.#sessions.delete(owner))
    }
    const session = await this.#sessions.get(owner)!
    await this.#takeOver(owner, session)
    return session
  }

  async #open(owner: string): Promise<number> {
    const { code, made } = await this.#engine.submit({ kind: 'session.open', detail: { name: owner } })
    if (code === 'ok') return made
    throw new BlockboxError('USAGE', `"${owner}" is no name of an owner: ${advice[code]}`)
  }

  async #takeOver(owner: string, session: number): Promise<void> {
    for (const { name, ownerName, owner: by } of [...fencesOf(this.#engine.world).byTag.values()]) {
      if (ownerName !== owner || by === session) continue
      const { code } = await this.#engine.submit({ kind: 'fence.takeover', session, detail: { name } })
      if (code === 'ok') continue
      const why = `fence ${name} of ${owner} was not taken over: ${code}: ${advice[code]}`
      throw new BlockboxError('USAGE', why)
    }
  }
}
