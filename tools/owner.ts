/**
 * The owner of fences on a command line. A fence belongs to a session, and the session of one command ends with it: so
 * each command opens one in the name of the same owner, and takes over what that owner left. All of it is on record.
 *
 *     fence raise (session 1, "operator") ─▶ fence lower (session 2, "operator"): fence.takeover, fence.lower
 *                                         ─▶ fence lower --owner other: E_NOT_OWNER
 */

import { BlockboxError } from '../src/core/errors.ts'
import type { Engine } from '../src/engine/engine.ts'
import { advice } from '../src/events/code.ts'
import { fencesOf } from '../src/layers/fence-state.ts'

export const defaultOwner = 'operator'

/** Opens the session that acts for `owner`. Throws USAGE for what is no name, or when a fence cannot be taken over. */
export async function asOwner(engine: Engine, owner: string): Promise<number> {
  const { code, made } = await engine.submit({ kind: 'session.open', detail: { name: owner } })
  if (code !== 'ok') throw new BlockboxError('USAGE', `"${owner}" is no name of an owner: ${advice[code]}`)
  for (const fence of [...fencesOf(engine.world).byTag.values()]) {
    if (fence.ownerName !== owner || fence.owner === made) continue
    const { code: taken } = await engine.submit({
      kind: 'fence.takeover',
      session: made,
      detail: { name: fence.name },
    })
    if (taken === 'ok') continue
    const why = `fence ${fence.name} of ${owner} was not taken over: ${taken}: ${advice[taken]}`
    throw new BlockboxError('USAGE', why)
  }
  return made
}
