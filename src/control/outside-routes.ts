/** Disks outside, as volumes begin from them and as they are compared with what was copied: routes. */

import { isAbsolute } from 'node:path'
import * as v from 'valibot'
import { BlockboxError } from '../core/errors.ts'
import { openExternal } from '../images/open-external.ts'
import { named, pairsOf } from '../layers/pair-state.ts'
import { isNbdUri } from '../nbd/client/uri.ts'
import { cloneUnchanged } from '../replay/clone-unchanged.ts'
import { cloneVerifyAnswer } from './contents-schema.ts'
import { type Controlled, commandRoute, readRoute } from './route.ts'
import { bytes, count, name, text, wait } from './schema.ts'
import { makeFrom } from './volume-from.ts'

const place = v.pipe(
  text,
  v.description('the full path of a file on the machine of the server, or an NBD URI'),
)

/** Throws USAGE for what is neither a full path nor an NBD URI: whose folder would it be in? */
export function assertPlace(path: string): void {
  if (isAbsolute(path) || isNbdUri(path)) return
  throw new BlockboxError('USAGE', `"${path}" is no full path: begin it with /`)
}

export const createVolumeFrom = commandRoute({
  method: 'POST',
  path: '/volumes/from',
  summary: 'Make a volume that begins as a disk outside, which is only read; hosts may use it at once',
  input: {
    name,
    from: place,
    block: v.optional(bytes, 4096),
    extent: v.optional(v.pipe(bytes, v.description('what a touch brings in; suits the size unless given'))),
    copy: v.optional(v.pipe(v.boolean(), v.description('bring all of it in now')), false),
    rate: v.optional(v.pipe(count, v.description('with copy: extents a second; 0: as many as go')), 0),
    wait,
  },
  async act({ engine }, { name: called, ...input }, { key, signal }) {
    assertPlace(input.from)
    const how = { ...input, extent: input.extent, key }
    const { command, answer, size, extents, left } = await makeFrom(engine, called, how, signal)
    return { command, answer, about: { size, extents, extents_left: left } }
  },
})

export const verifyClone = readRoute({
  method: 'GET',
  path: '/clones/{pair}/verify',
  summary: 'Read all that was copied from a clone outside again: is it what it was?',
  input: { pair: name, clone_file: v.optional(place) },
  output: cloneVerifyAnswer,
  async act({ engine, journal }, { pair: called, clone_file: path }) {
    if (path !== undefined) assertPlace(path)
    const pair = await engine.look((world) => named(pairsOf(world), called))
    const recorded = pair?.external?.path
    if (pair === undefined || recorded === undefined) {
      throw new BlockboxError('USAGE', `there is no pair "${called}" with a clone outside`)
    }
    const image = await openExternal(path ?? recorded)
    try {
      return { version: 1, ...(await cloneUnchanged(journal, pair.tag, image)) }
    } finally {
      await image.close()
    }
  },
})

/** From now on the clone of a pair is read from there. Nothing happens when the pair is not known: the engine says so. */
export async function moveClone(
  { engine, places }: Controlled,
  called: string,
  path: string | undefined,
): Promise<void> {
  if (path === undefined) return
  assertPlace(path)
  const pair = named(pairsOf(engine.world), called)
  if (pair === undefined) return
  if (pair.external === null) {
    throw new BlockboxError('USAGE', `the clone of pair ${called} is a volume: it has no file`)
  }
  if (places === undefined) {
    throw new BlockboxError('USAGE', 'this server reads clones where the record says: move it back there')
  }
  await places.move(pair.external.path, path, pair.size)
}
