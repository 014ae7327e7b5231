/**
 * The half of `blockbox serve --tap` that is about the far disk: connected, given a volume of the journal, put on the
 * record.
 *
 *     far disk opened ─▶ journal opened ─▶ volume made ─▶ tapped: hosts may come
 */

import { BlockboxError } from '../src/core/errors.ts'
import type { Engine } from '../src/engine/engine.ts'
import { isName } from '../src/events/detail.ts'
import { parseNbdUri } from '../src/nbd/client/uri.ts'
import { openFarDisk, wholeBlocksOf } from '../src/nbd/tap/far-disk.ts'
import { Tap } from '../src/nbd/tap/tap.ts'
import { command } from '../src/run/import-run.ts'

export interface TapOptions {
  /** The URI of the far disk. */
  readonly tap?: string
  readonly as?: string
  readonly block?: number
  readonly logFirst?: boolean
}

/** A far disk that is connected, and the volume that is to record it. */
export interface Tapping {
  readonly tap: Tap
  readonly name: string
  /** Makes the volume and puts the tap on the record. Throws USAGE when the engine refuses either. */
  begin(engine: Engine): Promise<void>
}

/** Blocks of a volume, unless the far disk is no whole number of them. */
const usualBlock = 4096
const smallestBlock = 512

/** Connects to the far disk; undefined when none is named. Throws USAGE, and what connecting throws. */
export async function tapping(options: TapOptions): Promise<Tapping | undefined> {
  const { tap: uri, as, block, logFirst } = options
  if (uri === undefined) {
    if (as === undefined && block === undefined && logFirst === undefined) return undefined
    throw new BlockboxError('USAGE', '--as, --block and --log-first are for --tap: name the far disk with it')
  }
  const name = as ?? nameOf(uri)
  if (!isName(name)) {
    const why =
      'names are 1 to 64 letters, digits, dots, dashes or underscores, and begin with a letter or digit'
    throw new BlockboxError('USAGE', `volume ${name} cannot be made: ${why}`)
  }
  const far = await openFarDisk(uri)
  const { size } = far
  const blocks = block ?? (size % usualBlock === 0 ? usualBlock : smallestBlock)
  const tap = new Tap(far)
  try {
    wholeBlocksOf(far, blocks)
  } catch (error) {
    far.destroy()
    throw error
  }
  return {
    tap,
    name,
    async begin(engine) {
      const detail = { name, size, block: blocks }
      const { made } = await command(engine, { kind: 'volume.create', detail })
      await tap.attach(engine, made, name, false)
    },
  }
}

/** The name of the export, where it may be one of a volume. */
function nameOf(uri: string): string {
  const { name } = parseNbdUri(uri)
  return isName(name) ? name : 'disk'
}
