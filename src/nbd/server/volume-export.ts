/**
 * A live volume as an export. One connection is one session of the engine: it opens when the connection takes up the
 * export and closes with it, and whatever is asked in between is on the record. When the engine fails, reads go on from
 * what is durable, on no record; everything else fails from then on.
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
import type { DiskAnswer, DiskAsker, DiskRequest, OpenExport } from './exported.ts'

/** What a client is told of a volume. */
export function describeVolume(volume: Volume, readOnly: boolean): ExportDescription {
  const { name, size, block } = volume
  return {
    name,
    description: `volume ${name}, recorded`,
    size,
    readOnly,
    minimumBlock: 1,
    preferredBlock: Math.max(block, 4096),
  }
}

/** Opens a session of the engine on a volume. Throws NBD_REFUSED when the engine refuses it. */
export async function openVolume(
  engine: Engine,
  volume: Volume,
  peer: string,
  readOnly: boolean,
): Promise<VolumeExport> {
  return new VolumeExport(engine, volume, await openSession(engine, peer), readOnly)
}

/** The number of a new session. Throws NBD_REFUSED when the engine refuses it. */
export async function openSession(engine: Engine, peer: string): Promise<number> {
  const { code, made } = await engine.submit({ kind: 'session.open', detail: { name: peer } })
  if (code === 'ok') return made
  throw new BlockboxError('NBD_REFUSED', `session ${peer} was refused: ${code}: ${advice[code]}`)
}

export class VolumeExport implements OpenExport {
  readonly description: ExportDescription
  /** The number of its session. */
  readonly session: number
  readonly #engine: Engine
  readonly #volume: Volume
  /** The number of the last request, which goes round below 2^32. */
  #requests = 0

  constructor(engine: Engine, volume: Volume, session: number, readOnly: boolean) {
    this.description = describeVolume(volume, readOnly)
    this.#engine = engine
    this.#volume = volume
    this.session = session
  }

  submit(request: DiskRequest, asker: DiskAsker): void {
    const { kind, offset, length } = request
    const inside = offset <= this.#volume.size - length
    if (kind !== 'io.discard' || !inside) return this.#ask(request, asker)
    const whole = wholeBlocks(offset, length, this.#volume.block)
    const { remains } = this.#engine
    if (whole.length > 0) this.#ask({ ...request, ...whole }, asker)
    else if (remains === undefined) asker.resolve({ code: 'ok' })
    else asker.reject(remains.reason)
  }

  extents(offset: number, length: number, most: number): Promise<readonly Extent[]> {
    return this.#engine.look((world) => {
      const volume = volumeOf(world, reached(world, this.session, this.#volume.id))
      if (volume === undefined || offset > volume.size - length) return []
      return extentsOf(world, volume, { offset, length }, most)
    })
  }

  async close(orderly: boolean): Promise<void> {
    const detail = { orderly }
    await this.#engine.submit({ kind: 'session.close', session: this.session, detail }).catch(() => undefined)
  }

  #ask({ kind, offset, length, fua, data }: DiskRequest, asker: DiskAsker): void {
    this.#requests = this.#requests === 2 ** 32 - 1 ? 1 : this.#requests + 1
    const flushes = kind === 'io.flush'
    const ask: IoAsk = {
      kind,
      session: this.session,
      volume: this.#volume.id,
      request: this.#requests,
      flags: fua ? flag.fua : 0,
      offset: flushes ? 0 : offset,
      length: flushes ? 0 : length,
      data,
      lend: true,
    }
    this.#engine.take(ask, kind === 'io.read' ? new Reader(this.#engine, ask, asker) : asker)
  }
}

/** Who reads: when the engine fails before there is an answer, it comes from what remains. */
class Reader implements DiskAsker {
  readonly #engine: Engine
  readonly #ask: IoAsk
  readonly #asker: DiskAsker

  constructor(engine: Engine, ask: IoAsk, asker: DiskAsker) {
    this.#engine = engine
    this.#ask = ask
    this.#asker = asker
  }

  resolve(answer: DiskAnswer): void {
    this.#asker.resolve(answer)
  }

  reject(error: unknown): void {
    const { remains } = this.#engine
    if (remains === undefined) return this.#asker.reject(error)
    remains.read(this.#ask).then(
      (answer) => this.#asker.resolve(answer),
      (reason: unknown) => this.#asker.reject(reason),
    )
  }
}

/** A trim is advice: of blocks that it covers in part nothing is given up. */
function wholeBlocks(offset: number, length: number, block: number): { offset: number; length: number } {
  const first = Math.ceil(offset / block) * block
  const end = Math.floor((offset + length) / block) * block
  return { offset: first, length: Math.max(0, end - first) }
}
