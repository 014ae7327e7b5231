/**
 * A live volume as an export. One connection is one session of the engine: it opens when the connection takes up the
 * export and closes with it, and whatever is asked in between is on the record.
 */

import { BlockboxError } from '../../core/errors.ts'
import type { IoAsk } from '../../engine/ask.ts'
import type { Engine } from '../../engine/engine.ts'
import { advice } from '../../events/code.ts'
import { flag } from '../../events/kind.ts'
import { type Volume, volumeOf } from '../../layers/layer.ts'
import { reached } from '../../layers/preserve-state.ts'
import type { ExportDescription } from '../protocol/export-description.ts'
import type { Extent } from '../protocol/reply.ts'
import { extentsOf } from './allocation.ts'
import type { DiskAnswer, DiskRequest, OpenExport } from './exported.ts'
import { trimmed, zeroed } from './whole-blocks.ts'

/** What a client is told of a volume. */
export function describeVolume(volume: Volume, readOnly: boolean): ExportDescription {
  const { name, size, block } = volume
  return {
    name,
    description: `volume ${name}, recorded`,
    size,
    readOnly,
    minimumBlock: block,
    preferredBlock: Math.max(block, 4096),
  }
}

/** Opens a session of the engine on a volume. Throws NBD_REFUSED when the engine refuses it. */
export async function openVolume(
  engine: Engine,
  volume: Volume,
  peer: string,
  readOnly: boolean,
): Promise<OpenExport> {
  const { code, made } = await engine.submit({ kind: 'session.open', detail: { name: peer } })
  if (code === 'ok') return new VolumeExport(engine, volume, made, readOnly)
  throw new BlockboxError('NBD_REFUSED', `session ${peer} was refused: ${code}: ${advice[code]}`)
}

class VolumeExport implements OpenExport {
  readonly description: ExportDescription
  readonly #engine: Engine
  readonly #volume: Volume
  readonly #session: number
  /** The number of the last request, which goes round below 2^32. */
  #requests = 0

  constructor(engine: Engine, volume: Volume, session: number, readOnly: boolean) {
    this.description = describeVolume(volume, readOnly)
    this.#engine = engine
    this.#volume = volume
    this.#session = session
  }

  submit(request: DiskRequest): Promise<DiskAnswer> {
    const { kind, offset, length } = request
    const inside = offset <= this.#volume.size - length
    if (kind === 'io.discard' && inside) {
      const whole = trimmed(offset, length, this.#volume.block)
      if (whole.length === 0) return Promise.resolve({ code: 'ok' })
      return this.#ask({ ...request, ...whole })
    }
    if (kind !== 'io.zeroes' || !inside) return this.#ask(request)
    const parts = zeroed(offset, length, this.#volume.block)
    return parts.length === 1 && parts[0]!.data === undefined
      ? this.#ask(request)
      : this.#askAll(request, parts)
  }

  extents(offset: number, length: number, most: number): readonly Extent[] {
    const { world } = this.#engine
    const volume = volumeOf(world, reached(world, this.#session, this.#volume.id))
    if (volume === undefined || offset > volume.size - length) return []
    return extentsOf(world, volume, { offset, length }, most)
  }

  async close(orderly: boolean): Promise<void> {
    const detail = { orderly }
    await this.#engine
      .submit({ kind: 'session.close', session: this.#session, detail })
      .catch(() => undefined)
  }

  /** Parts are decided one behind the other with nothing in between; the first that fails is the answer. */
  async #askAll(request: DiskRequest, parts: ReturnType<typeof zeroed>): Promise<DiskAnswer> {
    const answers = await Promise.all(
      parts.map(({ data, ...range }) =>
        this.#ask(
          data === undefined ? { ...request, ...range } : { ...request, ...range, kind: 'io.write', data },
        ),
      ),
    )
    return answers.find(({ code }) => code !== 'ok') ?? { code: 'ok' }
  }

  #ask({ kind, offset, length, fua, data }: DiskRequest): Promise<DiskAnswer> {
    this.#requests = this.#requests === 2 ** 32 - 1 ? 1 : this.#requests + 1
    const common = {
      kind,
      session: this.#session,
      volume: this.#volume.id,
      request: this.#requests,
      flags: fua ? flag.fua : 0,
    }
    if (kind === 'io.flush') return this.#engine.submit(common)
    const ask: IoAsk = data === undefined ? { ...common, offset, length } : { ...common, offset, data }
    return this.#engine.submit(ask)
  }
}
