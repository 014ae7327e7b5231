/**
 * A volume that begins as a disk that is there: a raw file or an export of an NBD server, which is only read. It is a
 * volume, a pair whose clone is that disk, and a restore that copies what hosts come to need.
 *
 *     volume.create ─▶ pair.create ─▶ restore.start, paused: hosts may come, each extent follows when it is touched
 *                                     └─ all of it asked for ─▶ copied in the background too
 *
 * Each of the three is done once: with a key, a command that was cut off is asked again and goes on where it ended.
 */

import { BlockboxError } from '../core/errors.ts'
import type { Answer, CommandAsk } from '../engine/ask.ts'
import type { Engine } from '../engine/engine.ts'
import type { OpenImage } from '../images/external.ts'
import { openExternal, recordedName } from '../images/open-external.ts'
import { pairsOf } from '../layers/pair-state.ts'
import { pairAtRest, until } from './rest.ts'
import { newName } from './volume-routes.ts'

export interface FromOptions {
  /** The disk: a path or an NBD URI. */
  readonly from: string
  readonly block: number
  /** Bytes that one copy brings; left out, as many as suit the size. */
  readonly extent: number | undefined
  /** Copy everything now. */
  readonly copy: boolean
  /** With that: wait for the end. */
  readonly wait: boolean
  /** Background copies a second; 0: as many as go. */
  readonly rate: number
  readonly key: string | undefined
}

export interface FromMade {
  readonly command: string
  readonly answer: Answer
  readonly size: number
  /** Extents of the volume, and those that are still to come. */
  readonly extents: number
  readonly left: number
}

const smallestExtent = 65_536
/** A host waits for a whole extent, and so does every write beside it that is to be durable: it must not be long. */
const largestExtent = 262_144
/** What is touched makes the map of what is still to come longer to keep, by extents: from here on they grow, */
const manyExtents = 2 ** 24
/** and beyond this even past the largest that suits hosts. */
const mostExtents = 2 ** 27

/** 64 KiB up to 1 TiB, 256 KiB from 4 TiB on, more from 32 TiB on. */
function suitable(size: number): number {
  const fitting = Math.max(smallestExtent, powerOfTwo(size / manyExtents))
  return Math.max(Math.min(largestExtent, fitting), powerOfTwo(size / mostExtents))
}

/** The smallest that is not below `least`. */
function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(least))
}

/**
 * Makes the volume. Throws USAGE when the disk cannot be a volume, or what opening it throws.
 *
 * @param open how the disk is opened; the engine has an `openImage` of its own for what it copies
 */
export async function makeFrom(
  engine: Engine,
  name: string,
  options: FromOptions,
  signal: AbortSignal,
  open: OpenImage = openExternal,
): Promise<FromMade> {
  const { block, copy, rate, key } = options
  const path = recordedName(options.from)
  const image = await open(path)
  const { size } = image
  await image.close()
  if (size % block !== 0 || size === 0) {
    throw new BlockboxError('USAGE', `${path} has ${size} bytes, which are no whole blocks of ${block}`)
  }
  const extent = options.extent ?? suitable(size)
  const made = (command: string, answer: Answer): FromMade => {
    const pair = [...pairsOf(engine.world).byTag.values()].find((one) => one.name === name)
    return { command, answer, size, extents: Math.ceil(size / extent), left: pair?.cdm.count ?? 0 }
  }
  const ask = (command: CommandAsk, part: string) =>
    engine.submit({ ...command, ...(key !== undefined && { key: `${key}${part}` }) })
  const created = await ask({ kind: 'volume.create', detail: { name: newName(name), size, block } }, '')
  if (created.code !== 'ok') return made('volume.create', created)
  const pair = { name, source: created.made, clone: 0, extent, path, size }
  const paired = await ask({ kind: 'pair.create', detail: pair }, '.pair')
  if (paired.code !== 'ok') return made('pair.create', paired)
  const how = { ...(!copy && { paused: true }), ...(copy && rate > 0 && { rate }) }
  const detail = { pair: name, protected: true, ...how }
  const started = await ask({ kind: 'restore.start', detail }, '.restore')
  if (started.code === 'ok' && copy && options.wait) {
    await until(engine, (world) => pairAtRest(world, name), signal)
  }
  return made('restore.start', started)
}
