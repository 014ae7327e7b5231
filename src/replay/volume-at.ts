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
  const volume = volumeOf(world, id)
  if (volume !== undefined) return { seq, volume: imageOf(world, volume), world }
  throw new BlockboxError('NO_SUCH_POINT', `volume ${name} did not exist yet after event ${seq}`)
}

/** The volume of that name. Throws NO_SUCH_VOLUME, saying which ones there are. */
export function volumeNamed(world: World, name: string): Volume {
  const there = world.volumes.filter(({ size }) => size > 0)
  const found = there.find((volume) => volume.name === name)
  if (found !== undefined) return found
  const names = there.slice(0, 20).map((volume) => volume.name)
  const more = there.length > names.length ? ', ...' : ''
  const has = names.length === 0 ? 'the journal has none' : `the journal has ${names.join(', ')}${more}`
  throw new BlockboxError('NO_SUCH_VOLUME', `there is no volume "${name}": ${has}`)
}
