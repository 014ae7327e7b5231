/** A volume as it was at an address, VOL[@POINT]: the name resolved, the point found, the state folded. */

import { BlockboxError } from '../core/errors.ts'
import type { Journal } from '../journal/journal.ts'
import { type Volume, volumeOf, type World } from '../layers/layer.ts'
import { imageOf } from '../volume/content.ts'
import { worldAt } from './at.ts'
import { type Point, seqOf } from './point.ts'

export interface VolumeAt {
  /** The event the state is true after. */
  readonly seq: number
  /** As its readers saw it: during a restore with the clone's content where the copy was still to come. */
  readonly volume: Volume
  readonly world: World
}

/** Throws NO_SUCH_VOLUME, NO_SUCH_POINT, JOURNAL_TRUNCATED. */
export async function volumeAt(
  journal: Journal,
  name: string,
  point: Point,
  signal?: AbortSignal,
): Promise<VolumeAt> {
  const { last } = journal.bounds()
  const now = await worldAt(journal, last, signal)
  const { id } = volumeNamed(now, name)
  const seq = await seqOf(journal, point, id, signal)
  const world = seq === last ? now : await worldAt(journal, seq, signal)
  const volume = world.volumes[id - 1]
  if (volume !== undefined && volumeOf(world, id) === volume) {
    return { seq, volume: imageOf(world, volume), world }
  }
  const why = volume?.gone === true ? 'was no more' : 'did not exist yet'
  throw new BlockboxError('NO_SUCH_POINT', `volume ${name} ${why} after event ${seq}`)
}

/** The volume of that name, the last one where several bore it one after the other. Throws NO_SUCH_VOLUME, saying which ones there are. */
export function volumeNamed(world: World, name: string): Volume {
  const found = world.volumes.findLast((volume) => volume.name === name)
  if (found !== undefined) return found
  const there = world.volumes.filter(({ gone }) => !gone)
  const names = there.slice(0, 20).map((volume) => volume.name)
  const more = there.length > names.length ? ', ...' : ''
  const has = names.length === 0 ? 'the journal has none' : `the journal has ${names.join(', ')}${more}`
  throw new BlockboxError('NO_SUCH_VOLUME', `there is no volume "${name}": ${has}`)
}
