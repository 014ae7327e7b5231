/**
 * The half of `blockbox serve --tap` that is about the far disk: connected, given a volume of the journal, put on the
 * record.
 *
 *     far disk opened ─▶ journal opened ─▶ volume made ─▶ [all of the far disk copied into it] ─▶ tapped: hosts may come
 */

import { makeFrom } from '../src/control/volume-from.ts'
import { BlockboxError } from '../src/core/errors.ts'
import type { Engine, EngineOptions } from '../src/engine/engine.ts'
import { advice } from '../src/events/code.ts'
import { isName } from '../src/events/detail.ts'
import type { OpenImage } from '../src/images/external.ts'
import { openExternal, recordedName } from '../src/images/open-external.ts'
import { parseNbdUri } from '../src/nbd/client/uri.ts'
import { openFarDisk, wholeBlocksOf } from '../src/nbd/tap/far-disk.ts'
import { Tap } from '../src/nbd/tap/tap.ts'
import { command } from '../src/run/import-run.ts'
import { interrupt } from './interrupt.ts'

export interface TapOptions {
  /** The URI of the far disk. */
  readonly tap?: string
  readonly as?: string
  readonly block?: number
  readonly logFirst?: boolean
  readonly copyFirst?: boolean
  readonly readOnly?: boolean
  readonly connections?: number
}

/** A far disk that is connected, and the volume that is to record it. */
export interface Tapping {
  readonly tap: Tap
  readonly name: string
  /** What the engine is to be opened with. */
  readonly engine: Required<Pick<EngineOptions, 'tap' | 'openImage'>>
  /** Makes the volume and puts the tap on the record. Throws USAGE when the engine refuses either. */
  begin(engine: Engine): Promise<void>
}

/** Blocks of a volume, unless the far disk is no whole number of them. */
const usualBlock = 4096
const smallestBlock = 512
/** With 256 requests each, and an answer to each, they stay below what may wait to be decided (engine/ask.ts). */
const mostConnections = 128

/** Connects to the far disk; undefined when none is named. Throws USAGE, and what connecting throws. */
export async function tapping(options: TapOptions): Promise<Tapping | undefined> {
  const { tap: uri, as, block, logFirst, copyFirst, readOnly = false, connections = 0 } = options
  if (uri === undefined) {
    if ([as, block, logFirst, copyFirst].every((one) => one === undefined)) return undefined
    const why = '--as, --block, --log-first and --copy-first are for --tap: name the far disk with it'
    throw new BlockboxError('USAGE', why)
  }
  if (connections > mostConnections) {
    const why = `a tap takes at most ${mostConnections} connections: the answers of the far server need their room`
    throw new BlockboxError('USAGE', why)
  }
  const name = as ?? nameOf(uri)
  if (!isName(name)) {
    const why =
      'names are 1 to 64 letters, digits, dots, dashes or underscores, and begin with a letter or digit'
    throw new BlockboxError('USAGE', `volume ${name} cannot be made: ${why}`)
  }
  const far = await openFarDisk(recordedName(uri))
  const { size } = far
  const blocks = block ?? (size % usualBlock === 0 ? usualBlock : smallestBlock)
  const tap = new Tap(far, { readOnly })
  try {
    wholeBlocksOf(far, blocks)
  } catch (error) {
    far.destroy()
    throw error
  }
  const openImage: OpenImage = async (path) => (path === far.uri ? far.image() : openExternal(path))
  return {
    tap,
    name,
    engine: { openImage, tap: { forward: tap.forward, logFirst: logFirst === true } },
    async begin(engine) {
      const copied = copyFirst === true
      const made = copied
        ? await copiedVolume(engine, { name, uri, block: blocks }, openImage)
        : (await command(engine, { kind: 'volume.create', detail: { name, size, block: blocks } })).made
      await tap.attach(engine, made, name, copied)
    },
  }
}

/** A volume with all that the far disk holds, before anybody changes it. Throws USAGE, or when some was not to be had. */
async function copiedVolume(
  engine: Engine,
  { name, uri, block }: { readonly name: string; readonly uri: string; readonly block: number },
  open: OpenImage,
): Promise<number> {
  const from = { from: uri, block, extent: undefined, copy: true, wait: true, rate: 0, key: undefined }
  const { answer, left, extents, command: asked } = await makeFrom(engine, name, from, interrupt, open)
  if (answer.code !== 'ok') {
    throw new BlockboxError('USAGE', `${asked} ${name} was refused: ${answer.code}: ${advice[answer.code]}`)
  }
  if (left > 0) {
    const why = `${left} of ${extents} extents of ${uri} could not be read`
    throw new BlockboxError('NBD_FAILED', `${why}: see to the far disk, or leave --copy-first out`)
  }
  await command(engine, { kind: 'pair.delete', detail: { name } })
  return engine.world.volumes.find((volume) => volume.name === name && volume.gone !== true)!.id
}

/** The name of the export, where it may be one of a volume. */
function nameOf(uri: string): string {
  const { name } = parseNbdUri(uri)
  return isName(name) ? name : 'disk'
}
